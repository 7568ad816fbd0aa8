//! Copies of the records that this process has read or written lately: what `near_cache` answers reads from, and
//! `outage_grace` where the store doesn't answer. Which copy may still be used is decided here; for what, is the engine's.
//!
//! A copy is used only while it is younger than the bound, and only while the store's word is: what it was told until an
//! instant that is as young has been heard (`Endings::heard_until`). So nothing is served for longer than the bound after it
//! has ended, whatever is lost on the way.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use crate::{
    record::{Record, Version},
    token::SessionId,
};

/// In how many parts the copies lie, each behind a lock of its own.
const SHARDS: usize = 64;
/// How many copies there are at most, and how many bytes of records.
const MOST: usize = 16_384;
const MOST_BYTES: usize = 32 << 20;

/// The copies of one policy.
pub(crate) struct Near {
    /// Made when the first copy is kept.
    shards: OnceLock<Shards>,
    /// Another one after each gap in what is heard.
    epoch: AtomicU64,
    /// What was told until then has been heard, in microseconds from `began` on and one; 0 if nothing is heard.
    heard: AtomicU64,
    began: Instant,
}

struct Shards {
    hasher: RandomState,
    all: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    copies: HashMap<SessionId, Copy>,
    bytes: usize,
    /// How often something was told about a session of this part.
    told: u64,
    /// What was told last, if it was of a write.
    last: Option<(SessionId, Version)>,
    /// Before that no copy is too old to be kept.
    purge_at: Option<Instant>,
}

struct Copy {
    record: Arc<Record>,
    bytes: usize,
    /// It was so at this instant, or later.
    at: Instant,
    epoch: u64,
}

/// What is noted before the store is asked, so that an answer that was overtaken by a word is not kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    at: Instant,
    epoch: u64,
    told: u64,
}

impl Default for Near {
    fn default() -> Self {
        Self {
            shards: OnceLock::new(),
            epoch: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            began: Instant::now(),
        }
    }
}

impl fmt::Debug for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Near").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Shards {
    fn new() -> Self {
        Self { hasher: RandomState::new(), all: std::array::from_fn(|_| Mutex::default()) }
    }

    fn of(&self, id: SessionId) -> MutexGuard<'_, Shard> {
        let place = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or_default();
        self.all[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Near {
    fn shard(&self, id: SessionId) -> Option<MutexGuard<'_, Shard>> {
        self.shards.get().map(|shards| shards.of(id))
    }

    /// Begins a read or a write whose record may be kept.
    pub(crate) fn note(&self, id: SessionId) -> Note {
        let told = self.shards.get_or_init(Shards::new).of(id).told;
        Note { at: Instant::now(), epoch: self.epoch.load(SeqCst), told }
    }

    /// Keeps a record that the store has answered or taken since a note, for at most so long.
    pub(crate) fn keep(
        &self,
        id: SessionId,
        note: Note,
        (record, bytes): (&Arc<Record>, usize),
        within: Duration,
    ) {
        let Some(mut shard) = self.shard(id) else { return };
        if shard.copies.get(&id).is_some_and(|copy| record.version.is_before(copy.record.version)) {
            return;
        }
        // Also where this one is not kept: who has written it reads no earlier one.
        shard.remove(id);
        let is_echo = shard.told == note.told.wrapping_add(1) && shard.last == Some((id, record.version));
        if shard.told != note.told && !is_echo {
            // What was told meanwhile may be of a later version, or of the end.
            return;
        }
        if !shard.has_room(bytes) {
            shard.purge(within);
            if !shard.has_room(bytes) {
                return;
            }
        }
        shard.bytes += bytes;
        let copy = Copy { record: Arc::clone(record), bytes, at: note.at, epoch: note.epoch };
        shard.copies.insert(id, copy);
    }

    /// Notes a use that the store has noted.
    pub(crate) fn saw(&self, id: SessionId, record: &Arc<Record>) {
        if let Some(mut shard) = self.shard(id)
            && let Some(copy) = shard.copies.get_mut(&id)
            && copy.record.version == record.version
            && copy.record.last_seen < record.last_seen
        {
            copy.record = Arc::clone(record);
        }
    }

    /// The record of a session, if it is certain that it was so at an instant within the bound.
    pub(crate) fn fresh(&self, id: SessionId, bound: Duration) -> Option<Arc<Record>> {
        let shard = self.shard(id)?;
        let copy = shard.copies.get(&id)?;
        // The epoch is looked at last: a gap is noted before anything that was missed in it could be told.
        let is_fresh =
            copy.at.elapsed() < bound && self.hears(bound) && copy.epoch == self.epoch.load(SeqCst);
        is_fresh.then(|| Arc::clone(&copy.record))
    }

    /// The record of a session as it was last known, if that is so recent.
    pub(crate) fn known(&self, id: SessionId, within: Duration) -> Option<Arc<Record>> {
        let shard = self.shard(id)?;
        let copy = shard.copies.get(&id)?;
        (copy.at.elapsed() < within).then(|| Arc::clone(&copy.record))
    }

    /// Whether it is certain that what was told until an instant within the bound has been heard.
    pub(crate) fn hears(&self, bound: Duration) -> bool {
        let heard = self.heard.load(SeqCst);
        heard > 0 && self.now().saturating_sub(heard) < u64::try_from(bound.as_micros()).unwrap_or(u64::MAX)
    }

    /// A session has ended, or may have.
    pub(crate) fn ended(&self, id: SessionId) {
        if let Some(mut shard) = self.shard(id) {
            shard.told = shard.told.wrapping_add(1);
            shard.last = None;
            shard.remove(id);
        }
    }

    /// Another version of a record was written.
    pub(crate) fn written(&self, id: SessionId, version: Version) {
        if let Some(mut shard) = self.shard(id) {
            shard.told = shard.told.wrapping_add(1);
            shard.last = Some((id, version));
            if shard.copies.get(&id).is_some_and(|copy| copy.record.version != version) {
                shard.remove(id);
            }
        }
    }

    /// Some sessions may have ended, and no one can say which.
    pub(crate) fn forget_all(&self) {
        self.has_gap();
        for shard in self.shards.get().into_iter().flat_map(|shards| &shards.all) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.told = shard.told.wrapping_add(1);
            shard.last = None;
            shard.copies.clear();
            shard.bytes = 0;
        }
    }

    /// What was told may have been missed: no copy that there is answers a read any more.
    pub(crate) fn has_gap(&self) {
        self.heard.store(0, SeqCst);
        self.epoch.fetch_add(1, SeqCst);
    }

    /// Whatever was told before this instant has been heard.
    pub(crate) fn heard_until(&self, asked: Instant) {
        let micros = asked.saturating_duration_since(self.began).as_micros();
        self.heard.fetch_max(u64::try_from(micros).unwrap_or(u64::MAX).saturating_add(1), SeqCst);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Shard {
    fn has_room(&self, bytes: usize) -> bool {
        self.copies.len() < MOST / SHARDS && self.bytes + bytes <= MOST_BYTES / SHARDS
    }

    fn remove(&mut self, id: SessionId) {
        if let Entry::Occupied(copy) = self.copies.entry(id) {
            self.bytes -= copy.remove().bytes;
        }
    }

    /// Drops what is too old to be kept.
    fn purge(&mut self, within: Duration) {
        let now = Instant::now();
        if self.purge_at.is_some_and(|then| now < then) {
            return;
        }
        self.copies.retain(|_, copy| now.duration_since(copy.at) < within);
        self.bytes = self.copies.values().map(|copy| copy.bytes).sum();
        self.purge_at = self.copies.values().map(|copy| copy.at + within).min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(3600);

    fn id(number: u8) -> SessionId {
        SessionId::new(7, [number; 16])
    }

    fn record() -> Arc<Record> {
        Arc::new(crate::record::tests::sample())
    }

    fn after(record: &Record) -> Arc<Record> {
        Arc::new(Record { version: record.version.next(), ..record.clone() })
    }

    fn hearing() -> Near {
        let near = Near::default();
        near.heard_until(Instant::now());
        near
    }

    fn version(near: &Near, number: u8) -> Option<Version> {
        near.fresh(id(number), BOUND).map(|record| record.version)
    }

    #[test]
    fn a_copy_is_used_while_it_and_the_word_are_young() {
        let (near, record) = (hearing(), record());
        near.keep(id(1), near.note(id(1)), (&record, 100), BOUND);
        assert_eq!(version(&near, 1), Some(record.version));
        assert_eq!(version(&near, 2), None);
        assert!(near.fresh(id(1), Duration::ZERO).is_none(), "it is too old");

        near.has_gap();
        assert_eq!(version(&near, 1), None, "nothing is heard");
        near.heard_until(Instant::now());
        assert_eq!(version(&near, 1), None, "it may have ended in between");
        assert!(near.known(id(1), BOUND).is_some(), "in an outage it is what is known");
        near.keep(id(1), near.note(id(1)), (&record, 100), BOUND);
        assert_eq!(version(&near, 1), Some(record.version));
    }

    #[test]
    fn without_a_word_nothing_is_used() {
        let (near, record) = (Near::default(), record());
        near.keep(id(1), near.note(id(1)), (&record, 100), BOUND);
        assert_eq!(version(&near, 1), None);
    }

    #[test]
    fn an_answer_that_a_word_has_overtaken_is_not_kept() {
        let (near, first) = (hearing(), record());
        let next = after(&first);
        for word in [Near::ended as fn(&Near, SessionId), |near, id| near.written(id, Version::first())] {
            let note = near.note(id(1));
            word(&near, id(1));
            near.keep(id(1), note, (&first, 100), BOUND);
            assert_eq!(version(&near, 1), None);
        }
        let note = near.note(id(1));
        near.written(id(1), next.version);
        near.keep(id(1), note, (&first, 100), BOUND);
        assert_eq!(version(&near, 1), None, "a later one was written");
        near.keep(id(1), note, (&next, 100), BOUND);
        assert_eq!(version(&near, 1), Some(next.version), "the word was of this very write");
        near.written(id(1), next.version);
        assert_eq!(version(&near, 1), Some(next.version));
        near.keep(id(1), near.note(id(1)), (&first, 100), BOUND);
        assert_eq!(version(&near, 1), Some(next.version), "an earlier one takes no later one's place");
        let note = near.note(id(1));
        near.written(id(1), next.version);
        near.keep(id(1), note, (&after(&next), 100), BOUND);
        assert_eq!(version(&near, 1), None, "who has written a later one reads no earlier one");
        near.keep(id(1), near.note(id(1)), (&next, 100), BOUND);
        let note = near.note(id(1));
        near.forget_all();
        near.heard_until(Instant::now());
        near.keep(id(1), note, (&next, 100), BOUND);
        assert_eq!(version(&near, 1), None, "a gap is no instant");
    }

    #[test]
    fn there_is_an_end_of_copies_and_of_bytes() {
        let (near, record) = (hearing(), record());
        let count = |near: &Near| {
            let shards = near.shards.get().unwrap();
            let shards = shards.all.iter().map(|shard| shard.lock().unwrap());
            shards.fold((0, 0), |(copies, bytes), shard| (copies + shard.copies.len(), bytes + shard.bytes))
        };
        for number in 0..3 * MOST as u128 {
            let id = SessionId::new(7, number.to_be_bytes());
            near.keep(id, near.note(id), (&record, 100), BOUND);
        }
        assert!(count(&near).0 <= MOST);
        for number in 0..3 * MOST as u128 {
            let id = SessionId::new(8, number.to_be_bytes());
            near.keep(id, near.note(id), (&record, 64 << 10), Duration::ZERO);
        }
        let (copies, bytes) = count(&near);
        assert!(bytes <= MOST_BYTES && copies > 0);
        near.forget_all();
        assert_eq!(count(&near), (0, 0));
    }
}
