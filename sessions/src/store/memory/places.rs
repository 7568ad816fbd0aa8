//! Rows found by key, each in the place where its key is looked for: one array with linear probing and no index beside
//! it, so that a look-up waits for memory once. Knows nothing of sessions.
//!
//! A row's number is its place. Rows move when the array grows or shrinks and when a neighbour is removed; whoever keeps
//! numbers is told each move. Where numbers must not change so often, [`Table`](super::table::Table) serves.

use std::ops::{Index, IndexMut};

use super::table::{Row, number};

/// Rows of one kind. At least a quarter of the places are free, or as good as.
#[derive(Debug)]
pub(super) struct Places<R> {
    places: Vec<Option<R>>,
    len: u32,
}

/// How many places an array has, and how many it should have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    from: usize,
    to: usize,
}

impl Size {
    /// How many rows there may be in so many places.
    pub(super) fn rows(self) -> usize {
        self.to * 3 / 4
    }
}

/// Free places, and what is needed to move rows there; or what is left of those that rows were moved from.
#[derive(Debug)]
pub(super) struct Blank<R> {
    places: Vec<Option<R>>,
    moved: Vec<u32>,
}

impl<R> Blank<R> {
    pub(super) fn new(size: Size) -> Self {
        Self { places: (0..size.to).map(|_| None).collect(), moved: Vec::with_capacity(size.from) }
    }

    /// Where rows were moved to from here.
    pub(super) fn moved(&self) -> Moved<'_> {
        Moved(&self.moved)
    }
}

/// Where each row was moved to, by where it was. Free places have moved nowhere that means anything.
pub(super) struct Moved<'a>(&'a [u32]);

impl Moved<'_> {
    /// The new number of a row; what is the number of no row stays as it is.
    pub(super) fn to(&self, row: u32) -> u32 {
        self.0.get(row as usize).copied().unwrap_or(row)
    }
}

impl<R> Places<R> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), len: 0 }
    }

    /// How many rows there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// How many places there are: each row's number is below.
    pub(super) fn size(&self) -> u32 {
        number(self.places.len())
    }

    /// The row in a place, if one is there.
    pub(super) fn get(&self, place: u32) -> Option<&R> {
        self.places.get(place as usize)?.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &R> {
        self.places.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut R> {
        self.places.iter_mut().flatten()
    }
}

impl<R: Row> Places<R> {
    /// Finds a row by its key.
    pub(super) fn find(&self, key: &R::Key) -> Option<u32> {
        let mut at = self.home(key)?;
        while let Some(row) = &self.places[at] {
            if row.key() == key {
                return Some(number(at));
            }
            at = self.after(at);
        }
        None
    }

    /// Which size it needs for one more row, if it needs another.
    pub(super) fn lacks(&self) -> Option<Size> {
        let (rows, places) = (self.len as usize + 1, self.places.len());
        (rows * 4 > places * 3).then_some(Size { from: places, to: places + places / 2 + 4 })
    }

    /// Which size is enough, if most of it is free.
    pub(super) fn excess(&self) -> Option<Size> {
        let (rows, places) = (self.len as usize, self.places.len());
        let most_are_free = places >= 64 && rows * 5 < places;
        match rows {
            0 if places > 0 => Some(Size { from: places, to: 0 }),
            _ => most_are_free.then_some(Size { from: places, to: rows * 2 + 4 }),
        }
    }

    /// Whether these places are of use: there is room in them for all rows, and it lacks places or has too many.
    fn is_served_by(&self, blank: &Blank<R>) -> bool {
        let (rows, places) = (self.len as usize, blank.places.len());
        let is_large_enough = match self.lacks() {
            Some(_) => (rows + 1) * 4 <= places * 3,
            None => self.excess().is_some() && rows * 4 <= places * 3 && places < self.places.len(),
        };
        is_large_enough && self.places.len() <= blank.moved.capacity()
    }

    /// Moves all rows into these places, if they are of use, and leaves what they were in, which knows where they are now:
    /// whether it did.
    pub(super) fn move_to(&mut self, blank: &mut Blank<R>) -> bool {
        if !self.is_served_by(blank) {
            return false;
        }
        std::mem::swap(&mut self.places, &mut blank.places);
        for row in &mut blank.places {
            let at = row.take().map_or(0, |row| {
                let at = self.free_for(row.key());
                self.places[at] = Some(row);
                number(at)
            });
            blank.moved.push(at);
        }
        true
    }

    /// Adds a row whose key is not there yet, where no place [lacks](Self::lacks), and tells its number.
    pub(super) fn push(&mut self, row: R) -> u32 {
        let at = self.free_for(row.key());
        self.places[at] = Some(row);
        self.len += 1;
        number(at)
    }

    /// Takes a row out. Its place has to be [closed](Self::close) before anything is looked for.
    pub(super) fn remove(&mut self, row: u32) -> Option<R> {
        let removed = self.places[row as usize].take();
        self.len -= u32::from(removed.is_some());
        removed
    }

    /// Moves a row into a place that has become free, if one behind it would not be found any more; tells which, and its
    /// own place has to be closed next.
    pub(super) fn close(&mut self, gap: u32) -> Option<u32> {
        let (gap, mut at) = (gap as usize, self.after(gap as usize));
        while let Some(row) = &self.places[at] {
            let home = self.home(row.key())?;
            if self.distance(home, at) >= self.distance(gap, at) {
                self.places.swap(gap, at);
                return Some(number(at));
            }
            at = self.after(at);
        }
        None
    }

    fn free_for(&self, key: &R::Key) -> usize {
        let mut at = self.home(key).unwrap_or_default();
        while self.places[at].is_some() {
            at = self.after(at);
        }
        at
    }

    /// Where a key is looked for first.
    fn home(&self, key: &R::Key) -> Option<usize> {
        // Fibonacci hashing: the high half of the product depends on every lower bit. Its share of all values is the share
        // of the places that are before the home, so that any number of places will do.
        let hash = R::bits(key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let home = (hash * self.places.len() as u64) >> 32;
        usize::try_from(home).ok().filter(|_| !self.places.is_empty())
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.places.len() { 0 } else { at + 1 }
    }

    /// How many steps one place is behind another.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.places.len() - from }
    }
}

impl<R> Index<u32> for Places<R> {
    type Output = R;

    fn index(&self, row: u32) -> &R {
        self.places[row as usize].as_ref().expect("who keeps a row's number is told when it changes")
    }
}

impl<R> IndexMut<u32> for Places<R> {
    fn index_mut(&mut self, row: u32) -> &mut R {
        self.places[row as usize].as_mut().expect("who keeps a row's number is told when it changes")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

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
            // Few homes, so that runs are long and go round the end.
            key % 40
        }
    }

    #[test]
    fn every_row_is_found_and_known_by_its_number_after_any_order_of_changes() {
        let mut places = Places::<Pair>::new();
        let mut model = HashMap::<u64, (u64, u32)>::new();
        let mut dice = 1_u64;
        let fit = |places: &mut Places<Pair>, model: &mut HashMap<u64, (u64, u32)>, size: Option<Size>| {
            let Some(mut blank) = size.map(Blank::new) else { return };
            assert!(places.move_to(&mut blank));
            for (_, row) in model.values_mut() {
                *row = blank.moved().to(*row);
            }
        };
        for step in 0..20_000_u64 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Grows for a while, then shrinks, so that both directions of resizing happen.
            let (key, grow) = ((dice >> 40) % 300, (step / 2_500) % 2 == 0);
            match places.find(&key) {
                Some(row) if !grow || dice >> 62 == 0 => {
                    assert_eq!(model.remove(&key), Some((places[row].value, row)));
                    places.remove(row);
                    let mut gap = row;
                    while let Some(from) = places.close(gap) {
                        let moved = model.values_mut().find(|(_, row)| *row == from);
                        moved.expect("a row that moves is one").1 = gap;
                        gap = from;
                    }
                    let size = places.excess();
                    fit(&mut places, &mut model, size);
                }
                None if grow || dice >> 62 == 0 => {
                    let size = places.lacks();
                    fit(&mut places, &mut model, size);
                    let row = places.push(Pair { key, value: step });
                    model.insert(key, (step, row));
                }
                found => assert_eq!(found, model.get(&key).map(|(_, row)| *row)),
            }
            assert_eq!(places.len() as usize, model.len());
        }
        for key in 0..300 {
            let found = places.find(&key).map(|row| (places[row].value, row));
            assert_eq!(found, model.get(&key).copied());
        }
    }

    #[test]
    fn places_that_came_too_late_are_left_alone() {
        let (mut places, mut early) = (Places::<Pair>::new(), Vec::new());
        for key in 0..100 {
            while let Some(size) = places.lacks() {
                early.push(Blank::new(size));
                assert!(places.move_to(&mut Blank::new(size)));
            }
            places.push(Pair { key, value: key });
        }
        for late in &mut early {
            assert!(!places.move_to(late), "they are too few, or wanted no more");
        }
        assert!((0..100).all(|key| places.find(&key).is_some_and(|row| places[row].value == key)));
    }

    #[test]
    fn an_emptied_array_holds_no_memory() {
        let mut places = Places::<Pair>::new();
        let fit = |places: &mut Places<Pair>, size: Option<Size>| {
            if let Some(mut blank) = size.map(Blank::new) {
                assert!(places.move_to(&mut blank));
            }
        };
        for key in 0..5_000 {
            let size = places.lacks();
            fit(&mut places, size);
            places.push(Pair { key, value: 0 });
        }
        assert!(places.size() < 10_000, "{}", places.size());
        for key in 0..5_000 {
            let row = places.find(&key).expect("it was added");
            places.remove(row);
            let mut gap = row;
            while let Some(from) = places.close(gap) {
                gap = from;
            }
            let size = places.excess();
            fit(&mut places, size);
            assert!(places.len() < 64 || places.size() <= places.len() * 5 + 1);
        }
        assert_eq!(places.places.capacity(), 0);
    }
}
