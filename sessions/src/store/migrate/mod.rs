//! Moving sessions from one store to another while they are used. This file is the contract's side of it: which store is
//! asked, and what is asked of both. `journal` is what the nodes agree on, `lease` how each of them knows it, `follow` how one
//! store follows the other, `login` how it does with logins, `run` who moves the sessions, `copy` one session or owner,
//! `progress` what is told of it.
//!
//! # Who decides
//! At each instant exactly one store decides every operation; the other only follows. A **journal**, one record in the old
//! store, changed by compare-and-set alone, says which:
//!
//! | phase | reads | decides writes | the new store |
//! |---|---|---|---|
//! | not begun | old | old | isn't touched |
//! | copying | old | old | has a write before it is acknowledged, or the phase goes back to *not begun* first |
//! | closing | old | none: writes wait, about a second, and endings go to both | |
//! | done | new | new | decides; the old one isn't asked any more |
//!
//! A node knows the phase by a **lease**: it has read the journal less than 600 ms ago, by its own monotonic clock. Its writes
//! to the old store carry a deadline within the lease, so none is applied after it; an answer that comes later counts
//! only if the journal still says so. Between *closing* and *done* there is longer than any lease, so when the first node
//! decides by the new store, no write can be applied to the old one. Clocks of machines need not agree.
//!
//! # Why nothing is lost, and nothing revived
//! - *Updates.* From the start of *copying* on, plus a lease, every acknowledged write is in the new store too. One that can't
//!   be brought there, since that store is away, first sets the journal back, and the copy begins anew. A follower compares
//!   and sets as every write does: it replaces exactly the version that the old store replaced, or else reads what the old
//!   store has by now. What inserts looks at the old store again afterwards.
//! - *Endings* go to the new store first. Where that doesn't know the session yet, it is given a tombstone, so that no
//!   copy that is under way can bring the session back. What ended before the migration began is not copied, and at least
//!   the time of a tombstone passes before *done*, so that no write from before meets an empty place.
//! - *Limits.* The old store admits every login until *done*, the new one every login after. The new one has then the same
//!   sessions of each owner in the same order, because an owner's sessions are copied in the order of their logins, and a
//!   new login follows only behind those before it. Once all has been copied it brings them along where they are missing:
//!   they logged in at the same time, or their node died. Before anyone is brought, what has ended in the old store, such as
//!   those that a login there has evicted, is ended in the new one.
//! - *Verified* means: a whole pass in which every session of the old store was the same in the new one, and one
//!   in which every session of the new one was live in the old one. It comes last, before *closing*.
//!
//! A node or a migration may die at any instant. The journal keeps the place, so another run goes on from there. A closing
//! that its run has left alone is opened again by the first node that waits.
//!
//! What no node has acknowledged may be lost, as always: a write whose node died before it answered can be seen before
//! *done* and be gone after it. Nodes that know only the old store may run until the migration begins, and those that
//! know only the new one from *done* on.

mod copy;
mod follow;
mod journal;
mod lease;
mod login;
mod progress;
mod run;

use std::{fmt, sync::Arc, time::Duration};

use self::lease::Lookout;
pub use self::{
    journal::MigrationPhase,
    progress::Progress,
    run::{MigrateError, Migration},
};
use super::{
    Admit, Admitted, Bookmark, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, Scan, SessionId,
    SessionStore, SharedStore, StoreError, StoreStats, Touch, Touched,
};
use crate::clock::{Clock, SystemClock, Time};

/// Keeps sessions in one store and moves them to another while they are used. Clones are one store.
///
/// Every node uses it, over the same two stores, before [`migration`](Self::migration) is run by any one of them, or by
/// `sessions migrate`. `stores.NAME.migrate_from` makes it of two declared stores. Until the migration has begun it is the
/// old store, and costs one more read of it every 200 ms; afterwards it is the new one.
///
/// While sessions are copied, a write takes one more step, to the new store, and a login three. If the new store is away, the
/// old one goes on alone and the copy begins anew when it is back.
///
/// It has no [outbox](SessionStore::outbox) and tells of no endings, as no one of the two has all: sockets are looked for,
/// and `near_cache` keeps no copies. From a `RedisStore` nothing can be moved under an
/// [`index_key`](crate::SessionEngineBuilder::index_key): its records don't tell whose they are. The check of the settings
/// refuses both.
///
/// # Example
/// ```
/// use sessions::{MemoryStore, store::{MigratingStore, SessionStore, SharedStore}};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let (old, new) = (MemoryStore::new(1_000), MemoryStore::new(1_000));
/// let store = MigratingStore::new(SharedStore::new(old), SharedStore::new(new));
/// assert_eq!(store.progress().await?.copied, 0);
/// # Ok::<_, sessions::store::StoreError>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MigratingStore {
    both: Arc<Both>,
}

/// The two stores, and what is known of the journal.
pub(super) struct Both {
    from: SharedStore,
    to: SharedStore,
    time: Time,
    pace: Pace,
    lookout: Lookout,
}

/// How long things take. All nodes have to have the same.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// For how long a node may go by what it has read in the journal.
    lease: Duration,
    /// What is waited in addition, for clocks that don't run alike.
    margin: Duration,
    /// From the beginning of a copy to its end at least.
    settle: Duration,
    /// How long a run must have been silent before another takes its place.
    silence: Duration,
}

impl Pace {
    const USUAL: Self = Self {
        lease: Duration::from_millis(600),
        margin: Duration::from_millis(300),
        settle: Duration::from_millis(super::TOMBSTONE_MS),
        silence: Duration::from_secs(5),
    };

    /// When no node goes by anything any more that it read before the journal was changed.
    fn until_all_know(&self) -> Duration {
        self.lease + self.margin
    }
}

impl MigratingStore {
    /// The store `from` on its way to `to`.
    pub fn new(from: SharedStore, to: SharedStore) -> Self {
        Self::with_clock(from, to, Arc::new(SystemClock::new()))
    }

    /// The same by another clock than the system's: that of the engines that use it.
    pub fn with_clock(from: SharedStore, to: SharedStore, clock: Arc<dyn Clock>) -> Self {
        Self::paced(from, to, clock, Pace::USUAL)
    }

    fn paced(from: SharedStore, to: SharedStore, clock: Arc<dyn Clock>, pace: Pace) -> Self {
        let (time, lookout) = (Time::new(clock), Lookout::default());
        Self { both: Arc::new(Both { from, to, time, pace, lookout }) }
    }

    /// One for tests, which waits for tens of milliseconds where others wait for seconds. Every node needs the same.
    #[cfg(any(test, feature = "testing"))]
    pub fn hasty(from: SharedStore, to: SharedStore, clock: Arc<dyn Clock>) -> Self {
        let [lease, margin, silence] = [150, 75, 500].map(Duration::from_millis);
        Self::paced(from, to, clock, Pace { lease, margin, settle: Duration::ZERO, silence })
    }

    /// The move itself, to be run by one process.
    pub fn migration(&self) -> Migration {
        Migration::new(Arc::clone(&self.both))
    }

    /// How far the migration has come, whichever process runs it.
    ///
    /// # Errors
    /// [`StoreError`] if the journal can't be read.
    pub async fn progress(&self) -> Result<Progress, StoreError> {
        Ok(self.both.look().await?.progress())
    }
}

impl fmt::Debug for MigratingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Both { from, to, .. } = &*self.both;
        f.debug_struct("MigratingStore").field("from", from).field("to", to).finish_non_exhaustive()
    }
}

/// Asks the store that decides, and again if it may have ceased to before it answered.
macro_rules! read {
    ($both:expr, $store:ident => $call:expr) => {{
        loop {
            let lease = $both.lease().await?;
            let $store = if lease.is_done() { &$both.to } else { &$both.from };
            let answer = $call.await;
            if lease.is_done() || $both.still_decides(&lease).await? {
                break answer;
            }
        }
    }};
}

impl SessionStore for MigratingStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        read!(self.both, store => store.load(id, now))
    }

    async fn load_many(&self, ids: &[SessionId], now: Millis) -> Vec<Result<Loaded, StoreError>> {
        let loaded = async { Ok::<_, StoreError>(read!(self.both, store => store.load_many(ids, now))) };
        let refused = || ids.iter().map(|_| Err(StoreError::Unavailable(None))).collect();
        loaded.await.unwrap_or_else(|_| refused())
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.both.cas(write).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.both.touch(touch).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.both.admit(admit).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.both.end(end).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        read!(self.both, store => store.list(owner, after, limit, now))
    }

    /// Sweeps the store that decides, and the other along with it while it follows.
    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        let lease = self.both.lease().await?;
        if lease.is_done() {
            return self.both.to.sweep(now, limit).await;
        }
        if lease.is_copying() {
            // What stays is freed with the next sweep.
            let _ = self.both.to.sweep(now, limit).await;
        }
        self.both.from.sweep(now, limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let mut stats = read!(self.both, store => store.stats())?;
        // The journal is no session.
        stats.sessions = stats.sessions.saturating_sub(1);
        Ok(stats)
    }

    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        read!(self.both, store => store.scan(from, limit, now))
    }

    fn remembers_owners(&self) -> bool {
        self.both.from.remembers_owners() && self.both.to.remembers_owners()
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        let (old, new) = (self.both.from.shutdown().await, self.both.to.shutdown().await);
        old.and(new)
    }
}
