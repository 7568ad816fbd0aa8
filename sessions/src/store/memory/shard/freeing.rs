//! What goes from a shard without being asked for: the expired, old tombstones, and what has to make room.
//!
//! Each call looks at a bounded number of slots, because others wait for the lock.

use super::Shard;
use crate::store::{Millis, SessionId, memory::table::NONE};

impl Shard {
    /// Frees what is due, looking at no more than so many nodes, and tells how many records and tombstones it freed.
    pub(in crate::store::memory) fn free_due(&mut self, now: Millis, mut looks: usize) -> usize {
        let mut freed = 0;
        while looks > 0
            && let Some(row) = self.due.first(now)
        {
            looks -= 1;
            let expires = self.slots[row].expires();
            if expires > now {
                // It was touched since.
                self.due.set(&mut self.slots, row, expires);
            } else {
                self.lapse(row, now);
                freed += 1;
            }
        }
        while looks > 0
            && let Some(row) = self.idle.first(now)
        {
            looks -= 1;
            self.idle.remove(&mut self.owners, row);
            self.forget_owner(row);
        }
        freed
    }

    /// Forgets the oldest tombstones.
    pub(in crate::store::memory) fn forget_ended(&mut self, count: u32, now: Millis) {
        for _ in 0..count {
            match self.ended.oldest {
                NONE => return,
                row => self.forget(row, now),
            }
        }
    }

    /// Evicts the anonymous session under the hand, unless it was used since the hand last passed; then only if forced.
    ///
    /// It leaves no tombstone: a flood would push out those that matter.
    pub(in crate::store::memory) fn evict_anonymous(&mut self, force: bool, now: Millis) -> bool {
        let row = if self.hand == NONE { self.anonymous.oldest } else { self.hand };
        if row == NONE {
            return false;
        }
        let used = std::mem::take(&mut self.slots[row].used);
        if used && !force {
            self.hand = self.slots[row].newer;
            return false;
        }
        self.forget(row, now);
        true
    }

    /// Looks at up to so many places and tells which session of an owner was used longest ago, and when.
    pub(in crate::store::memory) fn longest_unused(&mut self, looks: u32) -> Option<(Millis, SessionId)> {
        let (room, begin) = (self.slots.size(), self.sampled);
        let looks = looks.min(room);
        self.sampled = begin.wrapping_add(looks);
        let places = (0..looks).map(|step| begin.wrapping_add(step) % room);
        let owned = places.filter_map(|place| self.slots.get(place)).filter(|slot| slot.owner != NONE);
        let used = owned.map(|slot| (slot.last_seen(), slot.id));
        used.min()
    }
}
