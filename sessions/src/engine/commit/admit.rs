//! How a login is stored within the limit of its principal, which is the store's to keep.

use std::sync::Arc;

use super::write::{full, late};
use crate::{
    engine::SessionEngine,
    event::EventKind,
    fault::{Fault, SessionError},
    record::Record,
    soon::Soon,
    store::{
        Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, Expected, Limit, Millis, SessionStore,
        SharedStore, Stamp, StoreError,
    },
    token::{Owner, SessionId},
    watch::SessionEnding,
};

/// Who logs in: the session that is new, and what its limit is.
pub(super) struct Login {
    pub(super) id: SessionId,
    pub(super) owner: Owner,
    /// The most sessions that the principal may have.
    pub(super) most: Option<u32>,
    pub(super) began: Stamp,
    pub(super) now: Millis,
}

/// What the store says to a login.
pub(super) type Answer = Result<Admitted, StoreError>;

impl SessionEngine {
    /// Asks the store for a login once.
    pub(super) fn try_admit<'a>(
        &self,
        store: &'a SharedStore,
        login: &Login,
        record: &Record,
        behavior: BehaviorOnLimit,
    ) -> Soon<'a, Answer> {
        let admit = Admit {
            id: login.id,
            owner: login.owner,
            record: record.encode(&self.shared.name),
            expires: self.shared.lifetimes.expires(record),
            limit: login.most.map(|max| Limit { max, behavior }),
            replaces: None,
            began: login.began,
            now: login.now,
            deadline: self.write_deadline(self.shared.time.now()),
        };
        store.admit_soon(admit, self.notes(|notes| notes.login(record)))
    }

    /// What a login comes to whose first answer is this: it evicted no one.
    ///
    /// The store counts by the ends that it was given, which were later where settings have become shorter since. So a
    /// login that meets the limit looks at the records once, and only then evicts or is refused.
    pub(super) fn settle_admission<'a>(
        &'a self,
        store: &'a SharedStore,
        login: &'a Login,
        record: &'a Record,
        first: Answer,
    ) -> Soon<'a, Result<(), SessionError>> {
        let judge = |answer: Answer| {
            let answer = answer.map_err(|error| self.store_failed(error))?;
            self.admitted(answer, record)
        };
        if !matches!(first, Ok(Admitted::LimitReached { .. })) {
            return Soon::now(judge(first));
        }
        Soon::later(async move {
            let behavior = self.shared.policy.concurrency().behavior_on_limit();
            let lapsed = self.end_lapsed(store, login.owner, login.now).await?;
            let again = lapsed || behavior != BehaviorOnLimit::Reject;
            judge(if again { self.try_admit(store, login, record, behavior).await } else { first })
        })
    }

    /// The same where `sent` is not what the session has to be, because the visitor's record was another by the time it
    /// was sealed. No one knows the session yet, so it is written anew, or ended.
    pub(super) async fn admit_instead(
        &self,
        store: &SharedStore,
        login: &Login,
        (sent, first): (Arc<Record>, Answer),
        (next, checked): (Arc<Record>, Result<(), SessionError>),
    ) -> (Arc<Record>, Result<(), SessionError>) {
        if let Err(error) = checked {
            self.end_if_stored(store, &sent, login.id, &first).await;
            return (sent, Err(error));
        }
        if !matches!(first, Ok(Admitted::Stored { .. })) {
            let settled = self.settle_admission(store, login, &next, first).await;
            return (next, settled);
        }
        let cas = Cas {
            id: login.id,
            owner: self.owner_for(store, &next),
            expected: Expected::Version(sent.version),
            record: next.encode(&self.shared.name),
            expires: self.shared.lifetimes.expires(&next),
            announced: false,
            now: login.now,
            deadline: self.write_deadline(self.shared.time.now()),
        };
        let written = match store.cas(cas).await {
            Ok(CasOutcome::Stored) => self.admitted(Admitted::Stored { evicted: Vec::new() }, &next),
            // Its secret is known to this login alone, so nothing but an ending can have changed it.
            Ok(CasOutcome::Gone(_) | CasOutcome::Conflict(_)) => self.admitted(Admitted::Revoked, &next),
            Ok(CasOutcome::Late) => Err(late()),
            Ok(CasOutcome::Full) => Err(full()),
            Err(error) => Err(self.store_failed(error)),
        };
        (next, written)
    }

    /// Ends a session that no client will hear of, if it was stored or may have been.
    pub(super) async fn end_if_stored(
        &self,
        store: &SharedStore,
        record: &Record,
        id: SessionId,
        answer: &Answer,
    ) {
        if matches!(answer, Ok(Admitted::Stored { .. }) | Err(_)) {
            Box::pin(self.end_orphan(store, record, id)).await;
        }
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
}
