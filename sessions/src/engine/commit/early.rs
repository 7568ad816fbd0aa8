//! Writes before the response is ready: an early commit, and the atomic update. What fails is given back, so that the last
//! commit tries again.

use std::sync::Arc;

use super::{Outcome, Part, Work};
use crate::{
    engine::{
        SessionEngine,
        mutate::{Changes, difference},
    },
    fault::{Fault, SessionError},
    observe::{instrument, span},
    record::{Binding, Field},
    session::state::{Identity, Inner, SENT, SessionState},
};

/// The changes of an early commit. They go back into the state if it fails, or is given up before it has answered.
struct Kept {
    changes: Option<Taken>,
    /// Whether others wait for this commit to move the session.
    moves: bool,
    state: Arc<SessionState>,
}

struct Taken {
    changes: Changes,
    identity: Identity,
    rotate: bool,
    remember: Option<bool>,
}

impl Kept {
    fn of(work: &Work, state: &Arc<SessionState>) -> Self {
        let changes = Some(Taken {
            changes: work.changes.clone(),
            identity: work.identity.clone(),
            rotate: work.rotate,
            remember: work.remember,
        });
        Self { changes, moves: work.moves_session(), state: Arc::clone(state) }
    }

    /// Lets go of the changes unless the commit failed; those of a session that is gone go nowhere.
    fn settle<T>(mut self, result: Result<T, SessionError>) -> Result<T, SessionError> {
        if result.as_ref().err().is_none_or(|error| error.fault() == Fault::Gone) {
            self.changes = None;
        }
        result
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.changes.is_none() && !self.moves {
            return;
        }
        let mut inner = self.state.lock();
        if let Some(taken) = self.changes.take() {
            taken.give_back_to(&mut inner);
        }
        if self.moves
            && let Some(moving) = inner.moving.take()
        {
            moving.notify_waiters();
        }
    }
}

impl Taken {
    fn give_back_to(self, inner: &mut Inner) {
        let base = inner.base.as_ref().map(|base| Arc::clone(&base.record));
        inner.changes.prepend(self.changes, base.as_ref().map(|record| &record.fields));
        if matches!(inner.identity, Identity::Keep) {
            inner.identity = self.identity;
        }
        inner.rotate |= self.rotate;
        inner.remember = inner.remember.or(self.remember);
    }
}

impl SessionEngine {
    /// Writes what is recorded so far, and gives the changes back if that fails, so that a later commit tries again.
    ///
    /// Where that moves the session, it goes on by itself if the future is dropped: the request must learn where to.
    pub(crate) fn commit_early(
        &self,
        state: &Arc<SessionState>,
    ) -> impl Future<Output = Result<(), SessionError>> + Send {
        instrument(self.commit_before_the_response(state), span!("session.commit", self))
    }

    async fn commit_before_the_response(&self, state: &Arc<SessionState>) -> Result<(), SessionError> {
        let Some(work) = self.take_work(state, Outcome::Answered, Part::Early).await? else { return Ok(()) };
        let kept = Kept::of(&work, state);
        if !work.moves_session() {
            let moves = work.moves;
            let done = match self.time_limit() {
                None => self.perform(work).await,
                Some(limit) => Box::pin(self.perform_within(limit, state, work)).await,
            };
            return kept.settle(self.adopt(state, moves, done));
        }
        let move_on = move |engine: Self| async move {
            let moves = work.moves;
            let done = match engine.time_limit() {
                None => engine.perform(work).await,
                Some(limit) => Box::pin(engine.perform_within(limit, &kept.state, work)).await,
            };
            let adopted = engine.adopt(&kept.state, moves, done);
            kept.settle(adopted)
        };
        Box::pin(self.uninterrupted(move_on)).await
    }

    /// Writes what is recorded so far together with a change that is computed from what is stored, in one step.
    ///
    /// A session that no one else can know yet is not sent: the change is recorded as it comes out now.
    pub(crate) async fn update_state<F>(
        &self,
        state: &Arc<SessionState>,
        update: F,
    ) -> Result<(), SessionError>
    where
        F: FnMut(&mut Vec<Field>, Binding<'_>) -> Result<(), SessionError> + Send,
    {
        let (is_new, moves) = loop {
            let moved = {
                let inner = state.lock();
                if inner.sent {
                    return Err(SessionError::new(Fault::Unusable, SENT));
                }
                let Some(moving) = &inner.moving else {
                    let is_new = inner.base.is_none() || self.shared.store.is_none();
                    // What gives the session another id is written first, by what goes on if this future is dropped.
                    break (is_new, inner.rotate || !matches!(inner.identity, Identity::Keep));
                };
                Arc::clone(moving).notified_owned()
            };
            // Boxed, as it is rare: what is being written would not be seen by the change.
            Box::pin(moved).await;
        };
        if is_new {
            return record_update(state, update);
        }
        if moves {
            self.commit_early(state).await?;
        }
        if state.lock().base.is_none() {
            return record_update(state, update);
        }
        let Some(work) = self.take_work(state, Outcome::Answered, Part::Early).await? else {
            return record_update(state, update);
        };
        let kept = Kept::of(&work, state);
        let Some(base) = &work.base else {
            // Another commit of the same session was faster, and ended it: what was recorded goes on.
            drop(kept);
            return record_update(state, update);
        };
        let writing = self.write_with(&work, base, Some(update));
        let done = match self.time_limit() {
            None => writing.await,
            Some(_) => Box::pin(self.within(state, writing)).await,
        };
        kept.settle(self.adopt(state, work.moves, done))
    }
}

/// Records a computed change as it comes out on the fields that the request sees. The computation is a handler's: it runs
/// without the lock, and again where another thread of the same request was faster.
fn record_update<F>(state: &SessionState, mut update: F) -> Result<(), SessionError>
where
    F: FnMut(&mut Vec<Field>, Binding<'_>) -> Result<(), SessionError>,
{
    loop {
        let (before, id) = {
            let inner = state.lock();
            (inner.fields().to_vec(), inner.id())
        };
        let mut after = before.clone();
        update(&mut after, state.engine.binding(id))?;
        let mut inner = state.lock();
        if inner.sent {
            return Err(SessionError::new(Fault::Unusable, SENT));
        }
        if difference(&before, inner.fields().to_vec()).is_empty() {
            for op in difference(&before, after) {
                inner.change(op);
            }
            return Ok(());
        }
    }
}
