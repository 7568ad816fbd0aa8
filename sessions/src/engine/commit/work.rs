//! What one commit has to do: the changes that a request has recorded so far, taken out of its state in one step. It does
//! not decide what becomes of them.

use std::sync::Arc;

use sessions_policy::OnServerError;

use super::Outcome;
use crate::{
    engine::{SessionEngine, mutate::Changes, waited::Waiter},
    fault::SessionError,
    record::Record,
    session::state::{Base, Client, Found, Identity, Inner, SessionState},
    store::Millis,
};

/// Which part of a request's changes a commit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// More may be recorded after it.
    Early,
    /// The response is ready.
    Last,
}

/// What one commit has to do: the recorded changes, taken out of the state.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) found: Found,
    pub(super) base: Option<Base>,
    pub(super) changes: Changes,
    pub(super) identity: Identity,
    pub(super) rotate: bool,
    pub(super) remember: Option<bool>,
    pub(super) client: Client,
    pub(super) same_party: bool,
    pub(super) now: Millis,
    /// How often the session had moved by then.
    pub(super) moves: u32,
    /// Who waits for it, where its steps may go on without the request.
    pub(super) waiter: Option<Waiter>,
}

impl Work {
    /// Whether the session gets another credential by it, or its first one.
    pub(super) fn moves_session(&self) -> bool {
        self.base.is_none() || self.rotate || !matches!(self.identity, Identity::Keep)
    }

    /// Whether the request has answered that the store can't tell, while this went on.
    pub(super) fn is_given_up(&self) -> bool {
        self.waiter.as_ref().is_some_and(Waiter::is_gone)
    }

    /// From here on the answer is what this comes to; false if the request has answered without it.
    pub(super) fn tell(&self) -> bool {
        self.waiter.as_ref().is_none_or(Waiter::tell)
    }
}

impl SessionEngine {
    /// Takes the recorded changes out of the state, once no other commit of the request is moving the session; `None`
    /// where there is nothing at all to do.
    pub(super) async fn take_work(
        &self,
        state: &SessionState,
        outcome: Outcome,
        part: Part,
    ) -> Result<Option<Box<Work>>, SessionError> {
        loop {
            let moved = {
                let mut inner = state.lock();
                // In the same lock: what is recorded after this is refused, and nothing falls in between.
                inner.sent |= part == Part::Last;
                match &inner.moving {
                    None => return self.take_from(&mut inner, outcome, part),
                    Some(moving) => Arc::clone(moving).notified_owned(),
                }
            };
            // Boxed: only commits of one request that meet wait here.
            Box::pin(moved).await;
        }
    }

    fn take_from(
        &self,
        inner: &mut Inner,
        outcome: Outcome,
        part: Part,
    ) -> Result<Option<Box<Work>>, SessionError> {
        if part == Part::Last
            && let Some(hold) = inner.base.as_ref().and_then(|base| base.hold.as_ref())
        {
            hold.comes_to_its_end();
        }
        if let Some((fault, misuse)) = inner.misuse.take() {
            return Err(SessionError::new(fault, misuse));
        }
        if self.shared.store.is_none() {
            return Ok(None);
        }
        if outcome == Outcome::ServerError && self.shared.policy.on_server_error() == OnServerError::Drop {
            inner.drop_changes_but_endings();
        }
        inner.left = false;
        if inner.base.is_none() && !inner.has_changes() {
            return Ok(None);
        }
        let same_party = match (&inner.identity, inner.record().is_some_and(Record::is_authenticated)) {
            (Identity::Login { principal, .. }, true) => {
                let principal = Arc::clone(principal);
                inner.stored_principal().is_some_and(|stored| stored.is_same_party(&principal))
            }
            _ => false,
        };
        if part == Part::Early
            && (inner.base.is_none() || inner.rotate || !matches!(inner.identity, Identity::Keep))
        {
            inner.moving = Some(Arc::default());
        }
        // Boxed: each of the futures that it passes through would hold it, and be copied with it.
        Ok(Some(Box::new(Work {
            found: inner.found,
            base: inner.base.clone(),
            changes: std::mem::take(&mut inner.changes),
            identity: std::mem::take(&mut inner.identity),
            rotate: std::mem::take(&mut inner.rotate),
            remember: inner.remember.take(),
            client: inner.client.clone(),
            same_party,
            now: self.shared.time.now(),
            moves: inner.moves,
            waiter: None,
        })))
    }
}
