//! A store in memory that gets into trouble at one chosen call, and waits in each.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use sessions::{
    MemoryStore, SessionId, SessionStore, StoreError,
    store::{
        Admit, Admitted, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, StoreStats, Touch,
        Touched,
    },
};

/// What happens in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It fails and is not applied.
    Before,
    /// It is applied, and its answer is lost.
    After,
    /// It panics before it is applied.
    PanicBefore,
    /// It panics after it was applied.
    PanicAfter,
    /// It isn't applied and doesn't answer, and neither does any call after it.
    Hang,
    /// It is applied and answers, after this time.
    Slow(Duration),
}

/// Waits before and after each call, as for a network; in one call there is trouble.
#[derive(Clone, Debug, Default)]
pub struct Troubled {
    store: Memory,
    shared: Arc<Shared>,
}

#[derive(Clone, Debug)]
struct Memory(MemoryStore);

#[derive(Debug, Default)]
struct Shared {
    calls: AtomicU64,
    trouble: Mutex<Vec<(u64, Trouble)>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self(MemoryStore::new(10_000))
    }
}

impl Troubled {
    /// From now on calls are counted, and there is trouble in the one of this number, the first being 0.
    pub fn begin(&self, trouble: Option<(u64, Trouble)>) {
        self.begin_all(trouble.as_slice());
    }

    /// The same with trouble in several calls.
    pub fn begin_all(&self, trouble: &[(u64, Trouble)]) {
        self.shared.calls.store(0, SeqCst);
        *self.shared.trouble.lock().unwrap() = trouble.to_vec();
    }

    /// The calls since then; from now on there is no trouble.
    pub fn finish(&self) -> u64 {
        self.shared.trouble.lock().unwrap().clear();
        self.shared.calls.load(SeqCst)
    }

    /// The store, without trouble and without waiting.
    pub fn calm(&self) -> &MemoryStore {
        &self.store.0
    }

    #[allow(clippy::panic, reason = "that is the trouble")]
    async fn call<T>(&self, operation: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let call = self.shared.calls.fetch_add(1, SeqCst);
        let is_now =
            |(at, trouble): &&(u64, Trouble)| *at == call || (*at < call && *trouble == Trouble::Hang);
        let trouble = self.shared.trouble.lock().unwrap().iter().find(is_now).map(|(_, trouble)| *trouble);
        // More than once: a shared store polls a call that does not answer at once a second time.
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
        match trouble {
            Some(Trouble::Before) => return Err(StoreError::Unavailable(None)),
            Some(Trouble::PanicBefore) => panic!("in the store, before call {call} was applied"),
            Some(Trouble::Hang) => std::future::pending().await,
            Some(Trouble::Slow(time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        let answer = operation.await;
        tokio::task::yield_now().await;
        match trouble {
            Some(Trouble::After) => Err(StoreError::Unknown(None)),
            Some(Trouble::PanicAfter) => panic!("in the store, after call {call} was applied"),
            _ => answer,
        }
    }
}

impl SessionStore for Troubled {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.call(self.store.0.load(id, now)).await
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.call(self.store.0.cas(write)).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.call(self.store.0.touch(touch)).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.call(self.store.0.admit(admit)).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.call(self.store.0.end(end)).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.call(self.store.0.list(owner, after, limit, now)).await
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.store.0.sweep(now, limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.store.0.stats().await
    }
}
