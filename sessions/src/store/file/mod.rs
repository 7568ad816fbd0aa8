//! The store in files, for development: it survives restarts, and people can look at what is there. This file is the
//! contract's side of it; `worker` is the thread that does the work, `book` what is known and what each operation does to
//! it, `folder` the files on disk, `entry` what one of them says, and `guard` which folders are refused.

mod book;
mod bytes;
mod entry;
mod folder;
mod guard;
#[cfg(test)]
mod tests;
mod worker;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Instant,
};

use tokio::sync::oneshot;

use self::{
    book::{Book, Step},
    worker::{Desk, Job, closed, last_instant},
};
use super::{
    Admit, Admitted, Bookmark, Cas, CasOutcome, End, EndTarget, Ended, Listed, Loaded, Millis, Owner, Scan,
    SessionId, SessionStore, StoreError, StoreStats, Touch, Touched,
};

/// Keeps each session in a file of a folder, for one process: a store for development. Clones share it.
///
/// Sessions, tombstones, limits and revocations survive restarts and crashes: every operation is on disk before it is
/// answered, and what changes several files happens in all of them or in none. That costs a wait for the disk a write,
/// and all sessions are held in memory too; production keeps sessions elsewhere, and refuses this store (SL078).
///
/// The folder is made with the mode 0700 and its files with 0600. No name of a file tells a session's id. One that is
/// damaged counts as absent: it is moved aside within the folder, with an error in the log.
///
/// # Cancel safety
/// A dropped future leaves the operation applied or not applied. One whose turn had not come is not applied.
///
/// # Example
/// ```
/// use sessions::store::{FileStore, SessionStore};
///
/// # let folder = std::env::temp_dir().join(format!("sessions-example-{}", std::process::id()));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let store = FileStore::open(&folder).await?;
/// assert_eq!(store.stats().await?.sessions, 0);
/// store.shutdown().await?;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok::<_, sessions::store::StoreError>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileStore {
    directory: PathBuf,
    jobs: mpsc::Sender<Job>,
}

impl FileStore {
    /// Opens the folder, and makes it if it is missing. What a crash left half done is finished or removed.
    ///
    /// Another process that holds the folder is waited for, up to 2 s: a restart may overlap.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], whose source says what to do:
    /// - the folder above it is missing, or the folder can't be made, read or written;
    /// - another store or process holds it;
    /// - it is a link, belongs to another user, or others can write to it.
    ///
    /// # Cancel safety
    /// A dropped future opens nothing for long: what it opened is given up at once.
    pub async fn open(directory: impl AsRef<Path>) -> Result<Self, StoreError> {
        let directory = directory.as_ref().to_owned();
        let (opened, answer) = oneshot::channel();
        let jobs = worker::start(directory.clone(), opened)
            .map_err(|error| StoreError::Unavailable(Some(Box::new(error))))?;
        answer.await.map_err(|_| panicked())??;
        Ok(Self { directory, jobs })
    }

    /// Does something at the desk, in its turn.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, answer) = oneshot::channel();
        let job: Job = Box::new(move |desk| {
            // Who has gone away meanwhile is told nothing, so nothing is done.
            if !tell.is_closed() {
                let _ = tell.send(work(desk));
            }
        });
        self.jobs.send(job).map_err(|_| closed())?;
        answer.await.map_err(|_| panicked())?
    }

    async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Book) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.change(|book| Step::from(read(book))).await
    }

    async fn change<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Book) -> Step<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(|desk| desk.run(None, decide)).await
    }

    /// As `change`, unless its turn comes too late.
    async fn change_until<T: Send + 'static>(
        &self,
        not_after: Option<Instant>,
        late: T,
        decide: impl FnOnce(&mut Book) -> Step<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(move |desk| desk.run(not_after.map(|instant| (instant, late)), decide)).await
    }
}

/// What was asked for is unknown: the thread fell over it, and whether that was before or after, no one can say.
fn panicked() -> StoreError {
    StoreError::Unknown(Some("an operation of the store panicked".into()))
}

/// The bookmark after a session.
fn bookmark(id: SessionId) -> Bookmark {
    Bookmark::new([&id.bucket().to_be_bytes()[..], id.sid()].concat())
}

/// The session that a bookmark is after.
fn id_of(bookmark: &Bookmark) -> Option<SessionId> {
    let (bucket, sid) = bookmark.as_bytes().split_first_chunk::<2>()?;
    Some(SessionId::new(u16::from_be_bytes(*bucket), sid.try_into().ok()?))
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl SessionStore for FileStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.look(move |book| book.load(id, now)).await
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        let not_after = last_instant(write.now, write.deadline);
        self.change_until(not_after, CasOutcome::Late, move |book| book.cas(&write)).await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.change(move |book| book.touch(&touch)).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        let not_after = last_instant(admit.now, admit.deadline);
        self.change_until(not_after, Admitted::Late, move |book| book.admit(&admit)).await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        let ids = self.change(move |book| match end.target {
            EndTarget::Session { id, .. } => book.end(id, end.reason, end.now),
            EndTarget::Owner { owner, except } => {
                book.end_owner(owner, except, end.reason, (end.now, end.stamp))
            }
        });
        Ok(Ended { ids: ids.await? })
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.look(move |book| book.list(&owner, after, limit, now)).await
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.change(move |book| book.sweep(now, limit)).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.look(|book| book.stats()).await
    }

    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        let after = from.and_then(id_of);
        let sessions = self.look(move |book| book.scan(after, limit, now)).await?;
        let is_last = sessions.len() < limit.max(1);
        let next = sessions.last().filter(|_| !is_last).map(|last| bookmark(last.id));
        Ok(Scan { sessions, next })
    }

    fn remembers_owners(&self) -> bool {
        true
    }

    /// Gives up the folder: another store may open it then. A second call does nothing.
    async fn shutdown(&self) -> Result<(), StoreError> {
        self.ask(|desk| {
            desk.close();
            Ok(())
        })
        .await
    }
}
