//! A store of your own: it counts what it is asked and leaves the keeping to another.
//!
//! A store keeps bytes under ids, compares versions and counts the sessions of an owner. Lifetimes, merging and limits'
//! meaning are not its business.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sessions::store::{
    Admit, Admitted, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, SessionId, SessionStore,
    StoreError, StoreStats, Touch, Touched,
};

/// Counts the calls to another store. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct CountingStore<S> {
    inner: S,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    reads: AtomicU64,
    writes: AtomicU64,
}

impl<S> CountingStore<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, counts: Arc::default() }
    }

    pub(crate) fn reads(&self) -> u64 {
        self.counts.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn writes(&self) -> u64 {
        self.counts.writes.load(Ordering::Relaxed)
    }

    fn read(&self) -> &S {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }

    fn write(&self) -> &S {
        self.counts.writes.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }
}

impl<S: SessionStore> SessionStore for CountingStore<S> {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.read().load(id, now).await
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.write().cas(write).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.write().touch(touch).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.write().admit(admit).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.write().end(end).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.read().list(owner, after, limit, now).await
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.write().sweep(now, limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.inner.stats().await
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.inner.shutdown().await
    }
}
