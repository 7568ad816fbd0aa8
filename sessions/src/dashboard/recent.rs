//! The last events, kept in this process for the pages: no store can say what has happened.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

use crate::{
    event::{EventKind, EventSink, SessionEvent, SinkError},
    token::Handle,
};

/// The last events; clones are one list.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    events: Arc<Mutex<VecDeque<Arc<SessionEvent>>>>,
    since: DateTime<Utc>,
}

/// Someone who was seen, and when last.
pub(super) struct Seen {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) last: Arc<SessionEvent>,
}

impl Recent {
    /// An empty list that begins now.
    pub(super) fn new(since: DateTime<Utc>) -> Self {
        Self { events: Arc::default(), since }
    }

    /// What fills it.
    pub(super) fn sink(&self, most: usize) -> impl EventSink + use<> {
        Remembering { recent: self.clone(), most }
    }

    /// When it began to listen.
    pub(super) fn since(&self) -> DateTime<Utc> {
        self.since
    }

    /// The newest events that are asked for, at most so many.
    pub(super) fn latest(
        &self,
        most: usize,
        asked: impl Fn(&SessionEvent) -> bool,
    ) -> Vec<Arc<SessionEvent>> {
        self.events().iter().rev().filter(|event| asked(event)).take(most).cloned().collect()
    }

    /// Who was seen last, at most so many.
    pub(super) fn principals(&self, most: usize) -> Vec<Seen> {
        let mut seen: Vec<Seen> = Vec::new();
        for event in self.events().iter().rev() {
            let (Some(kind), Some(id)) = (&event.principal_kind, &event.principal_id) else { continue };
            if seen.iter().any(|other| other.kind == *kind && other.id == *id) {
                continue;
            }
            seen.push(Seen { kind: kind.clone(), id: id.clone(), last: Arc::clone(event) });
            if seen.len() == most {
                break;
            }
        }
        seen
    }

    /// Whose session this is, as far as an event has told it.
    pub(super) fn owner(&self, handle: Handle) -> Option<(String, String)> {
        let events = self.events();
        let mut named = events.iter().rev().filter(|event| event.handle == Some(handle));
        named.find_map(|event| event.principal_kind.clone().zip(event.principal_id.clone()))
    }

    fn events(&self) -> MutexGuard<'_, VecDeque<Arc<SessionEvent>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fills the list, on a thread of its own.
struct Remembering {
    recent: Recent,
    most: usize,
}

impl EventSink for Remembering {
    fn name(&self) -> &'static str {
        "dashboard"
    }

    fn wants(&self, kind: EventKind) -> bool {
        // What every request makes would push out what is worth knowing, and cost each of them an event.
        !kind.is_routine()
    }

    fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError> {
        let mut kept = self.recent.events();
        kept.extend(events.iter().cloned());
        let over = kept.len().saturating_sub(self.most);
        kept.drain(..over);
        Ok(())
    }
}
