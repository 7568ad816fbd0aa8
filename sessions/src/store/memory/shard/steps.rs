//! What is done to many slots, in steps that each hold the lock for a short while only.
//!
//! A step may come before what it belongs to as long as no one can tell: what has expired is absent anyway, and sessions
//! that are about to be ended with all others of their owner may end a moment sooner.

use super::Shard;
use crate::store::{EndReason, Millis, Owner, SessionId, memory::table::NONE};

/// How many sessions of an owner are ended or freed in one step. Few in tests, so that they see more than one step.
pub(in crate::store::memory) const A_STEP: usize = if cfg!(any(test, sessions_shuttle)) { 2 } else { 32 };

/// The sessions of one step: no list, for which memory would be asked under the lock.
#[derive(Default)]
pub(super) struct Step {
    ids: [Option<SessionId>; A_STEP],
    len: usize,
}

impl Step {
    /// Adds a session to a step that is not whole.
    pub(super) fn push(&mut self, id: SessionId) {
        self.ids[self.len] = Some(id);
        self.len += 1;
    }

    /// Whether there are as many as one step takes.
    pub(super) fn is_whole(&self) -> bool {
        self.len == A_STEP
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &SessionId> {
        self.ids.iter().flatten()
    }
}

impl Shard {
    /// Frees expired sessions of an owner: true if another step is needed.
    pub(super) fn free_expired_of(&mut self, owner: u32, now: Millis) -> bool {
        let sessions = &self.owners[owner].sessions;
        if sessions.len as usize <= A_STEP {
            return false;
        }
        let mut step = Step::default();
        let all = sessions.after(&self.slots, NONE);
        let expired = all.filter(|slot| slot.expires() <= now).map(|slot| slot.id);
        expired.take(A_STEP).for_each(|id| step.push(id));
        for id in step.iter() {
            self.look(id, now);
        }
        step.is_whole()
    }

    /// Ends sessions of an owner but one, the oldest first, and tells which: true if another step is needed.
    ///
    /// Only [`end_owner`](Shard::end_owner), which has to come last, is the revocation.
    pub(in crate::store::memory) fn end_some_of(
        &mut self,
        owner: &Owner,
        except: Option<SessionId>,
        (reason, now): (EndReason, Millis),
        ended: &mut Vec<SessionId>,
    ) -> bool {
        let Some(row) = self.owners.find(owner) else { return false };
        let sessions = &self.owners[row].sessions;
        if sessions.len as usize <= A_STEP {
            return false;
        }
        let mut step = Step::default();
        let ids = sessions.after(&self.slots, NONE).map(|slot| slot.id);
        ids.filter(|id| Some(*id) != except).take(A_STEP).for_each(|id| step.push(id));
        ended.extend(step.iter().filter(|id| self.end(id, reason, now)));
        step.is_whole()
    }
}
