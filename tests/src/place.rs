//! The store that the promises are tried on: the variable `SESSIONS_TEST_STORE` says which kind.

use std::{env, sync::Arc};

use sessions::{
    FileStore, MemoryStore, RedisStore, SessionId, SessionStore, SharedStore, SqliteStore, StoreError,
    store::{
        Admit, Admitted, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, StoreStats, Touch,
        Touched,
    },
};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::servers::redis::RedisServer;

/// The variable that names the kind.
const VARIABLE: &str = "SESSIONS_TEST_STORE";

/// What a store needs beside its folder for as long as it is used, such as a server.
type Keep = Option<Arc<dyn std::any::Any + Send + Sync>>;
/// Makes a store in an empty folder.
type Open = fn(&TempDir) -> (SharedStore, Keep);

/// Each kind, and how a store of it is made.
const KINDS: &[(&str, Open)] = &[
    ("memory", |_| (SharedStore::new(MemoryStore::new(1_000_000)), None)),
    ("file", |folder| (opened(FileStore::open(folder.path().join("sessions"))), None)),
    ("sqlite", |folder| (opened(SqliteStore::open(folder.path().join("sessions.db"))), None)),
    ("redis", |_| {
        let server = RedisServer::start();
        let url = server.url();
        let store = opened(async move { RedisStore::open(&url).await });
        (store, Some(Arc::new(server)))
    }),
];

/// Waits on a thread of its own, because a test's may not.
fn opened<S: SessionStore>(store: impl Future<Output = Result<S, StoreError>> + Send) -> SharedStore {
    let block_on =
        || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(store);
    let store = std::thread::scope(|threads| threads.spawn(block_on).join().unwrap());
    SharedStore::new(store.unwrap())
}

/// A fresh store of the kind that is asked for, in a folder of its own that goes with the last clone.
#[derive(Clone)]
pub struct Place {
    store: SharedStore,
    has_threads: bool,
    _kept: (Keep, Arc<TempDir>),
}

impl Default for Place {
    fn default() -> Self {
        let asked = env::var(VARIABLE).unwrap_or_else(|_| "memory".to_owned());
        let Some((_, open)) = KINDS.iter().find(|(kind, _)| *kind == asked) else {
            let kinds: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
            panic!("{VARIABLE} is `{asked}`: set it to one of {}, or leave it out", kinds.join(", "));
        };
        let folder = tempfile::Builder::new().prefix("sessions-").tempdir().unwrap();
        let (store, keep) = open(&folder);
        Self { store, has_threads: asked != "memory", _kept: (keep, Arc::new(folder)) }
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Place").field(&self.store).finish()
    }
}

impl Place {
    /// Calls the store. A store with threads of its own is waited for on a blocking thread: a clock of tokio that is paused
    /// goes on by itself whenever nothing else is to be done, but not while one of those is busy.
    async fn call<T, F>(&self, call: impl FnOnce(SharedStore) -> F + Send + 'static) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let store = self.store.clone();
        if !self.has_threads {
            return call(store).await;
        }
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(call(store))).await.unwrap()
    }
}

impl SessionStore for Place {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.call(move |store| async move { store.load(id, now).await }).await
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.call(move |store| async move { store.cas(write).await }).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.call(move |store| async move { store.touch(touch).await }).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.call(move |store| async move { store.admit(admit).await }).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.call(move |store| async move { store.end(end).await }).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.call(move |store| async move { store.list(owner, after, limit, now).await }).await
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.call(move |store| async move { store.sweep(now, limit).await }).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.call(move |store| async move { store.stats().await }).await
    }

    fn remembers_owners(&self) -> bool {
        self.store.remembers_owners()
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.store.shutdown().await
    }
}
