//! What is done to many slots, in steps that each hold the lock for a short while only.
//!
//! A step may come before what it belongs to as long as no one can tell: what has expired is absent anyway, and sessions
//! that are about to be ended with all others of their owner may end a moment sooner.

use super::Shard;
use crate::store::{EndReason, Millis, Owner, SessionId, memory::table::NONE};

/// How many sessions of an owner are ended or freed in one step. Few in tests, so that they see more than one step.
pub(super) const A_STEP: usize = if cfg!(any(test, sessions_shuttle)) { 2 } else { 256 };

impl Shard {
    /// Frees expired sessions of an owner: true if another step is needed.
    pub(super) fn free_expired_of(&mut self, owner: u32, now: Millis) -> bool {
        let sessions = &self.owners[owner].sessions;
        if sessions.len as usize <= A_STEP {
            return false;
        }
        let all = sessions.after(&self.slots, NONE);
        let expired = all.filter(|slot| slot.expires() <= now).map(|slot| slot.id);
        let expired: Vec<_> = expired.take(A_STEP).collect();
        for id in &expired {
            self.look(id, now);
        }
        expired.len() == A_STEP
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
        let ids = sessions.after(&self.slots, NONE).map(|slot| slot.id);
        let ids: Vec<_> = ids.filter(|id| Some(*id) != except).take(A_STEP).collect();
        ended.extend(ids.iter().filter(|id| self.end(id, reason, now)));
        ids.len() == A_STEP
    }
}
