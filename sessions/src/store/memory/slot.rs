//! One row of a shard for each id: a session or its tombstone. When one becomes the other is the shard's to say.

use std::sync::Arc;

use super::{
    due::Queued,
    table::{NONE, Row},
};
use crate::store::{EndReason, Millis, SessionId, Stored, last_seen};

/// What is known under one id, in one cache line: a look-up that finds it has to wait for memory once.
///
/// Each slot is in exactly one [`List`](super::list::List): its owner's, the anonymous sessions', or the tombstones'.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) id: SessionId,
    /// Whether an anonymous session was used since it was last passed over for eviction.
    pub(super) used: bool,
    last_seen: Instant,
    /// When the session is dead, or the tombstone forgotten. Never before the slot's node in the heap.
    expires: Instant,
    pub(super) state: State,
    /// The row of its owner; [`NONE`] for an anonymous session and for a tombstone.
    pub(super) owner: u32,
    pub(super) older: u32,
    pub(super) newer: u32,
    position: u32,
}

/// A session's record, or why there is none any more.
#[derive(Debug)]
pub(super) enum State {
    Live(Arc<[u8]>),
    Ended(EndReason),
}

/// Milliseconds since the Unix epoch in 48 bits: exact until the year 10889, and what is later is never.
#[derive(Clone, Copy, Debug)]
struct Instant([u8; 6]);

impl Slot {
    pub(super) fn live(id: SessionId, owner: u32, record: Arc<[u8]>, expires: Millis) -> Self {
        Self {
            id,
            used: false,
            last_seen: last_seen(&record).into(),
            expires: expires.into(),
            state: State::Live(record),
            owner,
            older: NONE,
            newer: NONE,
            position: NONE,
        }
    }

    /// The session, if it is one.
    pub(super) fn stored(&self) -> Option<Stored> {
        match &self.state {
            State::Live(record) => {
                Some(Stored { record: Arc::clone(record), last_seen: self.last_seen.into() })
            }
            State::Ended(_) => None,
        }
    }

    /// Whether this is a session, dead or alive, and no tombstone.
    pub(super) fn is_session(&self) -> bool {
        matches!(self.state, State::Live(_))
    }

    pub(super) fn expires(&self) -> Millis {
        self.expires.into()
    }

    pub(super) fn set_expires(&mut self, expires: Millis) {
        self.expires = expires.into();
    }

    pub(super) fn last_seen(&self) -> Millis {
        self.last_seen.into()
    }

    /// Notes a use, which may have been before one that is known.
    pub(super) fn seen(&mut self, at: Millis) {
        if at > self.last_seen() {
            self.last_seen = at.into();
        }
    }
}

impl From<Millis> for Instant {
    fn from(at: Millis) -> Self {
        let [0, 0, rest @ ..] = at.to_be_bytes() else { return Self([u8::MAX; 6]) };
        Self(rest)
    }
}

impl From<Instant> for Millis {
    fn from(instant: Instant) -> Self {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&instant.0);
        Self::from_be_bytes(bytes)
    }
}

impl Row for Slot {
    type Key = SessionId;

    fn key(&self) -> &SessionId {
        &self.id
    }

    fn bits(id: &SessionId) -> u64 {
        let [high, low] = [id.sid().first_chunk(), id.sid().last_chunk()]
            .map(|half| half.map_or(0, |bytes| u64::from_be_bytes(*bytes)));
        high.rotate_left(32) ^ low ^ u64::from(id.bucket())
    }
}

impl Queued for Slot {
    fn position(&self) -> u32 {
        self.position
    }

    fn set_position(&mut self, position: u32) {
        self.position = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_one_cache_line() {
        assert_eq!(size_of::<Option<Slot>>(), 64, "each byte here is a byte for every session");
    }

    #[test]
    fn instants_are_exact_and_saturate() {
        for at in [0, 1, 1_700_000_000_123, (1 << 48) - 1] {
            assert_eq!(Millis::from(Instant::from(at)), at);
        }
        assert_eq!(Millis::from(Instant::from(Millis::MAX)), (1 << 48) - 1);
    }
}
