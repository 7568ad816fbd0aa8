//! Room for more rows, or for fewer. It is made, and what it takes the place of is freed, while no lock is held: who asks an
//! allocator for more than a little may have to wait until it has looked through all that was given back to it before.

use super::Shard;
use crate::store::{
    Owner,
    memory::{
        due::Nodes,
        owner::OwnerRow,
        places::{Blank, Moved, Size},
        slot::Slot,
        table,
    },
};

/// What is about to be added to a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::memory) enum Need {
    /// A session of no one.
    Anonymous,
    /// A session of an owner, who may be new.
    Owned,
    /// A revocation of an owner, who may be new.
    Revocation,
}

impl Need {
    /// A session of this owner, or of no one.
    pub(in crate::store::memory) fn session_of(owner: Option<Owner>) -> Self {
        if owner.is_some() { Self::Owned } else { Self::Anonymous }
    }
}

/// What room a shard should have instead of what it has.
#[derive(Debug)]
pub(in crate::store::memory) struct Wanted {
    slots: Option<Size>,
    owners: Option<usize>,
    idle: Option<usize>,
}

impl Wanted {
    fn any(self) -> Option<Self> {
        (self.slots.is_some() || self.owners.is_some() || self.idle.is_some()).then_some(self)
    }

    pub(in crate::store::memory) fn make(&self) -> Room {
        Room {
            slots: self.slots.map(|size| (Blank::new(size), Nodes::new(size.rows()))),
            owners: self.owners.map(table::Room::new),
            idle: self.idle.map(Nodes::new),
        }
    }
}

/// Room for a shard, or what is left of the room that it had.
#[derive(Debug)]
pub(in crate::store::memory) struct Room {
    slots: Option<(Blank<Slot>, Nodes)>,
    owners: Option<table::Room<OwnerRow>>,
    idle: Option<Nodes>,
}

impl Shard {
    /// What there has to be for what is added; nothing as long as there is room.
    pub(in crate::store::memory) fn lacks(&self, need: Need) -> Option<Wanted> {
        let slots = || self.slots.lacks();
        let (slots, owners, idle) = match need {
            Need::Anonymous => (slots(), None, None),
            Need::Owned => (slots(), self.owners.lacks(), None),
            Need::Revocation => (None, self.owners.lacks(), self.idle.lacks()),
        };
        Wanted { slots, owners, idle }.any()
    }

    /// What is enough, where most of what there is is free.
    pub(in crate::store::memory) fn excess(&self) -> Option<Wanted> {
        Wanted { slots: self.slots.excess(), owners: self.owners.excess(), idle: self.idle.excess() }.any()
    }

    /// Makes room for what is added. Whoever takes the lock has seen to it before.
    pub(super) fn reserve(&mut self, need: Need) {
        debug_assert!(self.lacks(need).is_none(), "room is made before the lock is taken");
        while let Some(wanted) = self.lacks(need) {
            self.move_to(&mut wanted.make());
        }
    }

    /// Moves into this room as far as it is of use, and leaves there what it was in.
    pub(in crate::store::memory) fn move_to(&mut self, room: &mut Room) {
        if let Some((blank, nodes)) = &mut room.slots
            && self.slots.move_to(blank)
        {
            self.renumber_all(&blank.moved());
            self.due.move_to(nodes);
        }
        if let Some(owners) = &mut room.owners {
            self.owners.move_to(owners);
        }
        if let Some(idle) = &mut room.idle {
            self.idle.move_to(idle);
        }
    }

    /// Mends everything that points to a slot after all of them have moved.
    fn renumber_all(&mut self, moved: &Moved<'_>) {
        for slot in self.slots.iter_mut() {
            (slot.older, slot.newer) = (moved.to(slot.older), moved.to(slot.newer));
        }
        for owner in self.owners.iter_mut() {
            owner.sessions.renumber_ends(moved);
        }
        self.anonymous.renumber_ends(moved);
        self.ended.renumber_ends(moved);
        self.due.renumber_all(moved);
        self.hand = moved.to(self.hand);
    }
}
