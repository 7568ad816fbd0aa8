//! Brings a principal in: the limit is the store's to keep, and what the visitor had is carried over or discarded.
//!
//! A login moves the session into its owner's bucket: the visitor's record is *sealed*, so that everything that was
//! acknowledged before is in the copy and nothing is after; the new session is *admitted* within the limit; the old
//! record is *ended*. A crash in between loses nothing: a seal runs out.
//!
//! Sealing and admitting are asked for at once, with a copy of what the request has read, because most visitors write
//! nothing meanwhile. Where one did, the new session is put right before anyone knows its id. What evicts others waits for
//! the seal.

use std::{pin::pin, sync::Arc};

use super::{Done, Work, admit::Login, write::Next};
use crate::{
    engine::{SessionEngine, limit, note::Says},
    event::{EventKind, SessionEvent},
    fault::{Fault, SessionError},
    observe,
    principal::SessionPrincipal,
    record::{Forward, Record, Version},
    session::state::Base,
    soon::both,
    store::{BehaviorOnLimit, End, EndReason, EndTarget, Millis, SharedStore, Stamp, StoreError},
    token::{SessionId, Token},
    watch::SessionEnding,
};

/// A visitor's record that was taken out of use.
struct Sealed {
    base: Base,
    /// The version of the record that is in the copy.
    took_over: Version,
}

/// How far a login has come once the store has answered.
struct Admission {
    record: Arc<Record>,
    admitted: Result<(), SessionError>,
    /// The visitor's record, if there was one that nothing else has ended.
    sealed: Option<Box<Base>>,
}

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
        let owner = self.owner(&principal);
        // Before anything is written: it is the application's, and may panic.
        let most = limit::most(&self.shared.policy, self.shared.limit.as_ref(), &principal);
        let token = Token::mint(&*self.shared.entropy, Some(&owner))?;
        let (record, checked) = self.newcomer(work, &principal, &token, work.base.as_ref());
        // Before anything is written: what is too large stays with the visitor.
        checked?;
        observe::handle(record.handle);
        let login = Login { id: token.id, owner, most, began, now: work.now };
        let Admission { record, admitted, sealed } = match &work.base {
            None => {
                let first = self.try_admit(store, &login, &record, BehaviorOnLimit::Reject).await;
                let admitted = self.settle_admission(store, &login, &record, first).await;
                Admission { record, admitted, sealed: None }
            }
            // Boxed, like all that most logins don't come to: the future of each would have to hold it.
            Some(base) => {
                Box::pin(self.take_along(store, (work, base), (&principal, &token), (&login, record))).await?
            }
        };
        // What was stored after the answer is undone while the visitor's record can still be opened.
        let admitted = if work.is_given_up() { admitted.and(Err(answered())) } else { admitted };
        if let Err(error) = admitted {
            if error.fault() == Fault::StoreUnavailable {
                // Perhaps it is stored, and only the answer was lost: no one has its id, and it would count.
                Box::pin(self.end_orphan(store, &record, token.id)).await;
            }
            if let Some(sealed) = &sealed {
                Box::pin(self.unseal(sealed)).await;
            }
            return Err(error);
        }
        if let Some(sealed) = sealed
            && let Err(error) = Box::pin(self.end_sealed(store, &sealed)).await
        {
            Box::pin(self.end_orphan(store, &record, token.id)).await;
            return Err(error);
        }
        if !work.tell() {
            // The answer was an error, so no client has its id.
            Box::pin(self.end_orphan(store, &record, token.id)).await;
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

    /// Seals a visitor's record, and admits the session that takes along what is in it.
    ///
    /// # Errors
    /// The visitor's record could not be sealed. The new session is ended then; if that fails, it idles out.
    async fn take_along(
        &self,
        store: &SharedStore,
        (work, base): (&Work, &Base),
        (principal, token): (&SessionPrincipal, &Token),
        (login, record): (&Login, Arc<Record>),
    ) -> Result<Admission, SessionError> {
        let (sealed, answer) = {
            let seal = pin!(self.seal(work, base, token.id));
            let admit = pin!(async { self.try_admit(store, login, &record, BehaviorOnLimit::Reject).await });
            both(seal, admit).await
        };
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(error) => {
                self.end_if_stored(store, &record, token.id, &answer).await;
                return Err(error);
            }
        };
        let is_as_read = sealed.as_ref().is_some_and(|sealed| sealed.took_over == base.record.version);
        let sealed = sealed.map(|sealed| Box::new(sealed.base));
        let (record, admitted) = if is_as_read {
            let admitted = self.settle_admission(store, login, &record, answer).await;
            (record, admitted)
        } else {
            let (next, checked) = self.newcomer(work, principal, token, sealed.as_deref());
            self.admit_instead(store, login, (record, answer), (next, checked)).await
        };
        Ok(Admission { record, admitted, sealed })
    }

    /// Ends a visitor's record for good. The seal keeps it out of use only for its lease.
    async fn end_sealed(&self, store: &SharedStore, sealed: &Base) -> Result<(), SessionError> {
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
        let mut ended = store.end_soon(end, notes.clone()).await;
        if let Err(StoreError::Unknown(_)) = ended {
            // If it has ended and only the answer was lost, then the data is in the new session alone.
            ended = store.end_soon(end, notes).await;
        }
        ended.map_err(|error| self.store_failed(error))?;
        self.shared.hub.end(&[sealed.token.id], SessionEnding::Superseded);
        if let Some(hold) = &sealed.hold {
            hold.has_ended();
        }
        if was_someone {
            self.event(EventKind::LoggedOut, left);
        }
        Ok(())
    }

    /// Ends a session that no client will hear of. If that fails, it idles out.
    pub(super) async fn end_orphan(&self, store: &SharedStore, record: &Record, id: SessionId) {
        let orphan = EndTarget::Session { id, owner: self.owner_of(record) };
        // Whoever reads the outbox was told of its login.
        let notes = self.notes(|notes| {
            notes.event(EventKind::Revoked, |event| {
                event.of(record);
                event.reason = Some("undone");
            });
        });
        let _ = store.end_soon(self.end_of(orphan, EndReason::Revoked), notes).await;
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
        record.address = work.client.address;
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
    async fn seal(&self, work: &Work, base: &Base, to: SessionId) -> Result<Option<Sealed>, SessionError> {
        let mut took_over = base.record.version;
        let sealed = self
            .rewrite(base, work.now, |current, _| {
                took_over = current.version;
                let mut next = current.clone();
                next.forward = Some(Forward { to, until: work.now.saturating_add(LEASE_MS) });
                Ok(Some(Next { record: next, token: None, asked: true, says: Says::Nothing }))
            })
            .await;
        match sealed {
            Ok(base) => Ok(Some(Sealed { base, took_over })),
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

    pub(in crate::engine) fn end_of(&self, target: EndTarget, reason: EndReason) -> End {
        End { target, reason, now: self.shared.time.now(), stamp: self.shared.time.stamp() }
    }
}

/// What steps come to whose request has answered that the store can't tell. No one hears of it.
fn answered() -> SessionError {
    SessionError::new(Fault::StoreUnavailable, "the request has answered without its login")
}
