//! The thread that does the work of a store: one operation after another, each on disk before it is answered.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    book::{Book, Step},
    folder::{Failed, Folder},
};
use crate::store::{Millis, StoreError};

/// What an operation waits for its turn without being any later for it: clocks are no better.
const SLACK: Duration = Duration::from_millis(50);

/// Something to do at the desk.
pub(super) type Job = Box<dyn FnOnce(&mut Desk) + Send>;

/// What the thread works with.
pub(super) struct Desk {
    /// `None` after a shutdown.
    folder: Option<Folder>,
    /// `None` after something that may or may not have happened: the folder says what is true.
    book: Option<Book>,
}

/// Starts the thread. It ends when no one can send it anything any more.
///
/// # Errors
/// The system gives no thread.
pub(super) fn start(
    directory: PathBuf,
    opened: oneshot::Sender<Result<(), StoreError>>,
) -> std::io::Result<mpsc::Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    thread::Builder::new().name("sessions-file".to_owned()).spawn(move || {
        let mut desk = match Desk::open(&directory) {
            Ok(desk) => desk,
            Err(error) => {
                let _ = opened.send(Err(unavailable(error)));
                return;
            }
        };
        if opened.send(Ok(())).is_err() {
            return;
        }
        for job in jobs {
            // A panic takes the book along, which is read anew: what it left half done is not true anywhere.
            if catch_unwind(AssertUnwindSafe(|| job(&mut desk))).is_err() {
                tracing::error!(
                    "an operation of the session store in files panicked: its files are read again"
                );
            }
        }
    })?;
    Ok(sender)
}

impl Desk {
    fn open(directory: &std::path::Path) -> std::io::Result<Self> {
        let folder = Folder::open(directory)?;
        let book = Some(read(&folder)?);
        Ok(Self { folder: Some(folder), book })
    }

    /// Decides an operation by the book, and makes its changes true: on disk first. With `late`, it is not done after
    /// that instant, and this is the answer.
    pub(super) fn run<T>(
        &mut self,
        late: Option<(Instant, T)>,
        decide: impl FnOnce(&mut Book) -> Step<T>,
    ) -> Result<T, StoreError> {
        let folder = self.folder.as_ref().ok_or_else(closed)?;
        let mut book = match self.book.take() {
            Some(book) => book,
            None => read(folder).map_err(unavailable)?,
        };
        let Step { answer, changes } = decide(&mut book);
        let written = folder.write(&changes, late.as_ref().map(|(instant, _)| *instant));
        let answer = match (written, late) {
            (Ok(()), _) => {
                book.apply(changes);
                Ok(answer)
            }
            (Err(Failed::Late), Some((_, late))) => Ok(late),
            (Err(Failed::Late), None) => Ok(answer),
            (Err(Failed::Certainly(error)), _) => Err(unavailable(error)),
            // The book is left closed: what is true now, the folder says.
            (Err(Failed::Perhaps(error)), _) => return Err(StoreError::Unknown(Some(Box::new(error)))),
        };
        self.book = Some(book);
        answer
    }

    /// Gives up the folder. Everything that was answered is on disk.
    pub(super) fn close(&mut self) {
        self.book = None;
        self.folder = None;
    }
}

/// The last instant at which a write may be made that was called now.
pub(super) fn last_instant(now: Millis, deadline: Millis) -> Option<Instant> {
    let left = Duration::from_millis(deadline.saturating_sub(now));
    Instant::now().checked_add(left)?.checked_add(SLACK)
}

fn read(folder: &Folder) -> std::io::Result<Book> {
    let mut book = Book::default();
    for content in folder.read()? {
        book.add(content);
    }
    Ok(book)
}

fn unavailable(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(Some(Box::new(error)))
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable(Some("the store was shut down".into()))
}
