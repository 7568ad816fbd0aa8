//! Opening the file: who may read it, how connections are set up, and whether the path still leads to it.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    failure::Failure,
    schema::{self, Found},
};

/// How long an operation waits for another process's lock: shorter than the default limit of a store's operation, so
/// that the answer is still a certain one.
const BUSY: Duration = Duration::from_millis(1_500);

/// A file that is open, under its absolute path.
#[derive(Clone, Debug)]
pub(super) struct File {
    path: PathBuf,
    identity: Identity,
}

/// Which files the path led to when it was opened: the database and its write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    database: Option<(u64, u64)>,
    log: Option<(u64, u64)>,
}

impl File {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails if the path leads to another file by now, or to none: what is written then would be lost.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if Identity::of(&self.path) == self.identity { Ok(()) } else { Err(Failure::moved(&self.path)) }
    }

    /// A connection that only reads.
    pub(super) fn reader(&self) -> Result<Connection, Failure> {
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        self.check()?;
        Ok(connection)
    }
}

impl Identity {
    fn of(path: &Path) -> Self {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Self { database: identity(path), log: identity(Path::new(&log)) }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|_| (0, 0))
}

/// Opens a file for writing: makes it if need be, brings its schema up to date.
pub(super) fn open(path: &Path) -> Result<(Connection, File), Failure> {
    let path = create(path)?;
    let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Before anything is changed: the file may be someone else's.
    let found = schema::look(&connection, &path)?;
    write_ahead(&connection, &path)?;
    let from = schema::migrate(&mut connection, &path)?;
    if found == Found::Empty {
        tracing::info!(path = %path.display(), "a session database was made");
    } else if from != schema::look(&connection, &path)? {
        tracing::info!(path = %path.display(), ?from, "a session database was migrated");
    }
    let identity = Identity::of(&path);
    Ok((connection, File { path, identity }))
}

/// Makes the file unless it exists, readable by its owner alone, and tells its absolute path.
fn create(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: io::Error| Failure::file(path, &error);
    let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let absolute = fs::canonicalize(directory.unwrap_or(Path::new("."))).map_err(failed)?.join(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&absolute) {
        Ok(_) => Ok(absolute),
        // SQLite gives the files beside it the same mode.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::canonicalize(absolute).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, Failure> {
    let failed = |error| Failure::of(error, path);
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let mut patience = Patience::default();
    connection.busy_handler(Some(move |tries| patience.wait(tries))).map_err(failed)?;
    // A commit is on the disk when it returns, on every system.
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "fullfsync", true).map_err(failed)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true).map_err(failed)?;
    // What has ended is wiped from the pages that are written anyway.
    connection.pragma_update(None, "secure_delete", "FAST").map_err(failed)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Turns on the write-ahead log. SQLite does not wait for locks here by itself.
fn write_ahead(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let mut patience = Patience::default();
    for tries in 0.. {
        let mode = connection.query_one("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                if !patience.wait(tries) {
                    return Err(Failure::of(error, path));
                }
            }
            Err(error) => return Err(Failure::of(error, path)),
            Ok(_) => break,
        }
    }
    Err(Failure::no_log(path))
}

/// Waits for a lock: often at first, because other writers hold theirs for about a millisecond.
#[derive(Debug, Default)]
struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// Waits a moment; whether it pays to try again.
    fn wait(&mut self, tries: i32) -> bool {
        let now = Instant::now();
        if tries == 0 {
            self.until = Some(now + BUSY);
        }
        let pause = if tries < 20 { Duration::from_micros(500) } else { Duration::from_millis(4) };
        std::thread::sleep(pause);
        self.until.is_some_and(|until| now < until)
    }
}
