//! What takes events, and what it may say when it can't.

use std::{error::Error, fmt, sync::Arc};

use super::{EventKind, SessionEvent};

/// Takes events, in batches and on a thread of its own: it may block, and never slows a request.
///
/// What it is given waits in a bounded queue. A batch that it could not write is given again, with longer and longer
/// pauses, until it is written: so it may have to tell by [`SessionEvent::id`] that it has an event already. While it
/// fails or hangs, events wait as long as there is room; those that find the queue full are dropped, and the next batch
/// begins with an [`EventKind::EventsDropped`] that counts them.
///
/// ```
/// use std::sync::Arc;
/// use sessions::{EventKind, EventSink, SessionEvent, SinkError};
///
/// struct Mail;
///
/// impl EventSink for Mail {
///     fn name(&self) -> &'static str {
///         "mail"
///     }
///
///     fn wants(&self, kind: EventKind) -> bool {
///         matches!(kind, EventKind::Reused | EventKind::CredentialsChanged)
///     }
///
///     fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError> {
///         for event in events {
///             println!("to the owner of {:?}: {}", event.handle, event.kind.about());
///         }
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no session events",
    note = "implement `sessions::EventSink` for it, or pass a closure to `on_event`"
)]
pub trait EventSink: Send + 'static {
    /// Names it in logs, metrics and [`SinkStats`]: a word that is fixed.
    fn name(&self) -> &'static str;

    /// Whether it wants events of a kind; it is asked once, when it is added. The default wants all of them.
    /// [`EventKind::EventsDropped`] is about the sink itself, and comes in any case.
    fn wants(&self, kind: EventKind) -> bool {
        let _ = kind;
        true
    }

    /// Writes a batch, at least one event and in order; when it returns `Ok`, all of it is as durable as the sink
    /// promises.
    ///
    /// # Errors
    /// [`SinkError`]: whether the batch is to be given again. A panic counts as [`SinkError::refused`].
    fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError>;
}

/// Why a batch of events was not written.
#[derive(Debug)]
pub struct SinkError {
    source: Box<dyn Error + Send + Sync>,
    again: bool,
}

impl SinkError {
    /// It may work later: the batch is given again.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), again: true }
    }

    /// It will never be written: the batch is dropped and counted.
    pub fn refused(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), again: false }
    }

    /// Whether the batch is given again.
    pub fn is_retried(&self) -> bool {
        self.again
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.again { "the events can't be written now" } else { "the events were refused" })
    }
}

impl Error for SinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// What became of one sink's events since it was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStats {
    /// The sink's name.
    pub name: &'static str,
    /// Events that it did not get, because its queue was full or it refused them.
    pub dropped: u64,
    /// Batches that could not be written, each try counted.
    pub failures: u64,
}

/// A closure as a sink. One that panics is told in the log, and gets the next event all the same.
pub(super) struct Closure<F>(pub(super) F);

impl<F: Fn(&SessionEvent) + Send + 'static> EventSink for Closure<F> {
    fn name(&self) -> &'static str {
        "closure"
    }

    fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError> {
        for event in events {
            let heard = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.0)(event)));
            if heard.is_err() {
                tracing::error!(event = event.kind.name(), "a listener for session events panicked");
            }
        }
        Ok(())
    }
}
