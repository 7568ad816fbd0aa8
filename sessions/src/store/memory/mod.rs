//! The store in this process's memory: bounded, sharded, indexed by owner. This file is the contract's side of it;
//! `space` holds the shards and their bound, `locked` adds up what changes, `shard` is what is under one lock, and
//! `slot`, `owner`, `list`, `places`, `table` and `due` are what it is made of.
//!
//! Every operation is one step under one lock, never across an await. Expiry is exact: what has expired is absent to
//! every operation, whether or not it has been freed. Freeing needs no task in the background, since each write frees a
//! little; [`sweep`](SessionStore::sweep) only makes it sooner.

mod due;
mod list;
mod locked;
mod owner;
mod places;
mod shard;
mod slot;
mod space;
mod table;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, thread};

pub use sessions_policy::WhenFull;

use self::{
    locked::Locked,
    shard::{A_STEP, Need, NotYet},
    space::Space,
};
use super::{
    Admit, Admitted, Bookmark, Cas, CasOutcome, End, EndTarget, Ended, Expected, Listed, Loaded, Millis,
    Owner, Scan, SessionId, SessionStore, StoreError, StoreStats, Touch, Touched,
};

/// Keeps sessions in memory, at most so many. Clones share them.
///
/// A restart loses them, and other processes don't see them. Memory is bounded: an anonymous session that arrives at a
/// full store takes the place of another anonymous one, and never of an authenticated one.
///
/// After it has expired, a session answers [`Loaded::Ended`] with [`EndReason::Expired`](super::EndReason::Expired) for
/// [`TOMBSTONE_MS`](super::TOMBSTONE_MS), then [`Loaded::Absent`].
///
/// # Example
/// ```
/// use sessions::store::{MemoryStore, SessionStore, WhenFull};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let store = MemoryStore::new(100_000).when_full(WhenFull::Refuse);
/// assert_eq!(store.stats().await?.sessions, 0);
/// # Ok::<_, sessions::store::StoreError>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    space: Arc<Space>,
    when_full: WhenFull,
}

impl MemoryStore {
    /// A store of at most so many sessions: at least 1, at most 2^30. It evicts when it is full.
    pub fn new(max_sessions: usize) -> Self {
        Self { space: Arc::new(Space::new(max_sessions)), when_full: WhenFull::Evict }
    }

    /// The same store; this is what becomes of a session that arrives through this handle, or its clones, when the store
    /// is full and nothing in it has expired.
    ///
    /// - [`WhenFull::Evict`]: an anonymous session goes, one that was not used lately if there is one. If there are none,
    ///   an authenticated newcomer takes the place of a session that was used longest ago among a sample, and an
    ///   anonymous one is refused.
    /// - [`WhenFull::Refuse`]: the newcomer is refused, whoever it is.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// [`load`](SessionStore::load), which never waits.
    pub(super) fn load_now(&self, id: SessionId, now: Millis) -> Loaded {
        self.space.load(id, now)
    }

    /// [`cas`](SessionStore::cas), which never waits.
    pub(super) fn cas_now(&self, write: &Cas) -> Result<CasOutcome, StoreError> {
        same_bucket(write.id, write.owner)?;
        if write.deadline < write.now {
            return Ok(CasOutcome::Late);
        }
        Ok(match write.expected {
            Expected::Absent => self.insert(write),
            Expected::Version(_) => {
                let answer = self.space.lock_to_write(write.id.bucket(), write.now).cas(write);
                answer.unwrap_or(CasOutcome::Full)
            }
        })
    }

    /// [`admit`](SessionStore::admit), which never waits.
    pub(super) fn admit_now(&self, admit: &Admit) -> Result<Admitted, StoreError> {
        same_bucket(admit.id, Some(admit.owner))?;
        if admit.deadline < admit.now {
            return Ok(Admitted::Late);
        }
        let place = (admit.id.bucket(), admit.now);
        loop {
            let step = |shard: &mut Locked<'_>| match shard.admit(admit) {
                Err(NotYet::NoPlace) => None,
                answer => Some(answer.ok()),
            };
            match self.space.with_room(place, (Need::Owned, self.when_full), step) {
                Some(Some(admitted)) => return Ok(admitted),
                Some(None) => thread::yield_now(),
                None => return Ok(Admitted::Full),
            }
        }
    }

    /// Ends the sessions of an owner. If they are many, the lock is given back in between; who comes then is judged by the
    /// last step, which is the revocation.
    fn end_owner(&self, (owner, except): (Owner, Option<SessionId>), end: &End) -> Vec<SessionId> {
        let (reason, now) = (end.reason, end.now);
        let mut ended = Vec::new();
        loop {
            ended.reserve(A_STEP);
            let mut shard = self.space.lock_to_free(owner.bucket(), now);
            if !shard.end_some_of(&owner, except, (reason, now), &mut ended) {
                break;
            }
            drop(shard);
            thread::yield_now();
        }
        let mut shard = self.space.lock_to_add(owner.bucket(), Need::Revocation, now);
        let mut rest = shard.end_owner(owner, except, reason, (now, end.stamp));
        drop(shard);
        ended.append(&mut rest);
        ended
    }

    /// [`end`](SessionStore::end), which never waits.
    pub(super) fn end_now(&self, end: &End) -> Ended {
        let ids = match end.target {
            EndTarget::Session { id, .. } => {
                let was_live = self.space.lock_to_write(id.bucket(), end.now).end(&id, end.reason, end.now);
                was_live.then_some(id).into_iter().collect()
            }
            EndTarget::Owner { owner, except } => self.end_owner((owner, except), end),
        };
        Ended { ids }
    }

    fn insert(&self, write: &Cas) -> CasOutcome {
        let need = Need::session_of(write.owner);
        let place = (write.id.bucket(), write.now);
        let stored = self.space.with_room(place, (need, self.when_full), |shard| shard.cas(write));
        stored.unwrap_or(CasOutcome::Full)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("max_sessions", &self.space.max_sessions())
            .field("when_full", &self.when_full)
            .field("stats", &self.space.stats())
            .finish()
    }
}

impl SessionStore for MemoryStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        Ok(self.load_now(id, now))
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.cas_now(&write)
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        Ok(self.space.touch(&touch))
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.admit_now(&admit)
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        Ok(self.end_now(&end))
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        let mut listed = Vec::with_capacity(limit.min(self.space.count(&owner)));
        loop {
            let mut shard = self.space.lock_to_free(owner.bucket(), now);
            if shard.list(&owner, after, (limit, &mut listed), now) {
                break;
            }
            drop(shard);
            listed.clear();
            thread::yield_now();
        }
        Ok(listed)
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        Ok(self.space.sweep(now, limit))
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        Ok(self.space.stats())
    }

    /// Some shards a page, each as it is in one instant.
    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        let number = from.and_then(|from| Some(u32::from_be_bytes(*from.as_bytes().first_chunk()?)));
        let (sessions, next) = self.space.scan(number.unwrap_or(0), limit, now);
        Ok(Scan { sessions, next: next.map(|next| Bookmark::new(next.to_be_bytes())) })
    }

    fn remembers_owners(&self) -> bool {
        true
    }
}

/// Limits and revocations look for an owner's sessions in the owner's bucket: one elsewhere would escape them.
fn same_bucket(id: SessionId, owner: Option<Owner>) -> Result<(), StoreError> {
    if owner.is_none_or(|owner| owner.bucket() == id.bucket()) {
        return Ok(());
    }
    let cause = "the session's id is not in the bucket of its owner: mint it for this owner";
    Err(StoreError::Unavailable(Some(cause.into())))
}
