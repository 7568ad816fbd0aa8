//! The store that the promises are tried on: the variable `SESSIONS_TEST_STORE` says which kind.

use std::{env, sync::Arc};

use sessions::{
    MemoryStore, SessionId, SessionStore, SharedStore, StoreError,
    store::{
        Admit, Admitted, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, StoreStats, Touch,
        Touched,
    },
};
use tempfile::TempDir;

/// The variable that names the kind.
const VARIABLE: &str = "SESSIONS_TEST_STORE";

/// Each kind, and how a store of it is made in an empty folder.
const KINDS: &[(&str, fn(&TempDir) -> SharedStore)] =
    &[("memory", |_| SharedStore::new(MemoryStore::new(1_000_000)))];

/// A fresh store of the kind that is asked for, in a folder of its own that goes with the last clone.
#[derive(Clone, Debug)]
pub struct Place {
    store: SharedStore,
    _folder: Arc<TempDir>,
}

impl Default for Place {
    fn default() -> Self {
        let asked = env::var(VARIABLE).unwrap_or_else(|_| "memory".to_owned());
        let Some((_, open)) = KINDS.iter().find(|(kind, _)| *kind == asked) else {
            let kinds: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
            panic!("{VARIABLE} is `{asked}`: set it to one of {}, or leave it out", kinds.join(", "));
        };
        let folder = tempfile::Builder::new().prefix("sessions-").tempdir().unwrap();
        Self { store: open(&folder), _folder: Arc::new(folder) }
    }
}

impl SessionStore for Place {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.store.load(id, now).await
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.store.cas(write).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.store.touch(touch).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.store.admit(admit).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.store.end(end).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.store.list(owner, after, limit, now).await
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.store.sweep(now, limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.store.stats().await
    }

    fn remembers_owners(&self) -> bool {
        self.store.remembers_owners()
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.store.shutdown().await
    }
}
