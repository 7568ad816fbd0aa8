//! Who in this process wants to hear of endings, and whether they can be told: what the stores on a network share. How a
//! store hears of them itself is its own.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{Endings, SessionId, Version};

/// What processes tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A session has ended.
    Ended(SessionId),
    /// A record of this version was written.
    Written(SessionId, Version),
}

impl Word {
    /// What is said of a session: a version in 16 hexadecimal digits, or nothing.
    pub(super) fn of(id: SessionId, version: &[u8]) -> Option<Self> {
        if version.is_empty() {
            return Some(Self::Ended(id));
        }
        let digits = std::str::from_utf8(version).ok().filter(|digits| digits.len() == 16)?;
        let version = u64::from_str_radix(digits, 16).ok()?;
        Some(Self::Written(id, Version::of_record(&version.to_be_bytes())))
    }
}

/// Those who want to hear of endings.
#[derive(Default)]
pub(super) struct Audience {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: Vec<Endings>,
    /// Endings are heard of now.
    is_up: bool,
    /// A task hears of them, or tries to.
    is_attended: bool,
}

impl Audience {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more. It is told at once if there is nothing to hear yet.
    pub(super) fn join(&self, to: Endings) {
        let mut held = self.held();
        held.all.retain(Endings::is_open);
        if !held.is_up {
            to.lost();
        }
        held.all.push(to);
    }

    /// What a task holds that hears of endings; `None` if there is one.
    pub(super) fn attend(self: &Arc<Self>) -> Option<Attendance> {
        let was_attended = std::mem::replace(&mut self.held().is_attended, true);
        (!was_attended).then(|| Attendance(Arc::clone(self)))
    }

    /// Something was heard.
    pub(super) fn tell(&self, word: Word) {
        self.held().all.iter().for_each(|to| match word {
            Word::Ended(id) => to.ended(id),
            Word::Written(id, version) => to.written(id, version),
        });
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audience").finish_non_exhaustive()
    }
}

/// The one task that hears of endings. Once it is gone, whatever ended it, everyone knows that nothing is heard.
#[derive(Debug)]
pub(super) struct Attendance(Arc<Audience>);

impl Attendance {
    /// Endings are heard of: all that was told since they are, and before this instant, has been.
    pub(super) fn up(&self, asked: Instant) {
        let mut held = self.0.held();
        if !std::mem::replace(&mut held.is_up, true) {
            held.all.retain(Endings::is_open);
            held.all.iter().for_each(Endings::restored);
        }
        held.all.iter().for_each(|to| to.heard_until(asked));
    }

    /// Nothing is heard until further notice.
    pub(super) fn down(&self) {
        let mut held = self.0.held();
        if std::mem::replace(&mut held.is_up, false) {
            held.all.iter().for_each(Endings::lost);
        }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.down();
        self.0.held().is_attended = false;
    }
}
