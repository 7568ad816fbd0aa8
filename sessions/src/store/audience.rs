//! Who in this process wants to hear of endings, and whether they can be told: what the stores on a network share. How a
//! store hears of them itself is its own.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Endings, SessionId};

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

    /// A session has ended, or has changed hands.
    pub(super) fn ended(&self, id: SessionId) {
        self.held().all.iter().for_each(|to| to.ended(id));
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
    /// Endings are heard of from now on.
    pub(super) fn up(&self) {
        let mut held = self.0.held();
        if !std::mem::replace(&mut held.is_up, true) {
            held.all.retain(Endings::is_open);
            held.all.iter().for_each(Endings::restored);
        }
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
