//! The folder on disk: who holds it, what its files say, and changes of several files that happen all or not at all. Not
//! what the changes are.
//!
//! A file is replaced by renaming a new one over it, so that it is whole at every instant. A change of several files is
//! written down first, in one file: with the name of that one the change has happened, and whoever opens the folder next
//! finishes it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{
    book::Change,
    bytes::Reader,
    entry::{Content, is_file_name, sealed, unsealed},
    guard,
};

const LOCK: &str = "sessions.lock";
/// A file before it has its name.
const DRAFT: &str = "sessions.tmp";
/// A change of several files that has happened and may not be finished.
const INTENT: &str = "sessions.intent";
const INTENT_MAGIC: [u8; 8] = *b"SESSINT1";
/// The most bytes that are read of a file: more than a session and its frame may have.
const LONGEST: u64 = 64 << 20;
/// How long a process that ends may take to give up the folder.
const PATIENCE: Duration = Duration::from_secs(2);

/// A folder that this process holds.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Given up when it is dropped.
    _lock: File,
}

/// Why a change was not made.
#[derive(Debug)]
pub(super) enum Failed {
    /// It took too long: nothing has changed.
    Late,
    /// Nothing has changed.
    Certainly(io::Error),
    /// Perhaps it was made: what is true, the folder says.
    Perhaps(io::Error),
}

/// What a file is to hold, or that it goes.
type FileChange = (String, Option<Vec<u8>>);

impl Folder {
    /// Makes the folder if it is missing, and takes hold of it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make(path)?;
        let path = fs::canonicalize(path)?;
        guard::refuse_link(&path.join(LOCK))?;
        let lock = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(path.join(LOCK))
            .map_err(|error| explained(&error, "is no folder that this process can write to", &path))?;
        hold(&lock, &path)?;
        let folder = Self { path, _lock: lock };
        folder.remove_if_there(DRAFT)?;
        // A file of our own tells who we are to the file system.
        let own = folder.create(DRAFT).map_err(|error| {
            explained(&error, "is no folder that this process can write to", &folder.path)
        })?;
        let own = own.metadata()?;
        folder.remove_if_there(DRAFT)?;
        guard::refuse_what_others_can_write(&folder.path, &own)?;
        Ok(folder)
    }

    /// What all files say, once a change that was under way is finished. What is damaged is moved aside and told.
    pub(super) fn read(&self) -> io::Result<Vec<Content>> {
        self.remove_if_there(DRAFT)?;
        self.finish()?;
        let mut contents = Vec::new();
        let mut damaged = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().filter(|name| is_file_name(name)).map(str::to_owned)
            else {
                continue;
            };
            let content = match self.bytes_of(&name)? {
                Some(bytes) => Content::decode(&bytes),
                None => None,
            };
            match content.filter(|content| content.key().file_name() == name) {
                Some(content) => contents.push(content),
                None => damaged.push(name),
            }
        }
        for name in damaged {
            self.move_aside(&name)?;
        }
        Ok(contents)
    }

    /// Makes a change, all or nothing, unless it is later than `not_after` before it could begin to be true.
    pub(super) fn write(&self, changes: &[Change], not_after: Option<Instant>) -> Result<(), Failed> {
        let changes: Vec<FileChange> = changes.iter().map(file_change).collect();
        match changes.as_slice() {
            [] => Ok(()),
            [(name, Some(bytes))] => self.name(name, bytes, not_after),
            _ if changes.iter().all(|(_, bytes)| bytes.is_none()) => self.drop_all(&changes),
            _ => {
                self.name(INTENT, &intent(&changes), not_after)?;
                self.make_true(&changes).map_err(Failed::Perhaps)
            }
        }
    }

    /// Files that no one asks for any more go one by one: what is left over goes another time.
    fn drop_all(&self, changes: &[FileChange]) -> Result<(), Failed> {
        let removed = changes.iter().try_for_each(|(name, _)| self.remove_if_there(name));
        removed.and_then(|()| self.sync()).map_err(Failed::Perhaps)
    }

    /// Writes a file and gives it its name, durably.
    fn name(&self, name: &str, bytes: &[u8], not_after: Option<Instant>) -> Result<(), Failed> {
        self.draft(bytes).map_err(Failed::Certainly)?;
        if not_after.is_some_and(|instant| Instant::now() > instant) {
            let _ = self.remove_if_there(DRAFT);
            return Err(Failed::Late);
        }
        let named = fs::rename(self.path.join(DRAFT), self.path.join(name));
        named.and_then(|()| self.sync()).map_err(Failed::Perhaps)
    }

    fn draft(&self, bytes: &[u8]) -> io::Result<()> {
        // One that is left over from a change that failed.
        self.remove_if_there(DRAFT)?;
        let mut file = self.create(DRAFT)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Finishes a change that has happened: as often as it takes, since it comes to the same.
    fn finish(&self) -> io::Result<()> {
        let Some(bytes) = self.bytes_of(INTENT)? else { return Ok(()) };
        match read_intent(&bytes) {
            Some(changes) => self.make_true(&changes),
            None => self.move_aside(INTENT),
        }
    }

    fn make_true(&self, changes: &[FileChange]) -> io::Result<()> {
        for (name, bytes) in changes {
            match bytes {
                Some(bytes) => {
                    self.draft(bytes)?;
                    fs::rename(self.path.join(DRAFT), self.path.join(name))?;
                }
                None => self.remove_if_there(name)?,
            }
        }
        self.sync()?;
        self.remove_if_there(INTENT)?;
        // Before any other change: this one must never be made again over a later one.
        self.sync()
    }

    /// The bytes of a file; of what is no file, none.
    fn bytes_of(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Ok(Some(Vec::new())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Takes a damaged file out of the way, where a person may look at it.
    fn move_aside(&self, name: &str) -> io::Result<()> {
        let free = |aside: &String| fs::symlink_metadata(self.path.join(aside)).is_err();
        let numbered = (1..10_000).map(|number| format!("{name}.damaged-{number}")).find(free);
        let aside = numbered.unwrap_or_else(|| format!("{name}.damaged"));
        fs::rename(self.path.join(name), self.path.join(&aside))?;
        self.sync()?;
        tracing::error!(
            file = %aside,
            "a file of the session store is damaged: what it held counts as absent, and it was moved aside"
        );
        Ok(())
    }

    fn create(&self, name: &str) -> io::Result<File> {
        private(OpenOptions::new().write(true).create_new(true)).open(self.path.join(name))
    }

    fn remove_if_there(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes the names of files durable.
    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Where a folder can't be opened, its names are as durable as the system makes them.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes the folder, for its owner alone. Not what it stands in: a slip of the pen would make a tree.
fn make(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(metadata) if metadata.is_symlink() => return guard::refuse_link(path),
        Ok(_) => return Err(guard::refused(path, "is a file", "name a folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(explained(&error, "can't be looked at", path)),
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(guard::refused(
            path,
            "can't be made, as the folder above it is missing",
            "make that one first",
        )),
        Err(error) => Err(explained(&error, "can't be made", path)),
        Ok(()) => Ok(()),
    }
}

/// Waits for a moment for a process that is about to end: a restart overlaps.
fn hold(lock: &File, path: &Path) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                let help =
                    "stop that one, or give this one a folder of its own: a `file` store serves one process";
                return Err(guard::refused(path, "is held by another store or process", help));
            }
            Err(TryLockError::Error(error)) => return Err(explained(&error, "can't be locked", path)),
        }
    }
}

/// Files that only their owner may read.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn explained(error: &io::Error, what: &str, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("`{}` {what}: {error}", path.display()))
}

/// What the folder holds from the instant at which these changes have happened.
#[cfg(test)]
pub(super) fn intent_of(changes: &[Change]) -> Vec<u8> {
    intent(&changes.iter().map(file_change).collect::<Vec<_>>())
}

fn file_change(change: &Change) -> FileChange {
    match change {
        Change::Put(content) => (content.key().file_name(), Some(content.encode())),
        Change::Drop(key) => (key.file_name(), None),
    }
}

/// A change of several files as one: each with the length of its name and the name, then 0, or 1 and the length of its
/// bytes and the bytes.
fn intent(changes: &[FileChange]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in changes {
        body.extend((name.len() as u64).to_be_bytes());
        body.extend(name.as_bytes());
        body.push(u8::from(bytes.is_some()));
        if let Some(bytes) = bytes {
            body.extend((bytes.len() as u64).to_be_bytes());
            body.extend(bytes);
        }
    }
    sealed(INTENT_MAGIC, &body)
}

fn read_intent(bytes: &[u8]) -> Option<Vec<FileChange>> {
    let mut body = Reader(unsealed(INTENT_MAGIC, bytes)?);
    let mut changes = Vec::new();
    while !body.0.is_empty() {
        let length = usize::try_from(body.number()?).ok()?;
        let name = std::str::from_utf8(body.take(length)?).ok().filter(|name| is_file_name(name))?;
        let bytes = match body.byte()? {
            0 => None,
            1 => {
                let length = usize::try_from(body.number()?).ok()?;
                Some(body.take(length)?.to_vec())
            }
            _ => return None,
        };
        changes.push((name.to_owned(), bytes));
    }
    Some(changes)
}
