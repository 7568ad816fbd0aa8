//! Whether a shard is whole: what its rows, index, heaps and lists have to agree on. For tests.

use super::Shard;
use crate::store::{
    Millis,
    memory::{
        due::Queued,
        list::List,
        slot::{Slot, State},
        table::NONE,
    },
};

impl Shard {
    pub(in crate::store::memory) fn assert_whole(&self) {
        self.due.assert_whole(&self.slots, Slot::expires);
        assert_eq!(self.due.len(), self.slots.len(), "one node a slot");
        let slots = (0..self.slots.size()).filter_map(|row| Some((row, self.slots.get(row)?)));
        assert_eq!(slots.clone().count(), self.slots.len() as usize, "the slots are counted");
        for (row, slot) in slots {
            assert_eq!(self.slots.find(&slot.id), Some(row), "each slot is found");
        }
        let mut owned = 0;
        let (mut found, last) = (0, self.owners.last());
        for row in 0..last.map_or(0, |last| last + 1) {
            let known = &self.owners[row];
            if self.owners.find(known.owner()) != Some(row) {
                assert!(last != Some(row), "the index finds each owner whose row is not vacant");
                continue;
            }
            found += 1;
            owned += self.assert_list(&known.sessions, |slot| slot.is_session() && slot.owner == row);
            assert_eq!(known.sessions.len == 0, known.position() != NONE, "idle is who has no session");
            assert!(known.sessions.len > 0 || known.revoked > 0, "an idle owner is kept for its revocation");
        }
        assert_eq!(found, self.owners.len());
        self.idle.assert_whole(&self.owners, |_| Millis::MAX);
        assert_eq!(owned, self.owned);
        let anonymous = self.assert_list(&self.anonymous, |slot| slot.is_session() && slot.owner == NONE);
        let ended =
            self.assert_list(&self.ended, |slot| matches!(slot.state, State::Ended(_)) && slot.owner == NONE);
        assert_eq!(owned + anonymous + ended, self.slots.len(), "each slot is in one list");
        assert!(self.hand == NONE || self.slots[self.hand].is_session(), "the hand points to a session");
    }

    /// For how many slots, nodes of them, and owners there is room.
    pub(in crate::store::memory) fn room(&self) -> [usize; 3] {
        [self.slots.size() as usize, self.due.room(), self.owners.room()]
    }

    fn assert_list(&self, list: &List, belongs: impl Fn(&Slot) -> bool) -> u32 {
        let (mut row, mut older, mut length) = (list.oldest, NONE, 0);
        while row != NONE {
            let slot = &self.slots[row];
            assert!(belongs(slot), "a slot is in the list that it belongs to");
            assert_eq!(slot.older, older, "neighbours know each other");
            (older, row, length) = (row, slot.newer, length + 1);
        }
        assert_eq!((list.newest, list.len), (older, length));
        length
    }
}
