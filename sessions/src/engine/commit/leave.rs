//! Ends a session, or lets its visitor go on without its principal.

use super::{Done, Work, write::Next};
use crate::{
    engine::{SessionEngine, note::Says},
    event::{EventKind, SessionEvent},
    fault::{Fault, SessionError},
    record::Forward,
    session::state::Base,
    store::{EndReason, EndTarget, Millis, SessionStore},
    token::SessionId,
    watch::SessionEnding,
};

impl SessionEngine {
    /// Ends the session in the store, before anyone is told. Ending one that another request has ended is no error.
    pub(super) async fn end_session(&self, base: &Base) -> Result<Done, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(Done::Nothing) };
        let target = EndTarget::Session { id: base.token.id, owner: self.owner_of(&base.record) };
        let kind = if base.record.is_authenticated() { EventKind::LoggedOut } else { EventKind::Destroyed };
        let left = |event: &mut SessionEvent| {
            event.of(&base.record);
            event.reason = (kind == EventKind::LoggedOut).then_some("logout");
        };
        let end = self.end_of(target, EndReason::LoggedOut);
        let notes = self.notes(|notes| notes.event(kind, left));
        let ended = store.end_soon(end, notes).await.map_err(|error| {
            // Perhaps it has ended, and only the answer was lost.
            self.shared.hub.look_at(base.token.id);
            self.store_failed(error)
        })?;
        self.shared.hub.end(&ended.ids, SessionEnding::LoggedOut);
        self.shared.hub.look_at(base.token.id);
        if let Some(hold) = &base.hold {
            hold.has_ended();
        }
        let here = !ended.ids.is_empty();
        if here {
            self.event(kind, left);
        }
        Ok(Done::Ended { here })
    }

    /// A logout that keeps data: the old session is closed for good, and what is left goes on in a new anonymous one.
    pub(super) async fn leave(&self, work: &Work) -> Result<Done, SessionError> {
        let (Some(store), Some(base)) = (&self.shared.store, &work.base) else { return Ok(Done::Nothing) };
        // An ending always wins: it asks for no turn, and whoever has one meets it.
        let base = &Base { hold: None, ..base.clone() };
        let mut left = Vec::new().into();
        let closed = self
            .rewrite(base, work.now, |current, _| {
                (left, _) = work.changes.merge(&base.record, current, self.shared.policy.on_conflict())?;
                let mut next = current.with_fields(left.clone());
                self.check_size(&next)?;
                // A seal without a lease: whatever happens after this, the session is not authenticated any more.
                next.forward = Some(Forward { to: SessionId::new(0, [0; 16]), until: Millis::MAX });
                next.fields = Vec::new().into();
                Ok(Some(Next { record: next, token: None, asked: true, says: Says::Left }))
            })
            .await;
        let closed = match closed {
            Err(gone) if gone.fault() == Fault::Gone => {
                // Perhaps it only has another id now. Its data can't be taken from there; but whoever leaves has left.
                self.end_session(base).await?;
                return Err(gone);
            }
            closed => closed?,
        };
        // It is closed for good from here on, whatever becomes of its record.
        self.shared.hub.end(&[closed.token.id], SessionEnding::LoggedOut);
        let target = EndTarget::Session { id: closed.token.id, owner: self.owner_of(&closed.record) };
        store
            .end(self.end_of(target, EndReason::LoggedOut))
            .await
            .map_err(|error| self.store_failed(error))?;
        self.event(EventKind::LoggedOut, |event| {
            event.of(&closed.record);
            event.reason = Some("logout");
        });
        if work.is_given_up() {
            return Ok(Done::Ended { here: true });
        }
        Box::pin(self.create_with(work, left, Some(base.token.id))).await
    }
}
