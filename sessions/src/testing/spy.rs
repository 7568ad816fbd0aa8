//! A store that watches another: it counts the calls, keeps every record, and is slow or fails when it is told to.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::ManualClock;
use crate::{
    clock::Clock,
    store::{
        Admit, Admitted, Bookmark, Cas, CasOutcome, End, Ended, Endings, Listed, Loaded, Millis, Owner, Scan,
        SessionId, SessionStore, StoreError, StoreStats, Stored, Touch, Touched,
    },
};

/// An operation of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// [`SessionStore::load`]
    Load,
    /// [`SessionStore::cas`]
    Cas,
    /// [`SessionStore::touch`]
    Touch,
    /// [`SessionStore::admit`]
    Admit,
    /// [`SessionStore::end`]
    End,
    /// [`SessionStore::list`]
    List,
    /// [`SessionStore::sweep`]
    Sweep,
    /// [`SessionStore::stats`]
    Stats,
    /// [`SessionStore::load_many`]
    LoadMany,
    /// [`SessionStore::scan`]
    Scan,
}

const OPERATIONS: usize = 10;

/// How often a store was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; OPERATIONS]);

impl Counts {
    /// The calls of one operation.
    pub fn of(&self, operation: Operation) -> u64 {
        self.0[operation as usize]
    }

    /// The calls that read for a request or an operator: loads, lists and counts.
    pub fn reads(&self) -> u64 {
        let operations =
            [Operation::Load, Operation::LoadMany, Operation::List, Operation::Stats, Operation::Scan];
        operations.map(|operation| self.of(operation)).iter().sum()
    }

    /// The calls that change what a request is about. A sweep is none.
    pub fn writes(&self) -> u64 {
        let operations = [Operation::Cas, Operation::Touch, Operation::Admit, Operation::End];
        operations.map(|operation| self.of(operation)).iter().sum()
    }

    /// Reads and writes.
    pub fn totals(&self) -> (u64, u64) {
        (self.reads(), self.writes())
    }
}

/// Watches a store. Clones are one: they watch and fail together.
///
/// ```
/// use sessions::{MemoryStore, SessionEngine, SessionPolicy, SharedStore, testing::SpyStore};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let spy = SpyStore::new(MemoryStore::new(100));
/// let engine = SessionEngine::new(SessionPolicy::user_default(), SharedStore::new(spy.clone()));
/// engine.resolve(&http::Request::new(())).await?;
/// assert_eq!(spy.take_counts().totals(), (0, 0), "a visitor without a cookie costs nothing");
///
/// spy.set_down(true);
/// # Ok::<_, sessions::SessionError>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct SpyStore<S> {
    store: Arc<S>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    calls: [AtomicU64; OPERATIONS],
    under_way: AtomicU64,
    fail_next: [AtomicBool; OPERATIONS],
    down: AtomicBool,
    slow: AtomicBool,
    hanging: AtomicBool,
    panicking: AtomicBool,
    corrupt: AtomicBool,
    lost: Mutex<Option<Fate>>,
    lag: Mutex<Option<(ManualClock, Duration)>>,
    records: Mutex<Vec<Arc<[u8]>>>,
}

impl<S> Clone for SpyStore<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), shared: Arc::clone(&self.shared) }
    }
}

/// What becomes of a write whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is applied at once.
    Applied,
    /// It is applied after this time, long after everyone has given up waiting.
    AppliedLater(Duration),
}

impl<S> SpyStore<S> {
    /// Watches a store.
    pub fn new(store: S) -> Self {
        Self { store: Arc::new(store), shared: Arc::default() }
    }

    /// The watched store, to call it unseen.
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// The calls since the last look.
    pub fn take_counts(&self) -> Counts {
        Counts(std::array::from_fn(|operation| self.shared.calls[operation].swap(0, Ordering::SeqCst)))
    }

    /// How many calls are being answered. What goes on without its caller may be between two of them.
    pub fn under_way(&self) -> u64 {
        self.shared.under_way.load(Ordering::SeqCst)
    }

    /// Every record that the store was ever given, in order.
    pub fn records(&self) -> Vec<Arc<[u8]>> {
        self.shared.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on every call fails with [`StoreError::Unavailable`], or none.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// The next call of this operation fails with [`StoreError::Unavailable`].
    pub fn fail_next(&self, operation: Operation) {
        self.shared.fail_next[operation as usize].store(true, Ordering::SeqCst);
    }

    /// From now on every call yields a few times before it works, as one over a network does, and a load once more before it
    /// answers.
    pub fn set_slow(&self, slow: bool) {
        self.shared.slow.store(slow, Ordering::SeqCst);
    }

    /// From now on every call hangs, or none.
    pub fn set_hanging(&self, hanging: bool) {
        self.shared.hanging.store(hanging, Ordering::SeqCst);
    }

    /// From now on every record that is loaded or listed is garbage.
    pub fn set_corrupt(&self, corrupt: bool) {
        self.shared.corrupt.store(corrupt, Ordering::SeqCst);
    }

    /// From now on every `cas` and `admit` takes so long by this clock, and one that comes after its deadline is too late.
    pub fn set_lag(&self, clock: &ManualClock, lag: Duration) {
        let lag = Some((clock.clone(), lag));
        *self.shared.lag.lock().unwrap_or_else(PoisonError::into_inner) = lag;
    }

    /// From now on every `cas` panics, or none.
    pub fn set_panicking(&self, panicking: bool) {
        self.shared.panicking.store(panicking, Ordering::SeqCst);
    }

    /// The answer to the next `cas` is lost: whoever waits for it learns nothing.
    pub fn lose_next_write(&self, fate: Fate) {
        *self.shared.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(fate);
    }

    async fn call(&self, operation: Operation) -> Result<UnderWay<'_>, StoreError> {
        self.shared.under_way.fetch_add(1, Ordering::SeqCst);
        let call = UnderWay(&self.shared.under_way);
        self.shared.calls[operation as usize].fetch_add(1, Ordering::SeqCst);
        if self.shared.slow.load(Ordering::SeqCst) {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        }
        if self.shared.hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let fails = self.shared.fail_next[operation as usize].swap(false, Ordering::SeqCst);
        if fails || self.shared.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable(Some("a spy was told to fail".into())));
        }
        Ok(call)
    }

    /// Whether a write comes after its deadline. One that doesn't takes its time.
    fn is_late(&self, deadline: Millis) -> bool {
        let lag = self.shared.lag.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((clock, lag)) = &*lag else { return false };
        let late = clock.now() > deadline;
        clock.advance(*lag);
        late
    }

    fn keep(&self, record: &Arc<[u8]>) {
        self.shared.records.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(record));
    }

    /// A record as it is read.
    fn read(&self, stored: Stored) -> Stored {
        if !self.shared.corrupt.load(Ordering::SeqCst) {
            return stored;
        }
        Stored { record: stored.record.iter().copied().take(20).collect(), ..stored }
    }
}

/// A call that is being answered, until it is dropped.
struct UnderWay<'a>(&'a AtomicU64);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<S: SessionStore> SessionStore for SpyStore<S> {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        let _call = self.call(Operation::Load).await?;
        let loaded = self.store.load(id, now).await?;
        if self.shared.slow.load(Ordering::SeqCst) {
            // The answer travels, too: what was read may be old when it comes.
            tokio::task::yield_now().await;
        }
        Ok(match loaded {
            Loaded::Live(stored) => Loaded::Live(self.read(stored)),
            other => other,
        })
    }

    async fn load_many(&self, ids: &[SessionId], now: Millis) -> Vec<Result<Loaded, StoreError>> {
        let called = self.call(Operation::LoadMany).await;
        if called.is_err() {
            return ids.iter().map(|_| Err(StoreError::Unavailable(None))).collect();
        }
        let loaded = self.store.load_many(ids, now).await.into_iter();
        loaded
            .map(|loaded| match loaded {
                Ok(Loaded::Live(stored)) => Ok(Loaded::Live(self.read(stored))),
                other => other,
            })
            .collect()
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        let _call = self.call(Operation::Cas).await?;
        assert!(!self.shared.panicking.load(Ordering::SeqCst), "a spy was told to panic");
        if self.is_late(write.deadline) {
            return Ok(CasOutcome::Late);
        }
        self.keep(&write.record);
        let lost = self.shared.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        match lost {
            None => return self.store.cas(write).await,
            Some(Fate::Applied) => {
                self.store.cas(write).await?;
            }
            Some(Fate::AppliedLater(after)) => {
                let store = Arc::clone(&self.store);
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    let _ = store.cas(write).await;
                });
            }
        }
        Err(StoreError::Unknown(None))
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        let _call = self.call(Operation::Touch).await?;
        self.store.touch(touch).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        let _call = self.call(Operation::Admit).await?;
        if self.is_late(admit.deadline) {
            return Ok(Admitted::Late);
        }
        self.keep(&admit.record);
        self.store.admit(admit).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        let _call = self.call(Operation::End).await?;
        self.store.end(end).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        let _call = self.call(Operation::List).await?;
        let listed = self.store.list(owner, after, limit, now).await?;
        let read = |listed: Listed| Listed { stored: self.read(listed.stored), ..listed };
        Ok(listed.into_iter().map(read).collect())
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        let _call = self.call(Operation::Sweep).await?;
        self.store.sweep(now, limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let _call = self.call(Operation::Stats).await?;
        self.store.stats().await
    }

    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        let _call = self.call(Operation::Scan).await?;
        self.store.scan(from, limit, now).await
    }

    fn remembers_owners(&self) -> bool {
        self.store.remembers_owners()
    }

    fn tell_endings(&self, to: Endings) -> bool {
        self.store.tell_endings(to)
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.store.shutdown().await
    }
}
