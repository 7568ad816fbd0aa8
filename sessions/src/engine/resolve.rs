//! Phase 2: what is stored under the presented id? The one store read of a request.

use std::sync::Arc;

use super::{SessionEngine, copies::Freshness, validate::Verdict, waited::Waited};
use crate::{
    event::EventKind,
    fault::{Fault, SessionError},
    observe::{Phase, Timer, span},
    record::Record,
    session::{
        Session, Untyped,
        state::{Base, Client, Found, SessionState},
    },
    soon::Soon,
    store::{EndReason, Loaded, Millis, StoreError, Stored},
    token::Token,
    web::RequestHead,
};

/// The session of a request, or why there is none.
pub(super) type Resolved = Result<Arc<SessionState>, SessionError>;

impl SessionEngine {
    /// Finds the session of a request: phases 1 to 4.
    ///
    /// A request that presents no usable id gets an anonymous session that exists nowhere until something is written.
    /// At most one store call.
    ///
    /// # Errors
    /// - [`Fault::CrossSite`]: an unsafe request from another site, refused before anything was read.
    /// - [`Fault::TooEarly`]: an unsafe request in early data of TLS (RFC 8470), refused likewise.
    /// - [`Fault::Contradictory`]: it names more than one session, refused likewise.
    /// - [`Fault::StoreUnavailable`]: the store could not tell. It is never taken for absence.
    /// - [`Fault::Locked`]: under `on_conflict = "serial"`, another request has the session, for longer than `serial.wait`.
    ///
    /// # Cancel safety
    /// Nothing has changed if the future is dropped, but for a reused id, whose session may have been revoked. A turn that
    /// was taken (`on_conflict = "serial"`) is given back.
    pub async fn resolve<'a>(&self, request: impl Into<RequestHead<'a>>) -> Result<Session, SessionError> {
        let state = self.resolve_state(request.into(), Freshness::Copied).await?;
        Ok(Session::<Untyped>::from_state(state))
    }

    /// The same by what is stored now: no copy is used that `near_cache` or `outage_grace` keeps. For what must not be done
    /// on behalf of a session that was revoked a moment ago.
    ///
    /// # Errors
    /// As for [`resolve`](Self::resolve).
    ///
    /// # Cancel safety
    /// As for [`resolve`](Self::resolve).
    pub async fn resolve_stored<'a>(
        &self,
        request: impl Into<RequestHead<'a>>,
    ) -> Result<Session, SessionError> {
        let state = self.resolve_state(request.into(), Freshness::Stored).await?;
        Ok(Session::<Untyped>::from_state(state))
    }

    /// The same, as far as a handler's session needs it; with a store that answers at once it is there at once.
    pub(crate) fn resolve_state<'a>(
        &'a self,
        head: RequestHead<'a>,
        freshness: Freshness,
    ) -> Soon<'a, Resolved> {
        if let Some(engine) = self.for_request(head) {
            return Soon::later(async move { engine.resolve_state(head, freshness).await });
        }
        let timer = Timer::start();
        let resolved = Soon::within(span!("session.resolve", self), || self.find_state(head, freshness));
        if cfg!(feature = "metrics") {
            return resolved.then(move |resolved| {
                let meter = &self.shared.meter;
                meter.phase(Phase::Resolve, timer);
                meter.resolved(match &resolved {
                    Ok(state) => state.lock().found.into(),
                    Err(error) => error.into(),
                });
                resolved
            });
        }
        resolved
    }

    fn find_state<'a>(&'a self, head: RequestHead<'a>, freshness: Freshness) -> Soon<'a, Resolved> {
        let (token, carried) = match self.detect(head) {
            Ok(detected) => detected,
            Err(error) => return Soon::now(Err(error)),
        };
        let client = Client { carried, ..self.client(head) };
        let now = self.shared.time.now();
        let (Some(token), Some(store)) = (token, &self.shared.store) else {
            return Soon::now(Ok(self.bind(Found::Nothing, None, client, now, Waited::default())));
        };
        if let Some(keeps) = self.shared.keeps {
            return self.find_near((token, store), client, now, (keeps, freshness));
        }
        match store.load_soon(token.id, now) {
            Soon::Now(Some(loaded)) => self.bind_loaded(token, loaded, client, now, Waited::default()),
            loading => Soon::later(async move {
                let mut waited = Waited::default();
                let loaded = self.spend(&mut waited, async { Ok(loading.await) }).await?;
                self.bind_loaded(token, loaded, client, now, waited).await
            }),
        }
    }

    /// Phases 3 and 4 for what the store answered.
    fn bind_loaded(
        &self,
        token: Token,
        loaded: Result<Loaded, StoreError>,
        client: Client,
        now: Millis,
        waited: Waited,
    ) -> Soon<'_, Resolved> {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return Soon::now(Err(self.store_failed(error))),
        };
        let verdict = self.judge_loaded(&token, loaded, &client, now);
        self.bind_verdict(token, verdict, client, now, waited)
    }

    /// Phase 4 for what was judged; where requests take turns, a live session is waited for.
    pub(super) fn bind_verdict(
        &self,
        token: Token,
        verdict: Verdict,
        client: Client,
        now: Millis,
        mut waited: Waited,
    ) -> Soon<'_, Resolved> {
        let (found, base) = match verdict {
            Verdict::Live { record, digest, by_previous } => {
                let base = Base { token, digest, record, by_previous, on_socket: false, hold: None };
                if let Some(turns) = &self.shared.turns {
                    return Soon::later(self.bind_in_turn(turns, base, client, waited));
                }
                (Found::Live, Some(base))
            }
            Verdict::Superseded => (Found::Superseded, None),
            Verdict::Dead => (Found::Nothing, None),
            Verdict::Reused(record) => {
                return Soon::later(async move {
                    self.spend(&mut waited, self.revoke_lineage(&token, &record, now)).await?;
                    Ok(self.bind(Found::Nothing, None, client, now, waited))
                });
            }
        };
        Soon::now(Ok(self.bind(found, base, client, now, waited)))
    }

    /// What the store's answer means for the presented token.
    pub(super) fn judge_loaded(
        &self,
        token: &Token,
        loaded: Loaded,
        client: &Client,
        now: Millis,
    ) -> Verdict {
        match loaded {
            Loaded::Live(stored) => {
                // Before the record is looked into: the processor computes while it waits for a record that is far away.
                let digest = token.secret.digest(&self.shared.tag);
                match self.decode(&stored) {
                    Some(record) => self.validate(record, digest, client, now),
                    None => Verdict::Dead,
                }
            }
            Loaded::Ended(EndReason::Superseded) => {
                self.event(EventKind::Superseded, |event| {
                    event.handle = Some(token.id.handle());
                    event.reason = Some("moved");
                });
                Verdict::Superseded
            }
            Loaded::Ended(EndReason::Expired) => {
                self.event(EventKind::Expired, |event| {
                    event.handle = Some(token.id.handle());
                    event.fault = Some(Fault::Expired);
                    event.reason = Some("ended");
                });
                Verdict::Dead
            }
            Loaded::Ended(reason) => {
                self.event(EventKind::Ended, |event| {
                    event.handle = Some(token.id.handle());
                    event.reason = Some(reason.name());
                });
                Verdict::Dead
            }
            Loaded::Absent => {
                self.unknown("absent");
                Verdict::Dead
            }
        }
    }

    /// Decodes a record. One that can't be read counts as absent and is told once, without its content.
    pub(super) fn decode(&self, stored: &Stored) -> Option<Arc<Record>> {
        let record = Record::decode(stored, &self.shared.name);
        if record.is_none() && Record::is_anothers(stored, &self.shared.name) {
            // The sid of another policy's session: a client can present it at will, and nothing is broken.
            self.unknown("other_policy");
        } else if record.is_none() {
            tracing::error!(
                policy = &*self.shared.name,
                bytes = stored.record.len(),
                "a session record can't be read"
            );
            self.event(EventKind::Corrupted, |event| {
                event.fault = Some(Fault::StoreCorrupted);
                event.reason = Some("record");
            });
        }
        record
    }

    /// Tells of an id that was never issued, or that no one remembers.
    fn unknown(&self, reason: &'static str) {
        self.event(EventKind::Unknown, |event| {
            event.fault = Some(Fault::ForgeryAttempt);
            event.reason = Some(reason);
        });
    }

    pub(crate) fn store_failed(&self, error: StoreError) -> SessionError {
        tracing::error!(
            policy = &*self.shared.name,
            error = &error as &dyn std::error::Error,
            "the session store failed"
        );
        self.event(EventKind::StoreFailed, |event| {
            event.fault = Some(Fault::StoreUnavailable);
            event.reason = Some(match error {
                StoreError::Unavailable(_) => "unavailable",
                StoreError::Unknown(_) => "unknown",
            });
        });
        SessionError::from(error)
    }
}
