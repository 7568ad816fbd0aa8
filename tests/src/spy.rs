//! A store that counts its calls, keeps every record it was given, and fails when it is told to.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use sessions::{
    Clock, MemoryStore, SessionId, SessionStore, StoreError,
    store::{
        Admit, Admitted, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, StoreStats, Stored,
        Touch, Touched,
    },
    testing::ManualClock,
};

/// Wraps a memory store.
#[derive(Clone, Debug)]
pub struct Spy {
    store: MemoryStore,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    reads: AtomicU64,
    writes: AtomicU64,
    down: AtomicBool,
    fail_next_end: AtomicBool,
    slow: AtomicBool,
    hanging: AtomicBool,
    panicking: AtomicBool,
    corrupt: AtomicBool,
    lag: Mutex<Option<(ManualClock, Duration)>>,
    records: Mutex<Vec<Arc<[u8]>>>,
}

/// How often a store was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Calls that read.
    pub reads: u64,
    /// Calls that change something.
    pub writes: u64,
}

impl Default for Spy {
    fn default() -> Self {
        Self { store: MemoryStore::new(1_000_000), shared: Arc::default() }
    }
}

impl Spy {
    /// The calls since the last look.
    pub fn take_counts(&self) -> Counts {
        Counts {
            reads: self.shared.reads.swap(0, Ordering::SeqCst),
            writes: self.shared.writes.swap(0, Ordering::SeqCst),
        }
    }

    /// From now on every call fails, or none.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// From now on every call yields a few times before it works, as one over a network does.
    pub fn set_slow(&self, slow: bool) {
        self.shared.slow.store(slow, Ordering::SeqCst);
    }

    /// From now on every call hangs, or none.
    pub fn set_hanging(&self, hanging: bool) {
        self.shared.hanging.store(hanging, Ordering::SeqCst);
    }

    /// From now on every write panics, or none.
    pub fn set_panicking(&self, panicking: bool) {
        self.shared.panicking.store(panicking, Ordering::SeqCst);
    }

    /// From now on every record that is read is garbage.
    pub fn set_corrupt(&self, corrupt: bool) {
        self.shared.corrupt.store(corrupt, Ordering::SeqCst);
    }

    /// From now on every write takes so long by this clock, and one that comes after its deadline is too late.
    pub fn set_lag(&self, clock: &ManualClock, lag: Duration) {
        *self.shared.lag.lock().unwrap() = Some((clock.clone(), lag));
    }

    /// The next `end` fails.
    pub fn fail_next_end(&self) {
        self.shared.fail_next_end.store(true, Ordering::SeqCst);
    }

    /// Every record that was ever given to the store.
    pub fn records(&self) -> Vec<Arc<[u8]>> {
        self.shared.records.lock().unwrap().clone()
    }

    /// How many records are stored.
    pub async fn stored(&self) -> u64 {
        self.store.stats().await.unwrap().sessions
    }

    async fn call(&self, counter: &AtomicU64) -> Result<(), StoreError> {
        counter.fetch_add(1, Ordering::SeqCst);
        if self.shared.slow.load(Ordering::SeqCst) {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        }
        if self.shared.hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.shared.down.load(Ordering::SeqCst) { Err(StoreError::Unavailable(None)) } else { Ok(()) }
    }

    /// Whether a write comes after its deadline. One that doesn't takes its time.
    fn is_late(&self, deadline: Millis) -> bool {
        let lag = self.shared.lag.lock().unwrap();
        let Some((clock, lag)) = &*lag else { return false };
        let late = clock.now() > deadline;
        clock.advance(*lag);
        late
    }

    fn keep(&self, record: &Arc<[u8]>) {
        self.shared.records.lock().unwrap().push(Arc::clone(record));
    }
}

impl SessionStore for Spy {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.call(&self.shared.reads).await?;
        let loaded = self.store.load(id, now).await?;
        Ok(match loaded {
            Loaded::Live(stored) if self.shared.corrupt.load(Ordering::SeqCst) => {
                Loaded::Live(Stored { record: stored.record[..20].into(), ..stored })
            }
            other => other,
        })
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.call(&self.shared.writes).await?;
        assert!(!self.shared.panicking.load(Ordering::SeqCst), "a store that panics");
        if self.is_late(write.deadline) {
            return Ok(CasOutcome::Late);
        }
        self.keep(&write.record);
        self.store.cas(write).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.call(&self.shared.writes).await?;
        self.store.touch(touch).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.call(&self.shared.writes).await?;
        if self.is_late(admit.deadline) {
            return Ok(Admitted::Late);
        }
        self.keep(&admit.record);
        self.store.admit(admit).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.call(&self.shared.writes).await?;
        if self.shared.fail_next_end.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Unavailable(None));
        }
        self.store.end(end).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.call(&self.shared.reads).await?;
        self.store.list(owner, after, limit, now).await
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.store.sweep(now, limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.call(&self.shared.reads).await?;
        self.store.stats().await
    }
}
