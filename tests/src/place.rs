//! The store that the promises are tried on: the variable `SESSIONS_TEST_STORE` says which kind.

use std::{
    any::Any,
    env,
    sync::{Arc, LazyLock},
};

use sessions::{
    FileStore, MemoryStore, PostgresStore, RedisStore, SessionId, SessionStore, SharedStore, SqliteStore,
    StoreError,
    store::{
        Admit, Admitted, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, StoreStats, Touch,
        Touched,
    },
};
use tempfile::TempDir;
use tokio::runtime::{Handle, Runtime};

use crate::servers::{lasting_folder, postgres::Postgres, redis::RedisServer};

/// The variable that names the kind.
const VARIABLE: &str = "SESSIONS_TEST_STORE";

/// Makes a store of its own, with what goes when the store does.
type Open = fn() -> (SharedStore, Kept);
type Kept = Arc<dyn Any + Send + Sync>;

/// Each kind, and how a store of it is made.
const KINDS: &[(&str, Open)] = &[
    ("memory", || (SharedStore::new(MemoryStore::new(1_000_000)), Arc::new(()))),
    ("file", || in_a_folder(|folder| async move { FileStore::open(folder.path().join("sessions")).await })),
    ("sqlite", || {
        in_a_folder(|folder| async move { SqliteStore::open(folder.path().join("sessions.db")).await })
    }),
    ("postgres", || {
        waited_for(async {
            let database = Postgres::shared().database().await;
            let store = PostgresStore::open(&database.url()).await.unwrap();
            (SharedStore::new(store), Arc::new(database) as Kept)
        })
    }),
    ("redis", || {
        let server = RedisServer::start();
        let url = server.url();
        let store = waited_for(async move { RedisStore::open(&url).await });
        (SharedStore::new(store.unwrap()), Arc::new(server))
    }),
];

/// Where stores work that need a runtime which outlives a test's, and whose clock no test stops.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// Waits on a thread of its own, because a test's may not.
fn waited_for<T: Send>(made: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|threads| threads.spawn(|| RUNTIME.block_on(made)).join().unwrap())
}

fn in_a_folder<S: SessionStore, F>(open: impl FnOnce(Arc<TempDir>) -> F + Send) -> (SharedStore, Kept)
where
    F: Future<Output = Result<S, StoreError>> + Send,
{
    // Within one that goes with the program: a task may keep a store until then, and its folder with it.
    let folder = Arc::new(tempfile::Builder::new().tempdir_in(lasting_folder()).unwrap());
    let store = waited_for(open(Arc::clone(&folder)));
    (SharedStore::new(store.unwrap()), folder)
}

/// A fresh store of the kind that is asked for, in a place of its own that goes with the last clone.
#[derive(Clone, Debug)]
pub struct Place {
    store: SharedStore,
    has_threads: bool,
    _kept: Kept,
}

impl Default for Place {
    fn default() -> Self {
        let asked = env::var(VARIABLE).unwrap_or_else(|_| "memory".to_owned());
        let Some((_, open)) = KINDS.iter().find(|(kind, _)| *kind == asked) else {
            let kinds: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
            panic!("{VARIABLE} is `{asked}`: set it to one of {}, or leave it out", kinds.join(", "));
        };
        let (store, kept) = open();
        Self { store, has_threads: asked != "memory", _kept: kept }
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

    async fn load_many(&self, ids: &[SessionId], now: Millis) -> Vec<Result<Loaded, StoreError>> {
        let ids = ids.to_vec();
        self.call(move |store| async move { Ok(store.load_many(&ids, now).await) }).await.unwrap()
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
