//! What a change is to leave in the outbox of its store: the events that listeners are told of it, made before it.

use super::SessionEngine;
use crate::{
    event::{EventKind, SessionEvent},
    outbox::{Each, Notes},
    record::Record,
    token::SessionId,
};

/// What a write in place means beside what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Nothing,
    /// The principal has confirmed who it is.
    Confirmed,
    /// The principal has left, and the session with it.
    Left,
}

/// Notes that are being made.
pub(super) struct Notebook<'a> {
    engine: &'a SessionEngine,
    notes: Notes,
}

impl SessionEngine {
    pub(super) fn has_outbox(&self) -> bool {
        self.shared.store.as_ref().is_some_and(crate::SharedStore::has_outbox)
    }

    /// What `write` notes, if the store keeps an outbox and there is something to note. Nothing is made where it doesn't.
    pub(super) fn notes(&self, write: impl FnOnce(&mut Notebook<'_>)) -> Option<Box<Notes>> {
        if !self.has_outbox() {
            return None;
        }
        let mut book = Notebook { engine: self, notes: Notes::default() };
        write(&mut book);
        let notes = book.notes;
        (!notes.events.is_empty() || notes.each.is_some()).then(|| Box::new(notes))
    }
}

impl Notebook<'_> {
    /// One event of the change.
    pub(super) fn event(&mut self, kind: EventKind, fill: impl FnOnce(&mut SessionEvent)) {
        let event = self.engine.made(kind, fill);
        self.notes.events.push(self.engine.shared.bus.note(&event, ""));
    }

    /// One event for each session that ends by the change.
    pub(super) fn each(&mut self, kind: EventKind, fill: impl FnOnce(&mut SessionEvent)) {
        let event = self.engine.made(kind, |event| {
            fill(event);
            event.handle = Some(SessionId::new(0, [0; 16]).handle());
        });
        let of_one = format!(".{}", Each::PLACE);
        self.notes.each = Each::of(&self.engine.shared.bus.note(&event, &of_one));
    }

    /// A login, and those that it evicts.
    pub(super) fn login(&mut self, record: &Record) {
        self.each(EventKind::Evicted, |event| {
            event.of(record);
            event.reason = Some("limit");
        });
        for kind in [EventKind::Created, EventKind::Authenticated] {
            self.event(kind, |event| {
                event.of(record);
                event.reason = Some("login");
            });
        }
    }

    /// A write in place of one record by the next.
    pub(super) fn rewrite(&mut self, current: &Record, next: &Record, says: Says) {
        match says {
            Says::Nothing => {}
            Says::Confirmed => self.event(EventKind::Authenticated, |event| {
                event.of(next);
                event.reason = Some("confirmation");
            }),
            Says::Left => self.event(EventKind::LoggedOut, |event| {
                event.of(current);
                event.reason = Some("logout");
            }),
        }
        if !next.digest.matches(&current.digest) {
            self.event(EventKind::Rotated, |event| {
                event.of(next);
                event.reason = Some(next.rotation());
            });
        }
    }
}
