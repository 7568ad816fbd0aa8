//! A sink that appends events to a file, one line of JSON each: the audit log.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{EventKind, EventSink, SessionEvent, SinkError};

/// Who may read and write the file: its owner alone.
const MODE: u32 = 0o600;

/// When a batch of events counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Once the disk has it (`fdatasync`): it outlives a loss of power.
    #[default]
    Synced,
    /// Once the operating system has it: it outlives the process.
    System,
}

/// Appends events to a file, one line of JSON each (see [`SessionEvent`] for the fields).
///
/// The file is made with mode 0600, and one that others may read is closed to them when it is opened. It may be rotated by
/// another program at any time, without a signal: before each batch the sink looks whether the path still names its file,
/// and opens it anew if not, so both `create` and `copytruncate` of logrotate do. A line that a crash or a full disk cut off
/// is closed before the next one is written; a batch that failed is written again, so a line may stand twice with the same
/// `id`. Failures are counted ([`SinkStats`](super::SinkStats)) and told to the log and to the other sinks.
///
/// ```
/// # sessions::policies! { shop: { extends: "user_default" } }
/// use sessions::event::JsonLines;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.jsonl");
/// let registry = policies::Registry::load().await?;
/// registry.add_sink(JsonLines::open(path)?);
/// // … serve, then:
/// registry.shutdown().await?;      // what was sent is in the file
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a sink is added with `add_sink`"]
pub struct JsonLines {
    path: PathBuf,
    file: File,
    identity: Identity,
    durability: Durability,
    mode: u32,
    routine: bool,
    /// The last line has no end.
    torn: bool,
    buffer: Vec<u8>,
}

impl JsonLines {
    /// Opens the file of this path, or makes it; the folder has to be there.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::open_as(path.into(), MODE)
    }

    fn open_as(path: PathBuf, mode: u32) -> io::Result<Self> {
        let (file, torn) = open(&path, mode)?;
        let identity = Identity::of(&file.metadata()?);
        let (durability, buffer) = (Durability::default(), Vec::new());
        Ok(Self { path, file, identity, durability, mode, routine: false, torn, buffer })
    }

    /// When a batch counts as written; [`Durability::Synced`] unless this is called.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Takes routine events too ([`EventKind::is_routine`]): several lines a request.
    pub fn with_routine(mut self) -> Self {
        self.routine = true;
        self
    }

    /// Lets the file's group read it too (mode 0640), for a program that ships logs.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn for_group(self) -> io::Result<Self> {
        let (durability, routine) = (self.durability, self.routine);
        let opened = Self::open_as(self.path, 0o640)?;
        set_mode(&opened.file, 0o640)?;
        Ok(Self { durability, routine, ..opened })
    }

    /// Opens the path anew if it names another file than before, or none.
    fn follow(&mut self) -> io::Result<()> {
        let is_same = match fs::metadata(&self.path) {
            Ok(now) => Identity::of(&now) == self.identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !is_same {
            let (file, torn) = open(&self.path, self.mode)?;
            self.identity = Identity::of(&file.metadata()?);
            (self.file, self.torn) = (file, torn);
            if self.durability == Durability::Synced {
                sync_folder(&self.path);
            }
        }
        Ok(())
    }

    fn append(&mut self) -> io::Result<()> {
        let mut left = &self.buffer[..];
        while !left.is_empty() {
            match self.file.write(left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.torn = left[written - 1] != b'\n';
                    left = &left[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.durability == Durability::Synced && self.file.metadata()?.is_file() {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

impl EventSink for JsonLines {
    fn name(&self) -> &'static str {
        "json_lines"
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.routine || !kind.is_routine()
    }

    fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError> {
        self.follow().map_err(SinkError::unavailable)?;
        self.buffer.clear();
        if self.torn {
            self.buffer.push(b'\n');
        }
        for event in events {
            self.buffer.extend_from_slice(event.to_json().as_bytes());
            self.buffer.push(b'\n');
        }
        self.append().map_err(SinkError::unavailable)
    }
}

/// Opens a file to append to it; tells whether its last line has no end.
fn open(path: &Path, mode: u32) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options.open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok((file, false));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777 & !mode != 0 {
        tracing::warn!(path = %path.display(), "the file of session events was open to others: it is closed to them");
        set_mode(&file, mode)?;
    }
    let mut last = [b'\n'];
    if about.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok((file, last != [b'\n']))
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes a new file's name durable. Where a folder can't be synced, the file's content still is.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Which file it is, whatever its name.
#[derive(Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(about: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(about.dev(), about.ino())
    }

    /// Where files have no numbers, one that was moved away is missed and one that took its place is not.
    #[cfg(not(unix))]
    fn of(_: &fs::Metadata) -> Self {
        Self(0, 0)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::event::Source;

    fn events(count: u64) -> Vec<Arc<SessionEvent>> {
        let source = Arc::new(Source::default());
        let event = |sequence| {
            let mut event = SessionEvent::new(EventKind::Created, Arc::from("p"), 1_000, Arc::clone(&source));
            event.sequence = sequence;
            event.principal_kind = Some("user".to_owned());
            event.principal_id = Some("eve\r\n\u{1b}[31m{\"event\":\"forged\"}".to_owned());
            Arc::new(event)
        };
        (1..=count).map(event).collect()
    }

    fn lines(path: &Path) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(path).expect("a file");
        text.lines().map(|line| serde_json::from_str(line).unwrap_or(serde_json::Value::Null)).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    }

    #[test]
    fn whatever_a_principal_is_called_an_event_is_one_line_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        JsonLines::open(&path).unwrap().write(&events(2)).unwrap();
        assert_eq!(mode(&path), 0o600);
        let lines = lines(&path);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["event"], "session_created");
        assert_eq!(lines[1]["time"], "1970-01-01T00:00:01.000Z");
        assert_eq!(lines[1]["principal"]["id"], "eve\r\n\u{1b}[31m{\"event\":\"forged\"}");
        assert!(!fs::read(&path).unwrap().contains(&0x1b));
    }

    #[test]
    fn a_file_that_was_rotated_away_is_let_go_of() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
        let mut sink = JsonLines::open(&path).unwrap();
        sink.write(&events(1)).unwrap();
        fs::rename(&path, &old).unwrap();
        sink.write(&events(2)).unwrap();
        assert_eq!((lines(&old).len(), lines(&path).len(), mode(&path)), (1, 2, 0o600));
        // As logrotate's `create 0644` and `copytruncate` do.
        fs::rename(&path, &old).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        sink.write(&events(3)).unwrap();
        assert_eq!((lines(&path).len(), mode(&path)), (3, 0o600));
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        sink.write(&events(1)).unwrap();
        assert_eq!(lines(&path).len(), 1);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        fs::write(&path, "{\"event\":\"session_cre").unwrap();
        JsonLines::open(&path).unwrap().write(&events(1)).unwrap();
        let lines = lines(&path);
        assert_eq!(
            (lines.len(), lines[0].is_null(), &lines[1]["event"]),
            (2, true, &"session_created".into())
        );
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error_and_the_events_come_once_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        fs::create_dir(&logs).unwrap();
        let path = logs.join("audit.jsonl");
        let mut sink = JsonLines::open(&path).unwrap();
        fs::remove_dir_all(&logs).unwrap();
        assert!(sink.write(&events(1)).unwrap_err().is_retried());
        fs::create_dir(&logs).unwrap();
        sink.write(&events(1)).unwrap();
        assert_eq!(lines(&path).len(), 1);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let full = Path::new("/dev/full");
        if full.exists() {
            assert!(JsonLines::open(full).unwrap().write(&events(1)).unwrap_err().is_retried());
        }
    }

    #[test]
    fn a_group_may_read_where_it_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut sink = JsonLines::open(&path).unwrap().with_routine().for_group().unwrap();
        assert!(sink.wants(EventKind::Loaded));
        sink.write(&events(1)).unwrap();
        assert_eq!(mode(&path), 0o640);
    }
}
