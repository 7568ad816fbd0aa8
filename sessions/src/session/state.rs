//! What one request knows of one session: shared by all its extractors, behind one lock that is never held over an
//! await.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use http::HeaderValue;
use tokio::sync::Notify;

#[cfg(feature = "ws")]
use crate::web::cross_site::Page;
use crate::{
    engine::{
        SessionEngine,
        mutate::{Changes, Op},
        turn::Hold,
        waited::Waited,
    },
    fault::Fault,
    principal::SessionPrincipal,
    record::{Field, FieldView, Fields, Part, Record, Space},
    store::{Millis, Stamp},
    sync::{Mutex, MutexGuard},
    token::{Digest, SessionId, Token},
    transport::{Carried, Lifetime},
};

/// How much of a user agent's text is kept.
const AGENT_BYTES: usize = 256;

/// A session of a request, in whatever state.
#[derive(Debug)]
pub(crate) struct SessionState {
    pub(crate) engine: SessionEngine,
    inner: Mutex<Inner>,
}

impl SessionState {
    pub(crate) fn new(engine: SessionEngine, inner: Inner) -> Arc<Self> {
        Arc::new(Self { engine, inner: Mutex::new(inner) })
    }

    /// Locks the state. No user code runs under the lock, so a poisoned one is still whole.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the presented credential led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing usable was presented, or what it named is gone: a write starts a fresh session.
    Nothing,
    /// The presented id was superseded and its successor may live: a write is refused.
    Superseded,
    /// A live session.
    Live,
}

/// A stored session and the credential that opened it.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) token: Token,
    /// The digest of the token's secret.
    pub(crate) digest: Digest,
    pub(crate) record: Arc<Record>,
    /// The presented secret is the one before the current one, within its grace.
    pub(crate) by_previous: bool,
    /// It is a watch's: no client can be given another id, so time changes none, and what was changed by time is its own.
    pub(crate) on_socket: bool,
    /// What gives the request the session to itself, under `on_conflict = "serial"`.
    pub(crate) hold: Option<Arc<Hold>>,
}

/// A recorded change of who the session belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) enum Identity {
    #[default]
    Keep,
    Login {
        principal: Arc<SessionPrincipal>,
        began: Stamp,
    },
    Logout,
}

/// What of the client goes into a record, and by which carrier it asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) fingerprint: Option<[u8; 16]>,
    pub(crate) agent: Option<HeaderValue>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) carried: Carried,
    /// Which page asks, where tickets for sockets are made out to one.
    #[cfg(feature = "ws")]
    pub(crate) page: Option<Box<Page>>,
}

impl Client {
    /// The user agent as a record keeps it, for people to recognise their devices: text, of bounded length.
    pub(crate) fn agent_text(&self) -> Option<Part> {
        let text = self.agent.as_ref()?.to_str().ok()?;
        // A header value that is text is ASCII: a byte is a character.
        Some(text.as_bytes().iter().copied().take(AGENT_BYTES).collect::<Vec<_>>().into())
    }
}

/// What the response has to tell the client.
#[derive(Debug, Default)]
pub(crate) enum Emission {
    #[default]
    Nothing,
    Issue(Token, Lifetime),
    Remove,
}

/// What said that the session is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The store.
    Store,
    /// A copy that is young enough.
    Copy,
    /// A copy, while the store did not answer.
    Outage,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) found: Found,
    pub(crate) source: Source,
    pub(crate) base: Option<Base>,
    pub(crate) changes: Changes,
    pub(crate) identity: Identity,
    pub(crate) rotate: bool,
    pub(crate) remember: Option<bool>,
    pub(crate) client: Client,
    pub(crate) emission: Emission,
    /// The principal of the stored session, decoded once.
    pub(crate) principal: Option<Arc<SessionPrincipal>>,
    /// The instant of the resolve.
    pub(crate) now: Millis,
    /// The response head has been sent: nothing can be changed any more.
    pub(crate) sent: bool,
    /// A change that came after the head, or could not be recorded: the commit reports it.
    pub(crate) misuse: Option<(Fault, &'static str)>,
    /// The handler has logged its stored principal out, whatever it recorded after that.
    pub(crate) left: bool,
    /// How often the session has moved to another credential, or ended.
    pub(crate) moves: u32,
    /// An early commit is about to do that; other commits of the request wait until it has.
    pub(crate) moving: Option<Arc<Notify>>,
    /// How long the request has waited for its store.
    pub(crate) waited: Waited,
}

impl Inner {
    pub(crate) fn new(found: Found, base: Option<Base>, client: Client, now: Millis, waited: Waited) -> Self {
        Self {
            found,
            source: Source::Store,
            base,
            changes: Changes::default(),
            identity: Identity::Keep,
            rotate: false,
            remember: None,
            client,
            emission: Emission::Nothing,
            principal: None,
            now,
            sent: false,
            misuse: None,
            left: false,
            moves: 0,
            moving: None,
            waited,
        }
    }

    pub(crate) fn record(&self) -> Option<&Record> {
        self.base.as_ref().map(|base| &*base.record)
    }

    /// What the stored session is called.
    pub(crate) fn id(&self) -> Option<SessionId> {
        self.base.as_ref().map(|base| base.token.id)
    }

    fn base_fields(&self) -> Option<&Fields> {
        self.record().map(|record| &record.fields)
    }

    pub(crate) fn fields(&self) -> &[Field] {
        self.changes.fields(self.base_fields())
    }

    pub(crate) fn find(&self, space: Space, name: &str) -> Option<FieldView<'_>> {
        self.changes.find(self.base_fields(), space, name)
    }

    /// The principal as the handler sees it: what it recorded, else what is stored.
    pub(crate) fn effective_principal(&mut self) -> Option<Arc<SessionPrincipal>> {
        match &self.identity {
            Identity::Login { principal, .. } => Some(Arc::clone(principal)),
            Identity::Logout => None,
            Identity::Keep => self.stored_principal(),
        }
    }

    pub(crate) fn stored_principal(&mut self) -> Option<Arc<SessionPrincipal>> {
        if self.principal.is_none() {
            self.principal = SessionPrincipal::decode(self.record()?.principal()?).map(Arc::new);
        }
        self.principal.clone()
    }

    /// Whether the handler sees an authenticated session.
    pub(crate) fn is_authenticated(&self) -> bool {
        match &self.identity {
            Identity::Login { .. } => true,
            Identity::Logout => false,
            Identity::Keep => self.record().is_some_and(Record::is_authenticated),
        }
    }

    /// Whether anything waits to be written.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
            || self.rotate
            || self.remember.is_some()
            || !matches!(self.identity, Identity::Keep)
    }

    /// Adopts what is stored now.
    pub(crate) fn adopt(&mut self, base: Base) {
        // Both are this request's own: how long it takes to compare them tells no one anything.
        let stays = |held: &Base| held.token.id == base.token.id && held.digest.0 == base.digest.0;
        if !self.base.as_ref().is_some_and(stays) {
            self.moves += 1;
        }
        self.found = Found::Live;
        self.changes.rebase(Some(&base.record.fields));
        self.base = Some(base);
        self.principal = None;
    }

    /// Whether the state knows more than what a commit stored: commits of one request can come back in another order
    /// than the store took them in.
    pub(crate) fn is_past(&self, stored: &Base) -> bool {
        let version = stored.record.version;
        if version.is_first() {
            return false;
        }
        match &self.base {
            Some(held) => held.token.id != stored.token.id || version.is_before(held.record.version),
            // Ended by this request; or another commit took a change of the id by this very request for an ending.
            None => self.found == Found::Nothing,
        }
    }

    /// The session is no more. A later write starts a fresh one if this request ended it; else it is refused, because a
    /// new cookie could take the place of a successor's.
    pub(crate) fn forget(&mut self, ended_here: bool) {
        self.moves += 1;
        self.found = if ended_here { Found::Nothing } else { Found::Superseded };
        self.base = None;
        self.principal = None;
        self.changes.rebase(None);
    }

    /// What stays recorded when the handler failed: an ending, and nothing else.
    pub(crate) fn drop_changes_but_endings(&mut self) {
        self.rotate = false;
        self.remember = None;
        let anonymous = !self.record().is_some_and(Record::is_authenticated);
        if self.left {
            self.identity = Identity::Logout;
            self.changes.discard_all();
            return;
        }
        self.identity = Identity::Keep;
        if !(anonymous && self.changes.clears() && self.fields().is_empty()) {
            self.changes = Changes::default();
        }
    }

    /// Records a change.
    pub(crate) fn change(&mut self, op: Op) {
        let base = self.base.as_ref().map(|base| &base.record.fields);
        self.changes.record(base, op);
    }

    /// Whether changes can still be recorded; if not, the next commit says why.
    pub(crate) fn is_open(&mut self) -> bool {
        if self.sent {
            tracing::error!("{SENT}");
            self.misuse = Some((Fault::Unusable, SENT));
        }
        !self.sent
    }
}

/// What a change after the response head is told.
pub(crate) const SENT: &str = "the session was changed after the response head had been sent: commit before";
