//! The shards behind their locks, how full they are together, and who goes when they are full. What happens within a
//! shard is the shard's.
//!
//! A *place* is the right to store one session. It is taken before a session is inserted and given back when one goes;
//! whoever evicts a session for a newcomer hands its place over, so that no third can take it. No one holds two locks.

use std::sync::PoisonError;

use super::{
    WhenFull,
    locked::Locked,
    shard::{Census, Need, Records, Shard, Wanted},
};
use crate::{
    store::{EndReason, Loaded, Millis, Owner, Scanned, SessionId, StoreStats, Touch, Touched},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

/// How many shards there are for so many sessions. Empty ones cost about 280 bytes each.
///
/// 64 sessions a shard, whose lock is held for about a microsecond when it is resized, in up to 4,096 shards, whose locks
/// stay in a processor's cache. In a larger store up to 1,024, with as many tombstones: a quarter of a millisecond.
fn shards(max_sessions: usize) -> usize {
    let by_lock = (max_sessions / 64).next_power_of_two().clamp(16, 4_096);
    let by_size = (max_sessions / 1_024).next_power_of_two().min(BUCKETS);
    by_lock.max(by_size)
}

/// More shards than buckets would be empty.
const BUCKETS: usize = 16_384;

/// The most tombstones of a small store; a larger one has as many as sessions.
const TOMBSTONES: usize = 1024;

/// Due slots that a write looks at in its own shard: more than it adds, so that freeing keeps up.
const LOOKS_A_WRITE: usize = 4;
/// Slots that one lock is held for when freeing or evicting in another shard.
const LOOKS_A_LOCK: u32 = 32;
/// Shards that an insertion into a full store locks in each of its attempts to find room.
const LOCKS_A_STEP: usize = 64;
/// Sessions of owners among which the one that was used longest ago goes.
const SAMPLE: u32 = 128;
/// How often an insertion looks for room again when others were quicker.
const ATTEMPTS: usize = 8;

/// A shard behind its lock, in as few cache lines as hold it: a write looks into each of them.
#[derive(Debug)]
#[repr(align(64))]
struct Lock(Mutex<Shard>);

/// All shards.
#[derive(Debug)]
pub(super) struct Space {
    shards: Box<[Lock]>,
    gauges: Box<[Gauge]>,
    max_sessions: usize,
    /// Places that are taken: sessions, and insertions under way.
    places: AtomicUsize,
    tombstones: AtomicUsize,
    principals: AtomicUsize,
    anonymous: AtomicUsize,
    evicted: AtomicU64,
    /// The shards where eviction and sweeping go on.
    hand: AtomicUsize,
    broom: AtomicUsize,
}

/// What the last holder of a shard's lock found there: a hint to others, so that they lock only where it pays.
#[derive(Debug)]
struct Gauge {
    due: AtomicU64,
    anonymous: AtomicU32,
    owned: AtomicU32,
    has_excess: AtomicBool,
}

impl Space {
    /// Room for so many sessions, at least 1 and at most 2^30.
    pub(super) fn new(max_sessions: usize) -> Self {
        let max_sessions = max_sessions.clamp(1, 1 << 30);
        let shards = shards(max_sessions);
        let gauge = || Gauge {
            due: Millis::MAX.into(),
            anonymous: 0.into(),
            owned: 0.into(),
            has_excess: false.into(),
        };
        Self {
            shards: (0..shards).map(|_| Lock(Mutex::new(Shard::new()))).collect(),
            gauges: (0..shards).map(|_| gauge()).collect(),
            max_sessions,
            places: 0.into(),
            tombstones: 0.into(),
            principals: 0.into(),
            anonymous: 0.into(),
            evicted: 0.into(),
            hand: 0.into(),
            broom: 0.into(),
        }
    }

    pub(super) fn max_sessions(&self) -> usize {
        self.max_sessions
    }

    pub(super) fn stats(&self) -> StoreStats {
        StoreStats {
            sessions: self.places.load(Relaxed) as u64,
            principals: self.principals.load(Relaxed) as u64,
            evicted_for_space: self.evicted.load(Relaxed),
        }
    }

    /// Reads a session.
    pub(super) fn load(&self, id: SessionId, now: Millis) -> Loaded {
        let index = self.index(id.bucket());
        let mut shard = self.guard(index);
        match shard.live(&id, now) {
            Some(stored) => Loaded::Live(stored),
            None => Locked::new(shard, self, index, now).remains(&id, now),
        }
    }

    /// Notes a use of a session.
    pub(super) fn touch(&self, touch: &Touch) -> Touched {
        let index = self.index(touch.id.bucket());
        let mut shard = self.guard(index);
        let touched = shard.touch_live(touch);
        if touched == Touched::Gone {
            // What was judged to be dead is freed, so that no clock that is behind finds it alive.
            Locked::new(shard, self, index, touch.seen).remains(&touch.id, touch.seen);
        }
        touched
    }

    /// Locks the shard of a bucket.
    pub(super) fn lock(&self, bucket: u16, now: Millis) -> Locked<'_> {
        self.lock_shard(self.index(bucket), now)
    }

    /// Locks the shard of a bucket for a write, and frees a little there of what has expired.
    pub(super) fn lock_to_write(&self, bucket: u16, now: Millis) -> Locked<'_> {
        let mut shard = self.lock(bucket, now);
        if shard.is_due() {
            drop(shard);
            shard = self.lock_to_free(bucket, now);
            if shard.free_due(LOOKS_A_WRITE) > 0
                && let Some(wanted) = shard.excess()
            {
                drop(shard);
                self.give_room(self.index(bucket), &wanted, now);
                shard = self.lock(bucket, now);
            }
        }
        shard
    }

    /// The same for a write that may add something.
    pub(super) fn lock_to_add(&self, bucket: u16, need: Need, now: Millis) -> Locked<'_> {
        // A revocation ends as many as one step does.
        let ends = if need == Need::Revocation { LOOKS_A_LOCK as usize } else { 0 };
        let list = Records::with_capacity(ends);
        let mut shard = self.lock_to_write(bucket, now);
        while let Some(wanted) = shard.lacks(need) {
            drop(shard);
            self.give_room(self.index(bucket), &wanted, now);
            shard = self.lock(bucket, now);
        }
        shard.lend(list);
        shard
    }

    /// Gives a shard the room that it wants, if it still does.
    #[cold]
    fn give_room(&self, index: usize, wanted: &Wanted, now: Millis) {
        let mut room = wanted.make();
        self.lock_shard(index, now).move_to(&mut room);
    }

    fn lock_shard(&self, index: usize, now: Millis) -> Locked<'_> {
        Locked::new(self.guard(index), self, index, now)
    }

    /// Locks the shard of a bucket to free several records there.
    pub(super) fn lock_to_free(&self, bucket: u16, now: Millis) -> Locked<'_> {
        self.lock_shard_to_free(self.index(bucket), now)
    }

    fn lock_shard_to_free(&self, index: usize, now: Millis) -> Locked<'_> {
        let list = Records::with_capacity(LOOKS_A_LOCK as usize);
        let mut shard = self.lock_shard(index, now);
        shard.lend(list);
        shard
    }

    fn guard(&self, index: usize) -> MutexGuard<'_, Shard> {
        // No code of others runs under the lock, so that a shard is whole even if a thread died in it.
        self.shards[index].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self, bucket: u16) -> usize {
        usize::from(bucket) & (self.shards.len() - 1)
    }

    /// Takes a place if one is free.
    pub(super) fn take_place(&self) -> bool {
        let next = |places: usize| (places < self.max_sessions).then_some(places + 1);
        self.places.fetch_update(Relaxed, Relaxed, next).is_ok()
    }

    /// Runs a step that may need a place, and once more with one if there was none at first.
    ///
    /// The step is given a shard and tells `None` if it found no place.
    pub(super) fn with_room<T>(
        &self,
        (bucket, now): (u16, Millis),
        (need, when_full): (Need, WhenFull),
        step: impl Fn(&mut Locked<'_>) -> Option<T>,
    ) -> Option<T> {
        if let Some(answer) = step(&mut self.lock_to_add(bucket, need, now)) {
            return Some(answer);
        }
        if !self.make_room(need, when_full, now) {
            return None;
        }
        // A place that the step turns out not to need goes back when the lock does.
        step(&mut self.lock_to_add(bucket, need, now).with_a_place())
    }

    /// Takes a place in a full store: of an expired session, else of an anonymous one, else, for a session of an owner,
    /// of the owners' session that was used longest ago among a sample.
    fn make_room(&self, need: Need, when_full: WhenFull, now: Millis) -> bool {
        for _ in 0..ATTEMPTS {
            if self.take_place() || self.take_expired(now) {
                return true;
            }
            if when_full == WhenFull::Refuse {
                return false;
            }
            if self.anonymous.load(Relaxed) > 0 && self.take_anonymous(now) {
                return true;
            }
            if need == Need::Anonymous {
                // It must not cost anyone who is logged in their session: that is how a flood would log people out.
                return self.take_place();
            }
            if self.take_owned(now) {
                return true;
            }
        }
        false
    }

    fn take_expired(&self, now: Millis) -> bool {
        let due = |gauge: &Gauge| gauge.due.load(Relaxed) <= now;
        for index in self.from(&self.hand, due).take(LOCKS_A_STEP) {
            let mut shard = self.lock_shard_to_free(index, now);
            shard.free_due(LOOKS_A_LOCK as usize);
            if shard.keep_place() {
                return true;
            }
        }
        false
    }

    fn take_anonymous(&self, now: Millis) -> bool {
        let any = |gauge: &Gauge| gauge.anonymous.load(Relaxed) > 0;
        for force in [false, true] {
            for index in self.from(&self.hand, any).take(LOCKS_A_STEP) {
                let mut shard = self.lock_shard(index, now);
                // One look a shard, so that all of them age alike.
                self.hand.store(index + 1, Relaxed);
                if shard.evict_anonymous(force, now) && shard.keep_place() {
                    self.evicted.fetch_add(1, Relaxed);
                    return true;
                }
            }
        }
        false
    }

    fn take_owned(&self, now: Millis) -> bool {
        let any = |gauge: &Gauge| gauge.owned.load(Relaxed) > 0;
        let (mut left, mut oldest) = (SAMPLE, None::<(Millis, SessionId)>);
        for index in self.from(&self.hand, any).take(LOCKS_A_STEP) {
            let found = self.lock_shard(index, now).longest_unused(left.min(LOOKS_A_LOCK));
            oldest = oldest.into_iter().chain(found).min();
            left = left.saturating_sub(self.gauges[index].owned.load(Relaxed).min(LOOKS_A_LOCK));
            self.hand.store(index + 1, Relaxed);
            if left == 0 {
                break;
            }
        }
        let Some((_, id)) = oldest else { return false };
        let mut shard = self.lock(id.bucket(), now);
        let evicted = shard.end(&id, EndReason::Evicted, now);
        // If it was not live any more, its place may be free all the same.
        let kept = shard.keep_place();
        if evicted && kept {
            self.evicted.fetch_add(1, Relaxed);
        }
        kept
    }

    /// The live sessions of the shards from a number on, until there are enough, and the number of the next shard.
    pub(super) fn scan(&self, from: u32, limit: usize, now: Millis) -> (Vec<Scanned>, Option<u32>) {
        let mut found = Vec::new();
        for (number, index) in (from..).zip(from as usize..self.shards.len()) {
            if found.len() >= limit.max(1) {
                return (found, Some(number));
            }
            found.reserve(self.guard(index).census().live());
            self.guard(index).scan(now, &mut found);
        }
        (found, None)
    }

    /// How many sessions of an owner there are, expired ones that are not yet freed included.
    pub(super) fn count(&self, owner: &Owner) -> usize {
        self.guard(self.index(owner.bucket())).count(owner)
    }

    /// Frees at most so many expired records or tombstones, going on where the last sweep stopped, and room where there is
    /// too much.
    pub(super) fn sweep(&self, now: Millis, limit: usize) -> usize {
        let due = |gauge: &Gauge| gauge.due.load(Relaxed) <= now;
        let mut freed = 0;
        for index in self.from(&self.broom, |gauge| due(gauge) || gauge.has_excess.load(Relaxed)) {
            while freed < limit && due(&self.gauges[index]) {
                // The lock is given back in between: a sweep never holds up a request for long.
                let mut shard = self.lock_shard_to_free(index, now);
                freed += shard.free_due((LOOKS_A_LOCK as usize).min(limit - freed));
            }
            if self.gauges[index].has_excess.swap(false, Relaxed) {
                let excess = self.guard(index).excess();
                if let Some(wanted) = excess {
                    self.give_room(index, &wanted, now);
                }
            }
            if freed >= limit {
                self.broom.store(index, Relaxed);
                break;
            }
        }
        freed
    }

    /// How many of the newest tombstones, among so many new ones, are too many.
    pub(super) fn tombstones_over(&self, added: u32) -> u32 {
        let all = self.tombstones.load(Relaxed) + added as usize;
        let over = all.saturating_sub(self.max_sessions.max(TOMBSTONES));
        u32::try_from(over).unwrap_or(u32::MAX).min(added)
    }

    /// Adds up what has changed in a shard, whose lock is still held.
    ///
    /// A place that was taken and not used goes back; one that is kept stays taken.
    pub(super) fn settle(
        &self,
        index: usize,
        (before, taken): (&Census, usize),
        (after, kept): (&Census, usize),
        has_excess: bool,
    ) {
        let gauge = &self.gauges[index];
        gauge.due.store(after.due, Relaxed);
        gauge.anonymous.store(after.anonymous, Relaxed);
        gauge.owned.store(after.owned, Relaxed);
        gauge.has_excess.store(has_excess, Relaxed);
        settle(&self.places, before.live() + taken, after.live() + kept);
        settle(&self.tombstones, before.ended as usize, after.ended as usize);
        settle(&self.principals, before.principals as usize, after.principals as usize);
        settle(&self.anonymous, before.anonymous as usize, after.anonymous as usize);
    }

    /// The shards whose gauge says so, one round from where a hand stands.
    fn from(&self, hand: &AtomicUsize, wanted: impl Fn(&Gauge) -> bool) -> impl Iterator<Item = usize> {
        let (begin, mask) = (hand.load(Relaxed), self.shards.len() - 1);
        let round = (0..self.shards.len()).map(move |step| begin.wrapping_add(step) & mask);
        round.filter(move |&index| wanted(&self.gauges[index]))
    }
}

/// Adds what a number has grown by, or takes away what it has shrunk by.
fn settle(total: &AtomicUsize, before: usize, after: usize) {
    match after.cmp(&before) {
        std::cmp::Ordering::Greater => total.fetch_add(after - before, Relaxed),
        std::cmp::Ordering::Less => total.fetch_sub(before - after, Relaxed),
        std::cmp::Ordering::Equal => return,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Space {
        /// Every shard is whole, and the sums and gauges are what the shards hold. No one may be writing.
        pub(in crate::store::memory) fn assert_whole(&self) {
            let (mut sessions, mut tombstones, mut principals, mut anonymous) = (0, 0, 0, 0);
            for (shard, gauge) in self.shards.iter().zip(&self.gauges) {
                let shard = shard.0.lock().unwrap();
                shard.assert_whole();
                let census = shard.census();
                sessions += census.live();
                tombstones += census.ended as usize;
                principals += census.principals as usize;
                anonymous += census.anonymous as usize;
                let gauged =
                    (gauge.anonymous.load(Relaxed), gauge.owned.load(Relaxed), gauge.due.load(Relaxed));
                assert_eq!(gauged, (census.anonymous, census.owned, census.due));
            }
            let sums = [&self.places, &self.tombstones, &self.principals, &self.anonymous]
                .map(|sum| sum.load(Relaxed));
            assert_eq!(sums, [sessions, tombstones, principals, anonymous]);
        }

        /// For how many slots, nodes of them, and owners there is room. No one may be writing.
        pub(in crate::store::memory) fn room(&self) -> [usize; 3] {
            let rooms = self.shards.iter().map(|shard| shard.0.lock().unwrap().room());
            rooms.fold([0; 3], |sums, room| std::array::from_fn(|at| sums[at] + room[at]))
        }
    }

    #[test]
    fn an_empty_store_is_small() {
        let shard = size_of::<Lock>() + size_of::<Gauge>();
        assert!(shard <= 256 + 24, "{shard} bytes for each shard");
        assert_eq!(
            [0, 100_000, 1_000_000, 10_000_000, 1 << 30].map(shards),
            [16, 2_048, 4_096, 16_384, 16_384]
        );
    }
}
