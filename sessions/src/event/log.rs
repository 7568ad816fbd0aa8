//! A sink that writes events to the program's log.

use std::sync::Arc;

use super::{EventSink, SessionEvent, SinkError};
use crate::fault::Severity;

/// Writes events to `tracing`, with the target `sessions::event`: routine ones at `DEBUG`, the others at `INFO`, `WARN` or
/// `ERROR` by their severity. The field `event` is the stable name, the others are those of the event's JSON.
///
/// ```
/// # sessions::policies! { shop: { extends: "user_default" } }
/// use sessions::event::LogSink;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sessions::LoadError> {
/// let registry = policies::Registry::load().await?;
/// registry.add_sink(LogSink);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSink;

/// Writes one event at a level, which has to be a constant.
macro_rules! log {
    ($level:ident, $event:ident) => {
        tracing::event!(
            target: "sessions::event",
            tracing::Level::$level,
            id = $event.id(),
            event = $event.kind.name(),
            policy = &*$event.policy,
            handle = $event.handle.map(tracing::field::display),
            principal_kind = $event.principal_kind.as_deref(),
            principal_id = $event.principal_id.as_deref(),
            reason = $event.reason,
            fault = $event.fault.map(crate::Fault::code),
            detail = $event.detail,
            count = $event.count,
            request = $event.request.as_ref().map(tracing::field::display),
            peer = $event.peer.map(tracing::field::display),
            node = $event.node(),
        )
    };
}

impl EventSink for LogSink {
    fn name(&self) -> &'static str {
        "log"
    }

    fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError> {
        for event in events {
            match event.severity() {
                Severity::Info if event.kind.is_routine() => log!(DEBUG, event),
                Severity::Info => log!(INFO, event),
                Severity::Warning => log!(WARN, event),
                Severity::Error => log!(ERROR, event),
            }
        }
        Ok(())
    }
}
