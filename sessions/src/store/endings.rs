//! How a store that hears of endings in other processes tells of them. What becomes of the sockets is the watches'.

use std::{fmt, sync::Weak, time::Instant};

use super::{SessionId, Version};
use crate::watch::Hub;

/// Where a [`SessionStore`](super::SessionStore) tells that sessions have ended, or changed their id by a change of
/// privilege: by a publication, a notification, or whatever it hears.
///
/// Nothing told here is believed: the session is loaded, and what is stored decides. So one word too many costs a load, and
/// the reason need not travel. Words for sessions without a socket in this process cost a look into a table. Clones tell the
/// same sockets, and keep nothing alive.
///
/// ```
/// use sessions::{SessionId, store::Endings};
///
/// /// What a store's task does with each message that it is sent.
/// fn heard(endings: &[Endings], ended: SessionId) {
///     for to in endings {
///         to.ended(ended);
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Endings {
    hub: Weak<Hub>,
}

impl Endings {
    pub(crate) fn new(hub: Weak<Hub>) -> Self {
        Self { hub }
    }

    /// This session may have ended, or been given another id by a change of privilege. Never waits.
    pub fn ended(&self, id: SessionId) {
        if let Some(hub) = self.hub.upgrade() {
            hub.look_at(id);
        }
    }

    /// A write that was [`announced`](super::Cas::announced) has left a record of this version. Never waits.
    pub fn written(&self, id: SessionId, version: Version) {
        if let Some(hub) = self.hub.upgrade() {
            hub.hear_of(id, version);
        }
    }

    /// Whatever was told before this instant, and since the last [`restored`](Self::restored), has been heard. Copies of
    /// sessions (`near_cache`) are used only as long as the last such instant is recent, so a store that never says so has
    /// none: say it at least each second, after an answer that can't have come before what was told earlier.
    pub fn heard_until(&self, asked: Instant) {
        if let Some(hub) = self.hub.upgrade() {
            hub.near.heard_until(asked);
        }
    }

    /// From now on endings may be missed, as where a connection broke: until [`restored`](Self::restored), sockets are
    /// looked for as often as if the store told nothing.
    pub fn lost(&self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.set_told(false);
        }
    }

    /// Endings are told again: what was missed is looked for at once.
    pub fn restored(&self) {
        if let Some(hub) = self.hub.upgrade() {
            hub.set_told(true);
        }
    }

    /// Whether anyone may still want to hear: a store forgets the others.
    pub fn is_open(&self) -> bool {
        self.hub.strong_count() > 0
    }
}

impl fmt::Debug for Endings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endings").field("is_open", &self.is_open()).finish()
    }
}
