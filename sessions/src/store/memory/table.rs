//! Rows without gaps, found by key: a vector of rows, and an index of row numbers with linear probing. Knows nothing of
//! sessions.
//!
//! Keys are random (sids) or digests (owners), and no client chooses one that is stored, so that one multiplication
//! mixes enough. The index keeps 32 bits of each key's hash, so that a look-up touches no row but the right one, and
//! neither growth nor removal touches any.

use std::ops::{Index, IndexMut};

/// The row number that stands for none.
pub(super) const NONE: u32 = u32::MAX;

/// Of room for fewer rows than this none is given back, unless there are no rows.
const SMALL: usize = 64;

/// What a [`Table`] needs of its rows.
pub(super) trait Row {
    /// What a row is found by.
    type Key: Eq;

    /// The row's key, which never changes.
    fn key(&self) -> &Self::Key;

    /// 64 bits of a key in which at least the low half differs from key to key.
    fn bits(key: &Self::Key) -> u64;
}

/// Rows of one kind. Row numbers are dense: removing a row gives its number to the last one, or, if that would be too much
/// to mend, to the next row that comes.
#[derive(Debug)]
pub(super) struct Table<R> {
    /// Where each row is; the length is zero or a power of two, and at least a quarter of the places are free, also when
    /// there is a row wherever there is room for one.
    index: Vec<Place>,
    rows: Vec<R>,
    /// Rows that are no more, whose numbers are to be given anew. The last row is none of them.
    vacant: Vec<u32>,
}

/// A place in the index: free if its row is [`NONE`].
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    row: u32,
}

const FREE: Place = Place { hash: 0, row: NONE };

/// Room for rows, and an index for as many.
#[derive(Debug)]
pub(super) struct Room<R> {
    index: Vec<Place>,
    rows: Vec<R>,
}

impl<R> Room<R> {
    pub(super) fn new(rows: usize) -> Self {
        let rows = Vec::with_capacity(rows);
        let places = match rows.capacity() {
            0 => 0,
            rows => (rows * 4 / 3 + 1).next_power_of_two(),
        };
        Self { index: vec![FREE; places], rows }
    }
}

impl<R> Table<R> {
    pub(super) const fn new() -> Self {
        Self { index: Vec::new(), rows: Vec::new(), vacant: Vec::new() }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> u32 {
        number(self.rows.len() - self.vacant.len())
    }

    /// The row of the highest number, if there is one.
    pub(super) fn last(&self) -> Option<u32> {
        self.rows.len().checked_sub(1).map(number)
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, R> {
        self.rows.iter_mut()
    }
}

impl<R: Row> Table<R> {
    /// Finds a row by its key.
    pub(super) fn find(&self, key: &R::Key) -> Option<u32> {
        if self.index.is_empty() {
            return None;
        }
        let hash = hash::<R>(key);
        let mut at = self.home(hash);
        loop {
            let place = self.index[at];
            if place.row == NONE {
                return None;
            }
            if place.hash == hash && self[place.row].key() == key {
                return Some(place.row);
            }
            at = self.after(at);
        }
    }

    /// For how many rows it needs room to add one more, if it has too little.
    pub(super) fn lacks(&self) -> Option<usize> {
        let rows = self.rows.len();
        // A quarter at a time: doubling would leave a third of a full store unused.
        (rows == self.rows.capacity() && self.vacant.is_empty()).then_some(rows + rows / 4 + 4)
    }

    /// For how many rows room is enough, if most of it is free.
    pub(super) fn excess(&self) -> Option<usize> {
        let (rows, room) = (self.rows.len(), self.rows.capacity());
        match rows {
            0 if room > 0 => Some(0),
            _ => (room >= SMALL && rows * 4 < room).then_some(rows * 2 + 4),
        }
    }

    /// Whether this room is of use: all rows have a place in it, and the table lacks room or has too much.
    fn is_served_by(&self, room: &Room<R>) -> bool {
        let (rows, room) = (self.rows.len(), room.rows.capacity());
        match self.lacks() {
            Some(_) => rows < room,
            None => self.excess().is_some() && rows <= room && room < self.rows.capacity(),
        }
    }

    /// Moves all rows into this room, if it is of use, and leaves what they were in.
    pub(super) fn move_to(&mut self, room: &mut Room<R>) {
        if !self.is_served_by(room) {
            return;
        }
        room.rows.append(&mut self.rows);
        std::mem::swap(&mut self.rows, &mut room.rows);
        std::mem::swap(&mut self.index, &mut room.index);
        for place in room.index.iter().filter(|place| place.row != NONE) {
            self.put(*place);
        }
    }

    /// Adds a row whose key is not in the table, where no room [lacks](Self::lacks), and tells its number.
    pub(super) fn push(&mut self, row: R) -> u32 {
        let hash = hash::<R>(row.key());
        let number = self.vacant.pop().unwrap_or(number(self.rows.len()));
        match self.rows.get_mut(number as usize) {
            Some(vacant) => *vacant = row,
            None => self.rows.push(row),
        }
        self.put(Place { hash, row: number });
        number
    }

    /// Removes a row. The last row takes its number: true if there was a last row that did.
    pub(super) fn swap_remove(&mut self, row: u32) -> bool {
        let last = number(self.rows.len() - 1);
        self.free(self.place_of(row));
        if row != last {
            let place = self.place_of(last);
            self.index[place].row = row;
        }
        self.rows.swap_remove(row as usize);
        while let Some(last) = self.last().filter(|last| self.vacant.contains(last)) {
            self.vacant.retain(|row| *row != last);
            self.rows.pop();
        }
        row != last
    }

    /// Removes a row that is not the last one. No row takes its number before the next one that comes.
    pub(super) fn vacate(&mut self, row: u32) {
        self.free(self.place_of(row));
        self.vacant.push(row);
    }

    fn place_of(&self, row: u32) -> usize {
        let mut at = self.home(hash::<R>(self[row].key()));
        while self.index[at].row != row {
            at = self.after(at);
        }
        at
    }

    /// Frees a place, and moves back what stands behind it only because it was taken.
    fn free(&mut self, mut gap: usize) {
        let mut at = self.after(gap);
        while self.index[at].row != NONE {
            let (home, mask) = (self.home(self.index[at].hash), self.index.len() - 1);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.index[gap] = self.index[at];
                gap = at;
            }
            at = self.after(at);
        }
        self.index[gap] = FREE;
    }

    fn put(&mut self, place: Place) {
        let mut at = self.home(place.hash);
        while self.index[at].row != NONE {
            at = self.after(at);
        }
        self.index[at] = place;
    }

    /// Where a hash is looked for first.
    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.index.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.index.len() - 1)
    }
}

fn hash<R: Row>(key: &R::Key) -> u32 {
    // Fibonacci hashing: the high half of the product depends on every lower bit.
    let mixed = R::bits(key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    u32::try_from(mixed).unwrap_or_default()
}

impl<R> Index<u32> for Table<R> {
    type Output = R;

    fn index(&self, row: u32) -> &R {
        &self.rows[row as usize]
    }
}

impl<R> IndexMut<u32> for Table<R> {
    fn index_mut(&mut self, row: u32) -> &mut R {
        &mut self.rows[row as usize]
    }
}

/// A length as a row number.
pub(super) fn number(length: usize) -> u32 {
    u32::try_from(length).expect("a store is bounded to 2^30 sessions and as many tombstones")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    impl<R> Table<R> {
        pub(in crate::store::memory) fn room(&self) -> usize {
            self.rows.capacity()
        }
    }

    struct Pair {
        key: u64,
        value: u64,
    }

    impl Row for Pair {
        type Key = u64;

        fn key(&self) -> &u64 {
            &self.key
        }
        fn bits(key: &u64) -> u64 {
            *key
        }
    }

    fn push(table: &mut Table<Pair>, row: Pair) -> u32 {
        if let Some(rows) = table.lacks() {
            table.move_to(&mut Room::new(rows));
        }
        assert!(table.lacks().is_none());
        table.push(row)
    }

    fn shrink(table: &mut Table<Pair>) {
        if let Some(rows) = table.excess() {
            table.move_to(&mut Room::new(rows));
        }
        assert!(table.excess().is_none());
    }

    #[test]
    fn every_row_is_found_after_any_order_of_pushes_and_removals() {
        let mut table = Table::<Pair>::new();
        let mut model = HashMap::new();
        let mut dice = 1_u64;
        for step in 0..20_000_u64 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Grows for a while, then shrinks, so that both directions of resizing happen.
            let (key, grow) = ((dice >> 40) % 700, (step / 2_500) % 2 == 0);
            match table.find(&key) {
                Some(row) if !grow || dice >> 62 == 0 => {
                    assert_eq!(model.remove(&key), Some(table[row].value));
                    if (dice >> 38).is_multiple_of(4) && table.last() != Some(row) {
                        table.vacate(row);
                    } else {
                        table.swap_remove(row);
                        shrink(&mut table);
                    }
                }
                None if grow || dice >> 62 == 0 => {
                    model.insert(key, step);
                    let row = push(&mut table, Pair { key, value: step });
                    assert_eq!(table[row].value, step);
                }
                found => assert_eq!(found.map(|row| table[row].value), model.get(&key).copied()),
            }
            assert_eq!(table.len() as usize, model.len());
        }
        for key in 0..700 {
            assert_eq!(table.find(&key).map(|row| table[row].value), model.get(&key).copied());
        }
    }

    #[test]
    fn room_that_came_too_late_is_left_alone() {
        let (mut table, mut early) = (Table::<Pair>::new(), Vec::new());
        for key in 0..100 {
            early.extend(table.lacks().map(Room::new));
            push(&mut table, Pair { key, value: key });
        }
        for late in &mut early {
            table.move_to(late);
            assert!(late.rows.is_empty(), "it is too little, or wanted no more");
        }
        assert!((0..100).all(|key| table.find(&key).is_some_and(|row| table[row].value == key)));
    }

    #[test]
    fn an_emptied_table_holds_no_memory() {
        let mut table = Table::<Pair>::new();
        for key in 0..5_000 {
            push(&mut table, Pair { key, value: 0 });
        }
        while table.len() > 40 {
            table.swap_remove(0);
            shrink(&mut table);
        }
        assert!(table.rows.capacity() <= 160 && table.index.len() <= 256, "most of the room is given back");
        while table.len() > 0 {
            table.swap_remove(0);
        }
        shrink(&mut table);
        assert_eq!((table.rows.capacity(), table.index.capacity()), (0, 0));
    }
}
