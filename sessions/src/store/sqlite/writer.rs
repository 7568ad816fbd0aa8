//! The one thread that writes: it takes what waits into one transaction, commits, and only then answers.

use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    failure::Failure,
    open::File,
    operation::Write,
    queue::{Answer, Queue},
    rows::Rows,
};
use crate::store::StoreError;

/// The most operations of one transaction.
pub(super) const BATCH: usize = 64;

/// How long the writer waits for those whom it has just answered to come back: without it, the first of them would be
/// committed alone, and everyone else would wait for that.
const LINGER: Duration = Duration::from_micros(250);

/// An operation in the queue, of whatever kind.
pub(super) trait Queued: Send {
    /// Applies it and keeps its answer.
    fn apply(&mut self, rows: &Rows<'_>) -> rusqlite::Result<()>;

    /// Tells the caller, who may be gone, what [`apply`](Self::apply) kept.
    fn answer(self: Box<Self>);

    /// Tells the caller that it failed.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// An operation, its answer once there is one, and who waits for it.
pub(super) struct Pending<W: Write> {
    operation: W,
    called: Instant,
    applied: Option<W::Answer>,
    caller: oneshot::Sender<Result<W::Answer, StoreError>>,
}

impl<W: Write> Pending<W> {
    /// Puts an operation into a form that can wait, and gives where its answer comes.
    pub(super) fn new(operation: W) -> (Box<Self>, Answer<W::Answer>) {
        let (caller, answer) = oneshot::channel();
        (Box::new(Self { operation, called: Instant::now(), applied: None, caller }), answer)
    }
}

impl<W: Write> Queued for Pending<W> {
    fn apply(&mut self, rows: &Rows<'_>) -> rusqlite::Result<()> {
        self.applied = Some(self.operation.apply(rows, self.called)?);
        Ok(())
    }

    fn answer(self: Box<Self>) {
        let answer = self.applied.ok_or(StoreError::Unavailable(None));
        // Who has stopped waiting does not need it.
        let _ = self.caller.send(answer);
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.caller.send(Err(error));
    }
}

type Batch = Vec<Box<dyn Queued>>;

/// The connection that writes.
pub(super) struct Writer {
    connection: Connection,
    file: File,
    failing: bool,
}

/// Why a transaction was not committed.
enum Stopped {
    /// Before its commit: certainly not applied.
    Before(Failure),
    /// An operation failed; the others may do without it.
    In(Failure),
    /// In its commit.
    Commit(Failure),
}

impl Writer {
    pub(super) fn new(connection: Connection, file: File) -> Self {
        Self { connection, file, failing: false }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(&mut self, queue: &Queue<Box<dyn Queued>>) {
        let (mut batch, mut last) = (Batch::new(), 1);
        while queue.pop_many(&mut batch, BATCH, last, LINGER) {
            last = batch.len();
            self.write(&mut batch);
        }
    }

    /// Everything in one transaction; if an operation fails, each in its own.
    fn write(&mut self, batch: &mut Batch) {
        match self.transact(batch) {
            Ok(()) => {
                self.works();
                answer(batch);
            }
            Err(Stopped::In(_)) if batch.len() > 1 => {
                for operation in batch.drain(..) {
                    self.write(&mut vec![operation]);
                }
            }
            Err(Stopped::Before(failure) | Stopped::In(failure)) => {
                self.fails(&failure);
                refuse(batch, || failure.clone().unavailable());
            }
            Err(Stopped::Commit(failure)) => {
                self.fails(&failure);
                refuse(batch, || failure.clone().of_commit());
            }
        }
    }

    fn transact(&mut self, batch: &mut Batch) -> Result<(), Stopped> {
        let path = self.file.path();
        let failed = |error| Failure::of(error, path);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| Stopped::Before(failed(error)))?;
        self.file.check().map_err(Stopped::Before)?;
        let rows = Rows::new(&transaction);
        for operation in batch.iter_mut() {
            operation.apply(&rows).map_err(|error| Stopped::In(failed(error)))?;
        }
        rows.count().map_err(|error| Stopped::Before(failed(error)))?;
        transaction.commit().map_err(|error| Stopped::Commit(failed(error)))
    }

    fn works(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!(path = %self.file.path().display(), "the session database is written again");
        }
    }

    /// Logs the first failure of a row: every caller is told of its own.
    fn fails(&mut self, failure: &Failure) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(
                error = failure as &dyn std::error::Error,
                "a write to the session database failed"
            );
        }
    }

    /// Brings everything from the log into the file. Another process that reads may keep some of it for later.
    pub(super) fn checkpoint(&self) -> Result<(), Failure> {
        let checkpointed = self.connection.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        checkpointed.map_err(|error| Failure::of(error, self.file.path()))
    }
}

fn answer(batch: &mut Batch) {
    for operation in batch.drain(..) {
        operation.answer();
    }
}

fn refuse(batch: &mut Batch, error: impl Fn() -> StoreError) {
    for operation in batch.drain(..) {
        operation.refuse(error());
    }
}
