//! The threads of a store and their queues: how they start, how an operation reaches them, how they end.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::sync::{oneshot, watch};

use super::{
    failure::Failure,
    open::{self, File, Setup},
    operation::Write,
    queue::{Queue, Refused},
    reader::{self, Read},
    writer::{self, Writer},
};
use crate::store::StoreError;

/// How many threads read.
const READERS: usize = 3;

/// The threads of one open file. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Threads {
    path: PathBuf,
    queues: Arc<Queues>,
    /// How it ended, once it has.
    ended: watch::Receiver<Option<Result<(), Failure>>>,
}

struct Queues {
    writes: Queue<Box<dyn writer::Queued>>,
    reads: Queue<Box<dyn reader::Queued>>,
}

/// Closes the queues even if the writer dies, so that no one waits for it.
struct ClosesAll(Arc<Queues>);

impl Threads {
    /// Opens a file and starts its threads. All of it on those threads, because it waits for locks and for the disk.
    pub(super) async fn start(path: PathBuf, setup: Setup) -> Result<Self, StoreError> {
        let queues = Arc::new(Queues { writes: Queue::new(), reads: Queue::new() });
        let (opened, open) = oneshot::channel();
        let (end, ended) = watch::channel(None);
        let theirs = Arc::clone(&queues);
        let to_open = path.clone();
        let spawned = spawn("sessions-writer", move || {
            let _closes = ClosesAll(Arc::clone(&theirs));
            let (writer, file, readers) = match begin(&to_open, setup, &theirs) {
                Ok(begun) => begun,
                Err(failure) => {
                    let _ = opened.send(Err(failure));
                    return;
                }
            };
            // If no one waits for it any more, the queues are closed already, and it ends at once.
            let _ = opened.send(Ok(file.path().to_owned()));
            let outcome = work(writer, readers, &theirs);
            let _ = end.send(Some(outcome));
        });
        spawned.map_err(|error| Failure::thread(&path, &error).unavailable())?;
        // From here on, dropping it ends the thread.
        let mut threads = Self { path, queues, ended };
        threads.path = match open.await {
            Ok(opened) => opened.map_err(Failure::unavailable)?,
            Err(_) => return Err(threads.closed()),
        };
        Ok(threads)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Has an operation read by whichever thread is free.
    pub(super) async fn read<R: Read>(&self, operation: R) -> Result<R::Answer, StoreError> {
        let (pending, answer) = reader::pending(operation);
        self.queues.reads.push(pending).map_err(|refused| self.refused(refused))?;
        answer.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Has an operation written. It is, or is not, whether or not its caller waits for the answer.
    pub(super) async fn write<W: Write>(&self, operation: W) -> Result<W::Answer, StoreError> {
        let (pending, answer) = writer::Pending::new(operation);
        self.queues.writes.push(pending).map_err(|refused| self.refused(refused))?;
        // A thread that dies leaves open whether it had committed.
        answer.await.unwrap_or(Err(StoreError::Unknown(None)))
    }

    /// Ends the threads when they have answered what waits, and tells how the file was closed.
    pub(super) async fn shutdown(&self) -> Result<(), StoreError> {
        self.queues.writes.close();
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Err(failure))) => Err(failure.clone().unavailable()),
            Ok(_) => Ok(()),
            Err(_) => Err(self.closed()),
        }
    }

    fn refused(&self, refused: Refused) -> StoreError {
        match refused {
            Refused::Closed => self.closed(),
            Refused::Full => Failure::overloaded(&self.path).unavailable(),
        }
    }

    fn closed(&self) -> StoreError {
        Failure::closed(&self.path).unavailable()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queues.close();
    }
}

impl Queues {
    fn close(&self) {
        self.writes.close();
        self.reads.close();
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queues")
    }
}

impl Drop for ClosesAll {
    fn drop(&mut self) {
        self.0.reads.close();
        self.0.writes.abandon();
    }
}

type Begun = (Writer, File, Vec<JoinHandle<()>>);

/// Opens the file and starts what reads.
fn begin(path: &Path, setup: Setup, queues: &Arc<Queues>) -> Result<Begun, Failure> {
    let (connection, file) = open::open(path, setup)?;
    let readers: Result<Vec<_>, Failure> = (1..=READERS)
        .map(|number| {
            let (connection, file, queues) = (file.reader()?, file.clone(), Arc::clone(queues));
            spawn(&format!("sessions-read-{number}"), move || reader::run(&connection, &file, &queues.reads))
                .map_err(|error| Failure::thread(path, &error))
        })
        .collect();
    Ok((Writer::new(connection, file.clone()), file, readers?))
}

/// Writes until the queue is closed, then closes the file.
fn work(mut writer: Writer, readers: Vec<JoinHandle<()>>, queues: &Queues) -> Result<(), Failure> {
    writer.run(&queues.writes);
    queues.reads.close();
    for reader in readers {
        // One that died has told its callers.
        let _ = reader.join();
    }
    // No one of this process reads any more, so that the whole log can go.
    writer.checkpoint()
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}
