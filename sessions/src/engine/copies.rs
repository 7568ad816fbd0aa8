//! Reads for a policy that keeps copies of records: what a copy may answer, what is kept of what the store says, and what is
//! served while it says nothing.
//!
//! A copy opens a session and does nothing else. Whatever is not plainly a live session under its current id is the store's
//! to say; every write is a compare-and-set on the store, so a copy that is behind costs a trip and never an update.

use std::{sync::Arc, time::Duration};

use super::{
    SessionEngine,
    resolve::Resolved,
    validate::{Standing, Verdict, standing},
    waited::Waited,
};
use crate::{
    event::EventKind,
    fault::SessionError,
    near::Note,
    observe::NearRead,
    record::Record,
    session::state::{Base, Client, Found, SessionState, Source},
    soon::Soon,
    store::{Cas, Loaded, Millis, SessionStore, SharedStore},
    token::{Digest, SessionId, Token},
};

/// What has to be read for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// What a copy says will do, where the policy has copies.
    Copied,
    /// What is stored now.
    Stored,
}

/// What is kept of a write once it is stored.
pub(super) type Noted = Option<Box<(Note, usize)>>;

impl SessionEngine {
    /// How long copies are kept; `None` where there are none: the policy wants none, its store is as near, or each request
    /// begins with a write.
    pub(super) fn keeps_copies(
        policy: &sessions_policy::SessionPolicy,
        store: Option<&SharedStore>,
    ) -> Option<Duration> {
        let is_near = store.is_none_or(SharedStore::answers_at_once);
        let longest = policy.near_cache().into_iter().chain(policy.outage_grace()).max();
        longest.filter(|_| !is_near && policy.serial().is_none())
    }

    /// Whether a session may have been opened by a copy.
    pub(crate) fn has_copies(&self) -> bool {
        self.shared.keeps.is_some()
    }

    /// Phases 2 to 4 where copies are kept.
    pub(super) fn find_near<'a>(
        &'a self,
        (token, store): (Token, &'a SharedStore),
        client: Client,
        now: Millis,
        (keeps, freshness): (Duration, Freshness),
    ) -> Soon<'a, Resolved> {
        self.shared.hub.listen(self);
        let Some((record, digest)) = self.copy_of(&token, &client, now, freshness) else {
            return Soon::later(self.find_and_keep((token, store), client, now, (keeps, freshness)));
        };
        let verdict = self.validate(record, digest, &client, now);
        self.bind_verdict(token, verdict, client, now, Waited::default())
            .then(|resolved| Self::found_in(resolved, Source::Copy))
    }

    fn copy_of(
        &self,
        token: &Token,
        client: &Client,
        now: Millis,
        freshness: Freshness,
    ) -> Option<(Arc<Record>, Digest)> {
        let bound = self.shared.policy.near_cache()?;
        let near = &self.shared.hub.near;
        if freshness == Freshness::Stored || !near.hears(bound) {
            self.shared.meter.read_near(NearRead::Bypass);
            return None;
        }
        let copy = near.fresh(token.id, bound).and_then(|record| self.opens(record, token, client, now));
        self.shared.meter.read_near(if copy.is_some() { NearRead::Hit } else { NearRead::Miss });
        copy
    }

    /// Whether a copy plainly lets the client in.
    fn opens(
        &self,
        record: Arc<Record>,
        token: &Token,
        client: &Client,
        now: Millis,
    ) -> Option<(Arc<Record>, Digest)> {
        let digest = token.secret.digest(&self.shared.tag);
        let is_plain = standing(&record, &digest, now) == Standing::Current
            && record.forward.is_none()
            && self.shared.lifetimes.over(&record, now).is_none()
            && (!self.shared.policy.fingerprint_binding() || record.fingerprint == client.fingerprint);
        is_plain.then_some((record, digest))
    }

    async fn find_and_keep(
        &self,
        (token, store): (Token, &SharedStore),
        client: Client,
        now: Millis,
        (keeps, freshness): (Duration, Freshness),
    ) -> Resolved {
        let near = &self.shared.hub.near;
        let (note, mut waited) = (near.note(token.id), Waited::default());
        let asked = self.spend(&mut waited, async { Ok(store.load(token.id, now).await) }).await;
        let loaded = match asked {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => {
                let failed = self.store_failed(error);
                return self.served_in_outage((token, client), freshness, waited, failed);
            }
            Err(failed) => return self.served_in_outage((token, client), freshness, waited, failed),
        };
        let bytes = match &loaded {
            Loaded::Live(stored) => stored.record.len(),
            Loaded::Ended(_) | Loaded::Absent => {
                near.ended(token.id);
                0
            }
        };
        let verdict = self.judge_loaded(&token, loaded, &client, now);
        if let Verdict::Live { record, .. } = &verdict {
            near.keep(token.id, note, (record, bytes), keeps);
        }
        self.bind_verdict(token, verdict, client, now, waited).await
    }

    /// What this process knows of a session while its store does not answer.
    fn served_in_outage(
        &self,
        (token, client): (Token, Client),
        freshness: Freshness,
        waited: Waited,
        failed: SessionError,
    ) -> Resolved {
        // It may have waited long for the store.
        let now = self.shared.time.now();
        let grace = self.shared.policy.outage_grace().filter(|_| freshness == Freshness::Copied);
        let known = grace.and_then(|grace| self.shared.hub.near.known(token.id, grace));
        let Some((record, digest)) = known.and_then(|record| self.opens(record, &token, &client, now)) else {
            return Err(failed);
        };
        self.event(EventKind::ServedInOutage, |event| {
            event.of(&record);
            event.fault = Some(failed.fault());
        });
        let base = Base { token, digest, record, by_previous: false, on_socket: false, hold: None };
        let state = self.bind(Found::Live, Some(base), client, now, waited);
        Self::found_in(Ok(state), Source::Outage)
    }

    fn found_in(resolved: Resolved, source: Source) -> Resolved {
        if let Ok(state) = &resolved {
            state.lock().source = source;
        }
        resolved
    }

    /// Makes sure that a session which a copy has opened is still there, for what may not be done by a copy's word.
    ///
    /// What was recorded stays, and meets what is stored when it is written.
    pub(crate) async fn confirm_stored(&self, state: &Arc<SessionState>) -> Result<(), SessionError> {
        let (token, client) = {
            let inner = state.lock();
            match &inner.base {
                Some(base) if inner.source != Source::Store => (base.token.clone(), inner.client.clone()),
                _ => return Ok(()),
            }
        };
        let verdict = self.within(state, self.look(&token, &client)).await?;
        if let Verdict::Reused(record) = &verdict {
            let now = self.shared.time.now();
            self.within(state, self.revoke_lineage(&token, record, now)).await?;
        }
        let mut inner = state.lock();
        if inner.base.as_ref().is_none_or(|base| base.token.id != token.id) {
            // The handler has moved it meanwhile, by a write that the store took.
            return Ok(());
        }
        inner.source = Source::Store;
        match verdict {
            Verdict::Live { record, digest, by_previous } if !inner.has_changes() => {
                inner.adopt(Base { token, digest, record, by_previous, on_socket: false, hold: None });
            }
            Verdict::Live { .. } => {}
            Verdict::Superseded => inner.forget(false),
            Verdict::Dead | Verdict::Reused(_) => {
                self.shared.hub.near.ended(token.id);
                inner.forget(true);
            }
        }
        Ok(())
    }

    /// Whether others have to hear of a write that changes no privilege: they keep copies.
    pub(super) fn announces_writes(&self) -> bool {
        self.shared.keeps.is_some() && self.shared.policy.near_cache().is_some()
    }

    /// Begins a write whose record is kept once it is stored. Boxed: it is held over the write, where it is rare.
    pub(super) fn note_write(&self, write: &Cas) -> Noted {
        self.shared.keeps?;
        Some(Box::new((self.shared.hub.near.note(write.id), write.record.len())))
    }

    /// Keeps what was written.
    pub(super) fn keep_written(&self, id: SessionId, record: &Arc<Record>, noted: Noted) {
        if let (Some(keeps), Some(noted)) = (self.shared.keeps, noted) {
            let (note, bytes) = *noted;
            self.shared.hub.near.keep(id, note, (record, bytes), keeps);
        }
    }
}
