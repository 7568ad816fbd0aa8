//! What happened to a session, told to whoever listens, never on the request's time.
//!
//! [`EventKind`] is the table of what there is, [`SessionEvent`] one of it. [`EventSink`] takes events: [`LogSink`] writes
//! them to the log, [`JsonLines`] to a file; [`EventReceiver`] hands them to a task. `docs/EVENTS.md` is the table as a page.

mod bus;
mod channel;
mod kind;
mod lines;
mod log;
mod occurrence;
mod sink;
mod source;

pub(crate) use self::{
    bus::Bus,
    occurrence::instant,
    source::{About, Source},
};
pub use self::{
    bus::EVENT_QUEUE,
    channel::EventReceiver,
    kind::EventKind,
    lines::{Durability, JsonLines},
    log::LogSink,
    occurrence::SessionEvent,
    sink::{EventSink, SinkError, SinkStats},
    source::{EventPrincipals, PseudonymKey, RequestId},
};
