//! Brings a principal in: the limit is the store's to keep, and what the visitor had is carried over or discarded.
//!
//! A login moves the session into its owner's bucket: the visitor's record is *sealed*, so that everything that was
//! acknowledged before is in the copy and nothing is after; the new session is *admitted* within the limit; the old
//! record is *ended*. A crash in between loses nothing: a seal runs out.

use std::sync::Arc;

use super::{
    Done, Work,
    write::{Next, full, late},
};
use crate::{
    engine::{SessionEngine, limit, note::Says},
    event::{EventKind, SessionEvent},
    fault::{Fault, SessionError},
    observe,
    principal::SessionPrincipal,
    record::{Forward, Record},
    session::state::Base,
    store::{
        Admit, Admitted, BehaviorOnLimit, End, EndReason, EndTarget, Limit, Millis, SessionStore,
        SharedStore, Stamp, StoreError,
    },
    token::{Owner, SessionId, Token},
    watch::SessionEnding,
};

/// How long a move may take before its seal runs out, in milliseconds.
const LEASE_MS: Millis = 30_000;

impl SessionEngine {
    pub(super) async fn login(
        &self,
        work: &Work,
        principal: Arc<SessionPrincipal>,
        began: Stamp,
    ) -> Result<Done, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(Done::Nothing) };
        let owner = Owner::of(&self.shared.name, principal.kind(), principal.id());
        // Before anything is written: it is the application's, and may panic.
        let most = limit::most(&self.shared.policy, self.shared.limit.as_ref(), &principal);
        let token = Token::mint(&*self.shared.entropy, Some(&owner))?;
        let sealed = match &work.base {
            // Boxed, like all that most logins don't come to: the future of each would have to hold it.
            Some(base) => Box::pin(self.seal(work, base, token.id)).await?,
            None => None,
        };
        let (record, checked) = self.newcomer(work, &principal, &token, sealed.as_deref());
        observe::handle(record.handle);
        let admitted = match checked {
            Ok(()) => self.admit(store, &token, owner, (&record, most), began, work.now).await,
            Err(error) => Err(error),
        };
        // What was stored after the answer is undone while the visitor's record can still be opened.
        let admitted = if work.is_given_up() { admitted.and(Err(answered())) } else { admitted };
        if let Err(error) = admitted {
            if error.fault() == Fault::StoreUnavailable {
                // Perhaps it is stored, and only the answer was lost: no one has its id, and it would count.
                self.end_orphan(store, &record, token.id).await;
            }
            if let Some(sealed) = &sealed {
                Box::pin(self.unseal(sealed)).await;
            }
            return Err(error);
        }
        if let Some(sealed) = sealed {
            let owner = self.owner_of(&sealed.record);
            let end = self.end_of(EndTarget::Session { id: sealed.token.id, owner }, EndReason::Superseded);
            let left = |event: &mut SessionEvent| {
                event.of(&sealed.record);
                event.reason = Some("other_login");
            };
            let was_someone = sealed.record.is_authenticated();
            let notes = self.notes(|notes| {
                if was_someone {
                    notes.event(EventKind::LoggedOut, left);
                }
            });
            // The seal keeps the old record out of use for its lease, and this ends it for good.
            let mut ended = store.end_noting(end, notes.clone()).await;
            if let Err(StoreError::Unknown(_)) = ended {
                // If it has ended and only the answer was lost, then the data is in the new session alone.
                ended = store.end_noting(end, notes).await;
            }
            if let Err(error) = ended {
                self.end_orphan(store, &record, token.id).await;
                return Err(self.store_failed(error));
            }
            self.shared.hub.end(&[sealed.token.id], SessionEnding::Superseded);
            if let Some(hold) = &sealed.hold {
                hold.has_ended();
            }
            if was_someone {
                self.event(EventKind::LoggedOut, left);
            }
        }
        if !work.tell() {
            // The answer was an error, so no client has its id.
            self.end_orphan(store, &record, token.id).await;
            return Err(answered());
        }
        self.event(EventKind::Authenticated, |event| {
            event.of(&record);
            event.reason = Some("login");
        });
        let digest = record.digest;
        let base = Base { token, digest, record, by_previous: false, on_socket: false, hold: None };
        Ok(Done::Stored { base, issue: true })
    }

    /// Ends a session that no client will hear of. If that fails, it idles out.
    async fn end_orphan(&self, store: &SharedStore, record: &Record, id: SessionId) {
        let orphan = EndTarget::Session { id, owner: self.owner_of(record) };
        // Whoever reads the outbox was told of its login.
        let notes = self.notes(|notes| {
            notes.event(EventKind::Revoked, |event| {
                event.of(record);
                event.reason = Some("undone");
            });
        });
        let _ = store.end_noting(self.end_of(orphan, EndReason::Revoked), notes).await;
    }

    /// The record of a login, and whether it is one that may be stored. Not in the future of the login, which would hold
    /// each of its parts.
    fn newcomer(
        &self,
        work: &Work,
        principal: &SessionPrincipal,
        token: &Token,
        sealed: Option<&Base>,
    ) -> (Arc<Record>, Result<(), SessionError>) {
        let mut record = self.new_record(token, token.id.handle(), work);
        record.authenticated = Some(work.now);
        record.principal = Some(principal.encode().into());
        record.agent = work.client.agent_text();
        let fields = match (&work.base, sealed) {
            (Some(base), Some(sealed)) => work
                .changes
                .merge(&base.record, &sealed.record, self.shared.policy.on_conflict())
                .map(|(fields, _)| fields),
            // Nothing to carry over: what was there has ended, or went with another login.
            (Some(_), None) => Ok(work.changes.replay(None).into()),
            (None, _) => Ok(work.changes.to_fields(None)),
        };
        let checked = fields.and_then(|fields| {
            record.fields = fields;
            self.check_size(&record)?;
            self.seal_fields(&mut record, sealed.map(|sealed| sealed.token.id), token.id)
        });
        (Arc::new(record), checked)
    }

    /// Takes the visitor's record out of use, in favour of a successor; `None` if it ended, or another login was faster.
    async fn seal(&self, work: &Work, base: &Base, to: SessionId) -> Result<Option<Box<Base>>, SessionError> {
        let sealed = self
            .rewrite(base, work.now, |current, _| {
                let mut next = current.clone();
                next.forward = Some(Forward { to, until: work.now.saturating_add(LEASE_MS) });
                Ok(Some(Next { record: next, token: None, asked: true, says: Says::Nothing }))
            })
            .await;
        match sealed {
            Ok(sealed) => Ok(Some(Box::new(sealed))),
            Err(error) if error.fault() == Fault::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a sealed record back into use after a login was refused. If that fails, the seal runs out by itself.
    async fn unseal(&self, sealed: &Base) {
        let open =
            Base { record: Arc::new(Record { forward: None, ..(*sealed.record).clone() }), ..sealed.clone() };
        // By the time now: the login may have taken as long as a write may wait.
        let _ = self
            .rewrite(&open, self.shared.time.now(), |current, _| {
                let mut next = current.clone();
                next.forward = None;
                Ok(Some(Next { record: next, token: None, asked: true, says: Says::Nothing }))
            })
            .await;
    }

    /// Stores the new session within the limit.
    ///
    /// The store counts by the ends that it was given, which were later where settings have become shorter since. So a
    /// login that meets the limit looks at the records once, and only then evicts or is refused.
    async fn admit(
        &self,
        store: &SharedStore,
        token: &Token,
        owner: Owner,
        (record, most): (&Record, Option<u32>),
        began: Stamp,
        now: Millis,
    ) -> Result<(), SessionError> {
        let concurrency = self.shared.policy.concurrency();
        let within = |behavior| {
            let limit = most.map(|max| Limit { max, behavior });
            Admit {
                id: token.id,
                owner,
                record: record.encode(&self.shared.name),
                expires: self.shared.lifetimes.expires(record),
                limit,
                replaces: None,
                began,
                now,
                deadline: self.write_deadline(self.shared.time.now()),
            }
        };
        let failed = |error| self.store_failed(error);
        let notes = self.notes(|notes| notes.login(record));
        let ask = async |behavior| match notes.clone() {
            None => store.admit(within(behavior)).await,
            Some(notes) => store.admit_noting(within(behavior), notes).await,
        };
        let mut answer = ask(BehaviorOnLimit::Reject).await.map_err(failed)?;
        if matches!(answer, Admitted::LimitReached { .. }) {
            let lapsed = Box::pin(self.end_lapsed(store, owner, now)).await?;
            if lapsed || concurrency.behavior_on_limit() != BehaviorOnLimit::Reject {
                answer = ask(concurrency.behavior_on_limit()).await.map_err(failed)?;
            }
        }
        self.admitted(answer, record)
    }

    /// What the store's answer to a login means.
    fn admitted(&self, answer: Admitted, record: &Record) -> Result<(), SessionError> {
        match answer {
            Admitted::Stored { evicted } => {
                self.shared.hub.end(&evicted, SessionEnding::Evicted);
                for id in evicted {
                    self.event(EventKind::Evicted, |event| {
                        // It is a session of the same principal.
                        event.of(record);
                        event.handle = Some(id.handle());
                        event.reason = Some("limit");
                    });
                }
                self.event(EventKind::Created, |event| {
                    event.of(record);
                    event.reason = Some("login");
                });
                Ok(())
            }
            Admitted::LimitReached { live } => {
                self.event(EventKind::LimitReached, |event| {
                    event.of(record);
                    event.handle = None;
                    event.fault = Some(Fault::ConcurrencyViolation);
                    event.count = u64::from(live);
                });
                Err(SessionError::new(
                    Fault::ConcurrencyViolation,
                    "this principal has as many sessions as it may have: end one of them first",
                ))
            }
            Admitted::Revoked => {
                Err(self.gone("all sessions of the principal were revoked during the login"))
            }
            Admitted::Exists => {
                Err(SessionError::new(Fault::RotationFailed, "the new session id was taken already"))
            }
            Admitted::Late => Err(late()),
            Admitted::Full => Err(full()),
        }
    }

    pub(in crate::engine) fn end_of(&self, target: EndTarget, reason: EndReason) -> End {
        End { target, reason, now: self.shared.time.now(), stamp: self.shared.time.stamp() }
    }
}

/// What steps come to whose request has answered that the store can't tell. No one hears of it.
fn answered() -> SessionError {
    SessionError::new(Fault::StoreUnavailable, "the request has answered without its login")
}
