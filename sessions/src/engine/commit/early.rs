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
    record::{Binding, Field},
    session::state::{Identity, Inner, SENT, SessionState},
};

/// The changes of an early commit, for the case that it fails.
struct Kept {
    changes: Changes,
    identity: Identity,
    rotate: bool,
    remember: Option<bool>,
}

impl Kept {
    fn of(work: &Work) -> Self {
        Self {
            changes: work.changes.clone(),
            identity: work.identity.clone(),
            rotate: work.rotate,
            remember: work.remember,
        }
    }

    fn give_back(self, state: &SessionState, error: &SessionError) {
        if error.fault() != Fault::Gone {
            self.give_back_to(&mut state.lock());
        }
    }

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
    pub(crate) async fn commit_early(&self, state: &Arc<SessionState>) -> Result<(), SessionError> {
        let Some(work) = self.take_work(state, Outcome::Answered, Part::Early)? else { return Ok(()) };
        let (kept, moves) = (Kept::of(&work), work.moves);
        let done = self.perform(work).await;
        self.adopt(state, moves, done).inspect_err(|error| kept.give_back(state, error))
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
        let (is_new, moves) = {
            let inner = state.lock();
            if inner.sent {
                return Err(SessionError::new(Fault::Unusable, SENT));
            }
            let is_new = inner.base.is_none() || self.shared.store.is_none();
            (is_new, !matches!(inner.identity, Identity::Keep))
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
        let Some(work) = self.take_work(state, Outcome::Answered, Part::Early)? else {
            return record_update(state, update);
        };
        let kept = Kept::of(&work);
        let Some(base) = &work.base else {
            // Another commit of the same session was faster, and ended it: what was recorded goes on.
            kept.give_back_to(&mut state.lock());
            return record_update(state, update);
        };
        let done = self.write_with(&work, base, Some(update)).await;
        self.adopt(state, work.moves, done).inspect_err(|error| kept.give_back(state, error))
    }
}

/// Records a computed change as it comes out on the fields that the request sees. The computation is a handler's: it runs
/// without the lock.
fn record_update<F>(state: &SessionState, mut update: F) -> Result<(), SessionError>
where
    F: FnMut(&mut Vec<Field>, Binding<'_>) -> Result<(), SessionError>,
{
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
    for op in difference(&before, after) {
        inner.change(op);
    }
    Ok(())
}
