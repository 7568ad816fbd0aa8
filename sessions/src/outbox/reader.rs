//! A consumer's side of an outbox: reads what it has not acknowledged, handles it, acknowledges it.

use std::{fmt, ops::Deref, time::Duration};

use super::{Mark, Outbox, OutboxEvent, Page};
use crate::store::StoreError;

/// How long a reader that has found nothing waits before it looks again: longer each time, up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One consumer of an [`Outbox`].
///
/// What it has acknowledged is kept in the store under its name, so that it goes on there after any end of its process, of the
/// store or of the nodes that write. It is given each event **at least once**: after an end, or an acknowledgement that failed,
/// those that were not acknowledged come again, with the same [`id`](OutboxEvent::id). Two processes of one name are given the
/// same events; each name has its own.
#[derive(Clone, Debug)]
pub struct OutboxReader {
    outbox: Outbox,
    name: String,
}

/// Some events, in order, that a consumer has not acknowledged yet.
#[must_use = "what is not acknowledged comes again"]
pub struct OutboxBatch {
    events: Vec<OutboxEvent>,
    missed: u64,
    marks: Vec<Mark>,
}

impl OutboxReader {
    pub(super) fn new(outbox: Outbox, name: String) -> Self {
        Self { outbox, name }
    }

    /// The name under which it acknowledges.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The oldest events that are not acknowledged, `most` at most (0 counts as 1); waits until there is one, looking at least
    /// every second. A consumer that is new begins with the oldest that is kept.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell. Call it again: nothing is lost by that.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&self, most: usize) -> Result<OutboxBatch, StoreError> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let batch = self.read(most).await?;
            if !batch.is_empty() || batch.missed > 0 {
                return Ok(batch);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The same without waiting: the batch is empty if all is acknowledged.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn read(&self, most: usize) -> Result<OutboxBatch, StoreError> {
        let Page { rows, marks, missed } = self.outbox.keep.read(&self.name, most.max(1)).await?;
        if missed > 0 {
            tracing::warn!(
                consumer = self.name,
                missed,
                "a consumer of session events was away for longer than they are kept"
            );
        }
        let events = rows.into_iter().map(OutboxEvent::read).collect();
        Ok(OutboxBatch { events, missed, marks })
    }

    /// Says that a batch was handled, and has not to come again. Do it **after** what the events cause is done and kept: what
    /// is acknowledged before is lost by a crash in between.
    ///
    /// # Errors
    /// [`StoreError`]: the batch may come again. Acknowledging it once more is fine.
    ///
    /// # Cancel safety
    /// After a dropped future the batch is acknowledged or comes again.
    pub async fn ack(&self, batch: &OutboxBatch) -> Result<(), StoreError> {
        if batch.marks.is_empty() && batch.missed == 0 {
            return Ok(());
        }
        self.outbox.keep.ack(&self.name, &batch.marks, batch.missed).await
    }
}

impl OutboxBatch {
    /// How many events the consumer will never be given, because they were older than `outbox` keeps them before it
    /// acknowledged them; 0 if it was in time.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Deref for OutboxBatch {
    type Target = [OutboxEvent];

    fn deref(&self) -> &[OutboxEvent] {
        &self.events
    }
}

impl fmt::Debug for OutboxBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxBatch")
            .field("events", &self.events)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
