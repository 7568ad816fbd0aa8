//! Lists that run through the slots of a shard, so that a slot's place in its list costs no memory of its own.

use super::{
    places::{Moved, Places},
    slot::Slot,
    table::NONE,
};

/// Slots in the order in which they were appended.
#[derive(Debug)]
pub(super) struct List {
    pub(super) oldest: u32,
    pub(super) newest: u32,
    pub(super) len: u32,
}

impl List {
    pub(super) const fn new() -> Self {
        Self { oldest: NONE, newest: NONE, len: 0 }
    }

    /// Appends a slot that is in no list.
    pub(super) fn append(&mut self, slots: &mut Places<Slot>, row: u32) {
        let before = std::mem::replace(&mut self.newest, row);
        slots[row].older = before;
        slots[row].newer = NONE;
        match before {
            NONE => self.oldest = row,
            _ => slots[before].newer = row,
        }
        self.len += 1;
    }

    /// Takes a slot of this list out of it.
    pub(super) fn unlink(&mut self, slots: &mut Places<Slot>, row: u32) {
        let (older, newer) = (slots[row].older, slots[row].newer);
        self.join(slots, older, newer, (newer, older));
        self.len -= 1;
    }

    /// Notes that a slot of this list has another row now.
    pub(super) fn renumber(&mut self, slots: &mut Places<Slot>, row: u32) {
        let (older, newer) = (slots[row].older, slots[row].newer);
        self.join(slots, older, newer, (row, row));
    }

    /// Notes that all slots have other rows now. Their own neighbours are the shard's to renumber.
    pub(super) fn renumber_ends(&mut self, moved: &Moved<'_>) {
        (self.oldest, self.newest) = (moved.to(self.oldest), moved.to(self.newest));
    }

    /// Makes the neighbours of a place point to other slots: the older one to the first, the newer one to the second.
    fn join(&mut self, slots: &mut Places<Slot>, older: u32, newer: u32, to: (u32, u32)) {
        match older {
            NONE => self.oldest = to.0,
            _ => slots[older].newer = to.0,
        }
        match newer {
            NONE => self.newest = to.1,
            _ => slots[newer].older = to.1,
        }
    }

    /// The slots of this list after a row, oldest first; from the oldest on after [`NONE`].
    pub(super) fn after<'a>(
        &self,
        slots: &'a Places<Slot>,
        row: u32,
    ) -> impl Iterator<Item = &'a Slot> + use<'a> {
        let mut next = if row == NONE { self.oldest } else { slots[row].newer };
        std::iter::from_fn(move || {
            let slot = (next != NONE).then(|| &slots[next])?;
            next = slot.newer;
            Some(slot)
        })
    }
}
