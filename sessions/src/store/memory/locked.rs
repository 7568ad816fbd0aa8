//! A shard under its lock, and the sums of all shards kept right: nothing that changes a shard can forget to count.

use std::ops::{Deref, DerefMut};

use super::{
    shard::{Census, Freed, NotYet, Shard},
    space::Space,
};
use crate::{
    store::{Admit, Admitted, Cas, CasOutcome, Millis},
    sync::MutexGuard,
};

/// A shard under its lock. What has changed is added up when the lock is given back, and not before.
pub(super) struct Locked<'a> {
    shard: MutexGuard<'a, Shard>,
    space: &'a Space,
    index: usize,
    now: Millis,
    before: Census,
    /// Places that were taken for what is inserted here.
    taken: usize,
    /// Places of what was removed here that are handed over to someone else.
    kept: usize,
    /// What was freed here. Fields are dropped in order: after the shard's lock was given back.
    freed: Freed,
}

impl<'a> Locked<'a> {
    pub(super) fn new(shard: MutexGuard<'a, Shard>, space: &'a Space, index: usize, now: Millis) -> Self {
        let before = shard.census();
        Self { shard, space, index, now, before, taken: 0, kept: 0, freed: Freed::default() }
    }

    /// Brings along a place that was taken before.
    pub(super) fn with_a_place(mut self) -> Self {
        self.taken = 1;
        self
    }

    /// Whether something may be due, so that [`free_due`](Self::free_due) is of use.
    pub(super) fn is_due(&self) -> bool {
        self.before.due <= self.now
    }

    /// Frees what is due, looking at no more than so many nodes, and tells how many records and tombstones it freed.
    pub(super) fn free_due(&mut self, looks: usize) -> usize {
        self.shard.free_due(self.now, looks)
    }

    /// Writes what [`Cas`] says; `None` if that needs a place and none is free.
    pub(super) fn cas(&mut self, write: &Cas) -> Option<CasOutcome> {
        let (shard, room) = self.with_place();
        shard.cas(write, room)
    }

    /// Admits a session, unless it has to be asked for again.
    pub(super) fn admit(&mut self, admit: &Admit) -> Result<Admitted, NotYet> {
        let (shard, room) = self.with_place();
        shard.admit(admit, room)
    }

    /// The shard, and what takes a place for an insertion there unless one was brought along.
    fn with_place(&mut self) -> (&mut Shard, impl FnOnce() -> bool) {
        let (space, taken) = (self.space, &mut self.taken);
        let room = move || {
            if *taken == 0 && space.take_place() {
                *taken = 1;
            }
            *taken > 0
        };
        (&mut self.shard, room)
    }

    /// Keeps the place of one of the sessions that went under this lock, if there is one.
    pub(super) fn keep_place(&mut self) -> bool {
        if self.shard.census().live() < self.before.live() {
            self.kept = 1;
        }
        self.kept > 0
    }

    /// Forgets as many old tombstones as the new ones are over what all shards may have.
    fn bound_tombstones(&mut self) {
        let added = self.shard.census().ended.saturating_sub(self.before.ended);
        if added > 0 {
            self.shard.forget_ended(self.space.tombstones_over(added), self.now);
        }
    }
}

impl Deref for Locked<'_> {
    type Target = Shard;

    fn deref(&self) -> &Shard {
        &self.shard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.bound_tombstones();
        self.freed = self.shard.take_freed();
        let after = self.shard.census();
        if self.before != after || self.taken != self.kept {
            let has_excess = self.shard.excess().is_some();
            self.space.settle(self.index, (&self.before, self.taken), (&after, self.kept), has_excess);
        }
    }
}
