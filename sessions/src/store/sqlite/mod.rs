//! The store in a file of SQLite: durable, and shared by processes. This file is the contract's side of it; `threads` are
//! who works, `writer` and `reader` what they do, `operation` the steps of a write, `rows` and `schema` what is stored,
//! `open` the file and `failure` what is told when it fails.
//!
//! One thread writes, all that waits in one transaction, and answers after its commit. A few threads read. Nothing is
//! kept between transactions but the connections, so that another process can write at any time.

mod failure;
mod open;
mod operation;
mod queue;
mod reader;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod threads;
mod writer;

use std::{fmt, path::Path, sync::Arc};

use self::{
    open::Setup,
    operation::{Lapse, Sweep, Swept},
    reader::{List, Load, LoadMany, Page, ScanAll, Seen, Stats},
    threads::Threads,
};
use super::{
    Admit, Admitted, Bookmark, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, Scan, SessionId,
    SessionStore, StoreError, StoreStats, Touch, Touched,
};

/// Rows that a sweep looks at in one transaction: others wait for it.
const LOOKS: usize = 256;

/// Keeps sessions in a file. Clones share its threads and connections.
///
/// What was acknowledged is on the disk: it outlives a crash of the process and of the machine. Several processes of one
/// machine may open the same file, and versions, limits and revocations hold among them. The file must be on a local
/// disk, because the locks of network file systems can't be relied on.
///
/// Writes that come together share one transaction, so that a store under load commits as often as its disk can, not as
/// often as it is asked. A write that waits longer than its deadline is not applied.
///
/// After it has expired, a session answers [`Loaded::Ended`] with [`EndReason::Expired`](super::EndReason::Expired) for
/// [`TOMBSTONE_MS`](super::TOMBSTONE_MS), then [`Loaded::Absent`]. The rows of sessions that no one asks for any more go
/// with [`sweep`](SessionStore::sweep).
///
/// # Example
/// ```
/// use sessions::store::{SessionStore, SqliteStore};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # let directory = std::env::temp_dir().join(format!("sessions-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # runtime.block_on(async {
/// let store = SqliteStore::open(directory.join("sessions.db")).await?;
/// assert_eq!(store.stats().await?.sessions, 0);
/// store.shutdown().await?;
/// # Ok::<_, sessions::store::StoreError>(())
/// # })?;
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    threads: Arc<Threads>,
}

impl SqliteStore {
    /// Opens the store in a file, which is made if it doesn't exist: readable and writable by its owner alone. Brings its
    /// schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], whose source tells the path and what to do, if
    /// - the file or its directory can't be read and written, or the directory doesn't exist;
    /// - it is no database, another program's, or damaged;
    /// - a newer version of this library has migrated it;
    /// - another process holds its lock for more than 1.5 seconds.
    ///
    /// # Cancel safety
    /// A dropped future leaves an open file to be closed by its threads. A migration is done or not begun.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path.as_ref(), |_| Ok(())).await
    }

    async fn open_with(path: &Path, setup: Setup) -> Result<Self, StoreError> {
        let threads = Threads::start(path.to_owned(), setup).await?;
        Ok(Self { threads: Arc::new(threads) })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.threads.path()).finish()
    }
}

impl SessionStore for SqliteStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        match self.threads.read(Load { id, now }).await? {
            Seen::Known(loaded) => Ok(loaded),
            // Noted at once, so that it is dead to a clock that is behind as well. It is dead even if that fails.
            Seen::Expired(judged) => Ok(self.threads.write(Lapse { id, now }).await.unwrap_or(judged)),
        }
    }

    async fn load_many(&self, ids: &[SessionId], now: Millis) -> Vec<Result<Loaded, StoreError>> {
        match self.threads.read(LoadMany { ids: ids.to_vec(), now }).await {
            // One that has expired unnoticed is noted as a single load does it.
            Ok(seen) => {
                let mut loaded = Vec::with_capacity(seen.len());
                for (seen, id) in seen.into_iter().zip(ids) {
                    loaded.push(Ok(match seen {
                        Seen::Known(loaded) => loaded,
                        Seen::Expired(judged) => {
                            self.threads.write(Lapse { id: *id, now }).await.unwrap_or(judged)
                        }
                    }));
                }
                loaded
            }
            Err(_) => ids.iter().map(|_| Err(StoreError::Unavailable(None))).collect(),
        }
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.threads.write(write).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.threads.write(touch).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.threads.write(admit).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.threads.write(end).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        let Page { listed, expired } = self.threads.read(List { owner, after, limit, now }).await?;
        for id in expired {
            // As in `load`.
            let _ = self.threads.write(Lapse { id, now }).await;
        }
        Ok(listed)
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        let mut freed = 0;
        while freed < limit {
            let swept = self.threads.write(Sweep { now, looks: LOOKS.min(limit - freed) }).await?;
            let Swept { freed: more, done } = swept;
            freed += more;
            if done {
                break;
            }
        }
        Ok(freed)
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.threads.read(Stats).await
    }

    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        let after = from.and_then(|from| Some(i64::from_be_bytes(*from.as_bytes().first_chunk()?)));
        let (sessions, last) = self.threads.read(ScanAll { after: after.unwrap_or(-1), limit, now }).await?;
        Ok(Scan { sessions, next: last.map(|last| Bookmark::new(last.to_be_bytes())) })
    }

    fn remembers_owners(&self) -> bool {
        true
    }

    /// Answers everything that waits, brings the write-ahead log into the file and closes it. From the call on, every
    /// other operation is [`StoreError::Unavailable`]. A second call waits for the first.
    async fn shutdown(&self) -> Result<(), StoreError> {
        self.threads.shutdown().await
    }
}
