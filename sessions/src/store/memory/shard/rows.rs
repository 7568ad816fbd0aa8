//! The changes of a shard's rows, each of which leaves the shard whole: every slot in the index, in the heap and in one
//! list; every owner with a session, or with a revocation and a node among the idle.

use std::sync::Arc;

use super::{Found, Need, Shard, steps::A_STEP};
use crate::store::{
    EndReason, Millis, Owner, SessionId, TOMBSTONE_MS,
    memory::{
        due::Queued,
        owner::OwnerRow,
        slot::{Slot, State},
        table::NONE,
    },
};

impl Shard {
    /// Judges what is stored under an id. An expired session becomes a tombstone, an expired tombstone is forgotten.
    pub(super) fn look(&mut self, id: &SessionId, now: Millis) -> Found {
        let Some(row) = self.slots.find(id) else { return Found::Absent };
        let slot = &self.slots[row];
        if slot.expires() <= now {
            return if self.lapse(row, now) { Found::Ended(EndReason::Expired) } else { Found::Absent };
        }
        match slot.state {
            State::Live(_) => Found::Live(row),
            State::Ended(reason) => Found::Ended(reason),
        }
    }

    /// What has expired goes, and leaves a tombstone if it was a session until a short while ago: whether it did.
    pub(super) fn lapse(&mut self, row: u32, now: Millis) -> bool {
        let until = self.slots[row].expires().saturating_add(TOMBSTONE_MS);
        let entomb = self.slots[row].is_session() && until > now;
        if entomb {
            self.entomb(row, EndReason::Expired, until, now);
        } else {
            self.forget(row, now);
        }
        entomb
    }

    pub(super) fn insert(
        &mut self,
        id: SessionId,
        owner: Option<Owner>,
        record: &Arc<[u8]>,
        expires: Millis,
    ) {
        self.reserve(Need::session_of(owner));
        let owner_row = owner.map_or(NONE, |owner| {
            self.owners.find(&owner).unwrap_or_else(|| self.owners.push(OwnerRow::new(owner)))
        });
        let row = self.slots.push(Slot::live(id, owner_row, Arc::clone(record), expires));
        let due = self.slots[row].expires();
        self.due.push(&mut self.slots, row, due);
        if owner_row == NONE {
            self.anonymous.append(&mut self.slots, row);
            return;
        }
        self.owned += 1;
        self.owners[owner_row].sessions.append(&mut self.slots, row);
        if self.owners[owner_row].position() != NONE {
            self.idle.remove(&mut self.owners, owner_row);
        }
    }

    /// Makes a tombstone of a session.
    pub(super) fn entomb(&mut self, row: u32, reason: EndReason, until: Millis, now: Millis) {
        self.leave(row, now);
        let state = std::mem::replace(&mut self.slots[row].state, State::Ended(reason));
        self.free(state);
        self.slots[row].set_expires(until);
        self.due.set(&mut self.slots, row, until);
        self.ended.append(&mut self.slots, row);
    }

    /// Leaves a record to be freed when the lock was given back.
    pub(super) fn free(&mut self, state: State) {
        if let State::Live(record) = state {
            self.freed.push(record);
        }
    }

    /// Takes a session out of its owner's list or out of the anonymous ones.
    pub(super) fn leave(&mut self, row: u32, now: Millis) {
        let owner = std::mem::replace(&mut self.slots[row].owner, NONE);
        if owner == NONE {
            if self.hand == row {
                self.hand = self.slots[row].newer;
            }
            self.anonymous.unlink(&mut self.slots, row);
            return;
        }
        self.owned -= 1;
        self.owners[owner].sessions.unlink(&mut self.slots, row);
        if self.owners[owner].sessions.len == 0 {
            if self.owners[owner].revoked == 0 {
                self.forget_owner(owner);
            } else {
                self.remember(owner, now);
            }
        }
    }

    /// Keeps an owner without a session for the time that a login may be under way.
    pub(super) fn remember(&mut self, owner: u32, now: Millis) {
        let until = now.saturating_add(TOMBSTONE_MS);
        if self.owners[owner].position() == NONE {
            self.idle.push(&mut self.owners, owner, until);
        } else {
            self.idle.set(&mut self.owners, owner, until);
        }
    }

    /// Removes a session or a tombstone, and mends what pointed to the last row.
    pub(super) fn forget(&mut self, row: u32, now: Millis) {
        if self.slots[row].is_session() {
            self.leave(row, now);
        } else {
            self.ended.unlink(&mut self.slots, row);
        }
        self.due.remove(&mut self.slots, row);
        if let Some(slot) = self.slots.remove(row) {
            self.free(slot.state);
        }
        let mut gap = row;
        while let Some(from) = self.slots.close(gap) {
            self.renumber(from, gap);
            gap = from;
        }
    }

    /// Mends what pointed to a slot that has another row now.
    fn renumber(&mut self, from: u32, to: u32) {
        let moved = &self.slots[to];
        self.due.renumber(moved.position(), to);
        let list = match (&moved.state, moved.owner) {
            (State::Ended(_), _) => &mut self.ended,
            (State::Live(_), NONE) => &mut self.anonymous,
            (State::Live(_), owner) => &mut self.owners[owner].sessions,
        };
        list.renumber(&mut self.slots, to);
        if self.hand == from {
            self.hand = to;
        }
    }

    /// Removes an owner that has no session and no node, and mends what pointed to the last row.
    pub(super) fn forget_owner(&mut self, row: u32) {
        let last = self.owners.last().filter(|&last| last != row);
        if last.is_some_and(|last| self.owners[last].sessions.len as usize > A_STEP) {
            // To give the last one another number would be to write to all its sessions.
            return self.owners.vacate(row);
        }
        if !self.owners.swap_remove(row) {
            return;
        }
        if self.owners[row].position() != NONE {
            self.idle.renumber(self.owners[row].position(), row);
        }
        let mut slot = self.owners[row].sessions.oldest;
        while slot != NONE {
            self.slots[slot].owner = row;
            slot = self.slots[slot].newer;
        }
    }
}
