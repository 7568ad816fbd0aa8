//! Which row is due first: a binary heap with exactly one node a row. What being due means is the shard's.
//!
//! A row knows its node, so that it can be removed or moved forward at once. Moving a row back is lazy: its node stays
//! where it is, and whoever meets it there moves it. So a touch costs nothing here.

use std::ops::IndexMut;

use super::{
    places::Moved,
    table::{NONE, number},
};
use crate::store::Millis;

/// What a [`Due`] needs of its rows.
pub(super) trait Queued {
    /// Where the row's node is, [`NONE`] if it has none: the heap's own field in the row.
    fn position(&self) -> u32;

    /// Notes where the row's node is.
    fn set_position(&mut self, position: u32);
}

/// The rows that a [`Due`] orders, by number.
pub(super) trait Rows: IndexMut<u32, Output: Queued> {}

impl<T: IndexMut<u32, Output: Queued>> Rows for T {}

#[derive(Clone, Copy, Debug)]
struct Node {
    at: Millis,
    row: u32,
}

/// Room for nodes.
#[derive(Debug)]
pub(super) struct Nodes(Vec<Node>);

impl Nodes {
    pub(super) fn new(nodes: usize) -> Self {
        Self(Vec::with_capacity(nodes))
    }
}

/// Rows, the earliest first.
#[derive(Debug)]
pub(super) struct Due {
    nodes: Vec<Node>,
    /// The time of the first node, here so that asking for it does not reach into the heap's memory.
    earliest: Millis,
}

impl Due {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), earliest: Millis::MAX }
    }

    pub(super) fn len(&self) -> u32 {
        number(self.nodes.len())
    }

    /// For how many nodes it needs room to add one more, if it has too little.
    pub(super) fn lacks(&self) -> Option<usize> {
        let nodes = self.nodes.len();
        (nodes == self.nodes.capacity()).then_some(nodes * 2 + 4)
    }

    /// For how many nodes room is enough, if most of it is free.
    pub(super) fn excess(&self) -> Option<usize> {
        let nodes = self.nodes.len();
        (nodes * 4 < self.nodes.capacity()).then_some(nodes * 2)
    }

    /// Moves all nodes into this room, if it is large enough, and leaves what they were in.
    pub(super) fn move_to(&mut self, room: &mut Nodes) {
        if room.0.capacity() >= self.nodes.len() {
            room.0.append(&mut self.nodes);
            std::mem::swap(&mut self.nodes, &mut room.0);
        }
    }

    /// When the first row is due, at the earliest.
    pub(super) fn at(&self) -> Millis {
        self.earliest
    }

    /// The first row, if it may be due by now.
    pub(super) fn first(&self, now: Millis) -> Option<u32> {
        if self.earliest > now {
            return None;
        }
        self.nodes.first().map(|node| node.row)
    }

    /// Adds a row that is not in the heap.
    pub(super) fn push(&mut self, rows: &mut impl Rows, row: u32, at: Millis) {
        self.nodes.push(Node { at, row });
        self.rise(rows, self.nodes.len() - 1);
    }

    /// Moves a row to another time.
    pub(super) fn set(&mut self, rows: &mut impl Rows, row: u32, at: Millis) {
        let position = rows[row].position() as usize;
        let before = std::mem::replace(&mut self.nodes[position].at, at);
        if at < before {
            self.rise(rows, position);
        } else {
            self.sink(rows, position);
        }
    }

    /// Moves a row forward if it stands behind a time.
    pub(super) fn no_later_than(&mut self, rows: &mut impl Rows, row: u32, at: Millis) {
        if at < self.nodes[rows[row].position() as usize].at {
            self.set(rows, row, at);
        }
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, rows: &mut impl Rows, row: u32) {
        let position = rows[row].position() as usize;
        self.nodes.swap_remove(position);
        rows[row].set_position(NONE);
        if position < self.nodes.len() {
            self.rise(rows, position);
            self.sink(rows, rows[self.nodes[position].row].position() as usize);
        }
        if self.nodes.is_empty() {
            self.earliest = Millis::MAX;
        }
    }

    /// Notes that the row of this node has another number now.
    pub(super) fn renumber(&mut self, position: u32, row: u32) {
        self.nodes[position as usize].row = row;
    }

    /// Notes that all rows have other numbers now.
    pub(super) fn renumber_all(&mut self, moved: &Moved<'_>) {
        for node in &mut self.nodes {
            node.row = moved.to(node.row);
        }
    }

    fn rise(&mut self, rows: &mut impl Rows, mut position: usize) {
        let node = self.nodes[position];
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.nodes[parent].at <= node.at {
                break;
            }
            self.put(rows, position, self.nodes[parent]);
            position = parent;
        }
        self.put(rows, position, node);
    }

    fn sink(&mut self, rows: &mut impl Rows, mut position: usize) {
        let node = self.nodes[position];
        loop {
            let mut child = 2 * position + 1;
            if child + 1 < self.nodes.len() && self.nodes[child + 1].at < self.nodes[child].at {
                child += 1;
            }
            if child >= self.nodes.len() || self.nodes[child].at >= node.at {
                break;
            }
            self.put(rows, position, self.nodes[child]);
            position = child;
        }
        self.put(rows, position, node);
    }

    fn put(&mut self, rows: &mut impl Rows, position: usize, node: Node) {
        self.nodes[position] = node;
        if position == 0 {
            self.earliest = node.at;
        }
        rows[node.row].set_position(number(position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Due {
        pub(in crate::store::memory) fn room(&self) -> usize {
            self.nodes.capacity()
        }

        /// Every node is behind its parent and known to its row; `at` is when a row is due, at the earliest.
        pub(in crate::store::memory) fn assert_whole<R: Rows>(
            &self,
            rows: &R,
            at: impl Fn(&R::Output) -> Millis,
        ) {
            assert_eq!(self.earliest, self.nodes.first().map_or(Millis::MAX, |node| node.at));
            for (position, node) in self.nodes.iter().enumerate() {
                assert!(self.nodes[position.saturating_sub(1) / 2].at <= node.at, "a heap");
                assert_eq!(rows[node.row].position(), number(position), "a node is known to its row");
                assert!(node.at <= at(&rows[node.row]), "no row is due before its node");
            }
        }
    }
}
