//! Events that are written together with the change that they tell, for consumers that may miss none.
//!
//! A store that keeps an outbox writes what ends a session or changes its privileges in the same atomic step as the change
//! itself: there is no moment at which one of them is stored without the other. Listeners and sinks (`event`) hear the
//! same from the process, at once and without a store, and lose what a crash loses. `docs/EVENTS.md` is the page of both.

mod event;
mod notes;
mod reader;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

pub(crate) use self::notes::{Each, Notes};
pub use self::{
    event::{OutboxEvent, OutboxPrincipal},
    reader::{OutboxBatch, OutboxReader},
};
use crate::store::{Admit, Admitted, Cas, CasOutcome, End, Ended, StoreError};

/// The longest name of a consumer, in bytes.
const LONGEST_NAME: usize = 64;

pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where a store keeps events for consumers: with `stores.NAME.outbox`, on Redis and PostgreSQL. Clones are one.
///
/// ```no_run
/// use sessions::{EventKind, StoreError, outbox::Outbox};
///
/// async fn consume(outbox: Outbox) -> Result<(), StoreError> {
///     let reader = outbox.reader("mail").expect("a name of letters");
///     loop {
///         let batch = reader.next(100).await?;
///         for event in batch.iter().filter(|event| event.kind() == Some(EventKind::CredentialsChanged)) {
///             println!("to the owner of {:?}: your password was changed", event.principal);
///         }
///         reader.ack(&batch).await?;
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Outbox {
    keep: Arc<dyn Keep>,
}

impl Outbox {
    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(crate) fn new(keep: impl Keep + 'static) -> Self {
        Self { keep: Arc::new(keep) }
    }

    /// The consumer of a name, which is 1 to 64 ASCII letters, digits, `-`, `_` and `.`; `None` for another one.
    pub fn reader(&self, name: &str) -> Option<OutboxReader> {
        let is_name = (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        is_name.then(|| OutboxReader::new(self.clone(), name.to_owned()))
    }

    /// Forgets what a consumer has acknowledged: one of that name is new then, and begins with the oldest event that is kept.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    ///
    /// # Cancel safety
    /// After a dropped future it is forgotten or not.
    pub async fn forget(&self, consumer: &str) -> Result<(), StoreError> {
        self.keep.forget(consumer).await
    }

    pub(crate) fn cas(&self, write: Cas, notes: Box<Notes>) -> Answer<'_, CasOutcome> {
        self.keep.cas(write, notes)
    }

    pub(crate) fn admit(&self, admit: Admit, notes: Box<Notes>) -> Answer<'_, Admitted> {
        self.keep.admit(admit, notes)
    }

    pub(crate) fn end(&self, end: End, notes: Box<Notes>) -> Answer<'_, Ended> {
        self.keep.end(end, notes)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outbox").field(&self.keep).finish()
    }
}

/// A store that keeps an outbox: its writes with notes, and what consumers ask of it.
pub(crate) trait Keep: Send + Sync + fmt::Debug {
    /// [`SessionStore::cas`](crate::SessionStore::cas), and the notes if it is stored.
    fn cas(&self, write: Cas, notes: Box<Notes>) -> Answer<'_, CasOutcome>;
    /// [`SessionStore::admit`](crate::SessionStore::admit), and the notes if it is stored.
    fn admit(&self, admit: Admit, notes: Box<Notes>) -> Answer<'_, Admitted>;
    /// [`SessionStore::end`](crate::SessionStore::end), and the notes if a session has ended, or all of an owner were to.
    fn end(&self, end: End, notes: Box<Notes>) -> Answer<'_, Ended>;
    /// The oldest events that a consumer has not acknowledged.
    fn read<'a>(&'a self, consumer: &'a str, most: usize) -> Answer<'a, Page>;
    /// Keeps how far a consumer is, and that it knows of so many that it missed.
    fn ack<'a>(&'a self, consumer: &'a str, marks: &'a [Mark], missed: u64) -> Answer<'a, ()>;
    /// Forgets a consumer.
    fn forget<'a>(&'a self, consumer: &'a str) -> Answer<'a, ()>;
}

/// How far a consumer is in one of the store's streams.
#[cfg_attr(
    not(any(feature = "postgres", feature = "redis")),
    allow(dead_code, reason = "only stores with an outbox read it")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which stream; a store with one has 0.
    pub(crate) stream: u16,
    /// The place of the last event, as the store counts.
    pub(crate) place: (u64, u64),
}

/// What a read finds.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Events as they were written.
    pub(crate) rows: Vec<String>,
    /// How far the consumer is once it has handled them.
    pub(crate) marks: Vec<Mark>,
    /// How many it will never be given.
    pub(crate) missed: u64,
}
