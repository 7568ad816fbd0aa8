//! What goes wrong with a database file, told with its path and with what to do. No value of a row is ever part of it.

use std::{error::Error, fmt, path::Path, sync::Arc};

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// Why an operation failed. Cheap to clone: one failed commit is everyone's.
#[derive(Clone, Debug)]
pub(super) struct Failure(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    certain: Certainty,
    source: Option<rusqlite::Error>,
}

/// Whether a commit that failed this way can have been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certainty {
    NotApplied,
    PerhapsApplied,
}

impl Failure {
    /// What SQLite refused.
    pub(super) fn of(error: rusqlite::Error, path: &Path) -> Self {
        let (problem, advice) = told(&error);
        let text = format!("the session database `{}` {problem}: {advice}", path.display());
        // These come before the last frame of a transaction is written; anything else may come after it.
        let certain = match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly,
            ) => Certainty::NotApplied,
            _ => Certainty::PerhapsApplied,
        };
        Self(Arc::new(Inner { text, certain, source: Some(error) }))
    }

    fn text(text: String) -> Self {
        Self(Arc::new(Inner { text, certain: Certainty::NotApplied, source: None }))
    }

    /// The file is a database of something else.
    pub(super) fn foreign(path: &Path) -> Self {
        Self::text(format!(
            "`{}` is a database, but not one of sessions: name a file that doesn't exist yet",
            path.display()
        ))
    }

    /// A newer version of the library has migrated the file.
    pub(super) fn newer(path: &Path, version: usize, known: usize) -> Self {
        Self::text(format!(
            "the session database `{}` has schema {version}, and this program knows schemas up to {known}: run the \
             newer version of the program again, or restore a copy of the file from before its update",
            path.display()
        ))
    }

    /// The file, or the directory that it should be in, can't be used.
    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        let advice = match error.kind() {
            std::io::ErrorKind::NotFound => "make its directory first",
            std::io::ErrorKind::PermissionDenied => {
                "give this process the right to read and write the file and its directory"
            }
            _ => "name another path, or make this one usable",
        };
        Self::text(format!("the session database `{}` can't be opened ({error}): {advice}", path.display()))
    }

    /// The file system can't have a write-ahead log on it.
    pub(super) fn no_log(path: &Path) -> Self {
        Self::text(format!(
            "the session database `{}` can't have a write-ahead log there: name a path on a local disk",
            path.display()
        ))
    }

    /// The path no longer leads to the file that was opened.
    pub(super) fn moved(path: &Path) -> Self {
        Self::text(format!(
            "the session database `{}` was moved, deleted or replaced while it was open: bring the file back with \
             its `-wal`, or restart this process",
            path.display()
        ))
    }

    /// The store is shut down.
    pub(super) fn closed(path: &Path) -> Self {
        Self::text(format!("the session database `{}` is shut down: open it again", path.display()))
    }

    /// Too many operations wait.
    pub(super) fn overloaded(path: &Path) -> Self {
        Self::text(format!("too many operations wait for the session database `{}`", path.display()))
    }

    /// No thread could be made.
    pub(super) fn thread(path: &Path, error: &std::io::Error) -> Self {
        Self::text(format!("no thread for the session database `{}`: {error}", path.display()))
    }

    /// As the error of an operation that was certainly not applied.
    pub(super) fn unavailable(self) -> StoreError {
        StoreError::Unavailable(Some(Box::new(self)))
    }

    /// As the error of an operation whose commit failed.
    pub(super) fn of_commit(self) -> StoreError {
        match self.0.certain {
            Certainty::NotApplied => self.unavailable(),
            Certainty::PerhapsApplied => StoreError::Unknown(Some(Box::new(self))),
        }
    }
}

/// What happened, and what to do about it.
fn told(error: &rusqlite::Error) -> (&'static str, &'static str) {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("is locked by another process", "end what holds it, such as an open transaction of a shell")
        }
        Some(ErrorCode::DiskFull) => ("can't grow", "make room on its disk"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            ("can't be written", "give this process the right to read and write the file and its directory")
        }
        Some(ErrorCode::NotADatabase) => ("is not a database", "name another path, or move the file away"),
        Some(ErrorCode::DatabaseCorrupt) => {
            ("is damaged", "stop every process that uses it, then restore a copy or move it away")
        }
        Some(ErrorCode::SystemIoFailure) => ("can't be read or written", "look at the state of its disk"),
        _ => ("failed", "see the cause"),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|error| error as _)
    }
}
