//! What stands under a session's key, as this side reads it. The scripts write it; `scripts/common.lua` says how.

use crate::store::{EndReason, Expected, Loaded, Millis, Stored};

/// The latest instant that a number of the server's scripts can hold exactly; what is beyond it never comes.
const LAST: Millis = (1 << 53) - 1;
/// As `scripts/common.lua` has them.
const GRACE: Millis = 60_000;
const LONGEST: Millis = 3_155_760_000_000;
/// What comes before the record.
const HEAD: usize = 9;
/// The first bytes that tell a tombstone, or when a session expires.
pub(super) const LOOK: usize = HEAD;

/// A session or a tombstone, not yet judged.
#[derive(Debug)]
pub(super) enum Held {
    /// A session that expires at an instant.
    Session(Millis, Stored),
    /// One that has ended, remembered until an instant.
    Ended(Millis, EndReason),
}

/// What a value is, judged at an instant.
#[derive(Debug)]
pub(super) enum Seen {
    /// As it is told.
    Known(Loaded),
    /// A session whose time is over, and no one has noted it.
    Expired,
}

impl Held {
    /// Reads a value; none that this version has written is refused.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let (kind, rest) = value.split_first()?;
        let (instant, rest) = rest.split_first_chunk()?;
        let instant = u64::from_be_bytes(*instant);
        match kind {
            b'S' => Some(Self::Session(instant, stored(rest)?)),
            b'E' => Some(Self::Ended(instant, reason(rest)?)),
            _ => None,
        }
    }

    /// What it is at an instant.
    pub(super) fn judge(self, now: Millis) -> Seen {
        match self {
            Self::Session(expires, stored) if expires > now => Seen::Known(Loaded::Live(stored)),
            Self::Session(..) => Seen::Expired,
            Self::Ended(until, reason) if until > now => Seen::Known(Loaded::Ended(reason)),
            Self::Ended(..) => Seen::Known(Loaded::Absent),
        }
    }
}

fn stored(record: &[u8]) -> Option<Stored> {
    let last_seen = record.get(8..)?.first_chunk()?;
    Some(Stored { record: record.into(), last_seen: u64::from_be_bytes(*last_seen) })
}

/// What stands under the key of a session that expires at an instant.
pub(super) fn value(expires: Millis, record: &[u8]) -> Vec<u8> {
    [&b"S"[..], &expires.to_be_bytes(), record].concat()
}

/// What a value begins with that this one takes the place of, if the end of the session doesn't move.
pub(super) fn known(expected: Expected, value: &[u8]) -> Vec<u8> {
    match expected {
        Expected::Absent => Vec::new(),
        Expected::Version(version) => {
            [value.get(..HEAD).unwrap_or_default(), &version.as_u64().to_be_bytes()].concat()
        }
    }
}

/// How long a key stays that is dead at an instant: what is left until then, and a minute for clocks that are behind.
pub(super) fn stay(instant: Millis, now: Millis) -> Millis {
    instant.saturating_sub(now).saturating_add(GRACE).min(LONGEST)
}

/// An instant as scripts take it.
pub(super) fn instant(millis: Millis) -> Millis {
    millis.min(LAST)
}

/// The letter of a reason.
pub(super) fn letter(reason: EndReason) -> &'static str {
    match reason {
        EndReason::LoggedOut => "O",
        EndReason::Revoked => "R",
        EndReason::Evicted => "V",
        EndReason::Expired => "X",
        EndReason::Superseded => "S",
        EndReason::Reuse => "U",
    }
}

/// The reason of a letter.
pub(super) fn reason(letter: &[u8]) -> Option<EndReason> {
    Some(match letter {
        b"O" => EndReason::LoggedOut,
        b"R" => EndReason::Revoked,
        b"V" => EndReason::Evicted,
        b"X" => EndReason::Expired,
        b"S" => EndReason::Superseded,
        b"U" => EndReason::Reuse,
        _ => return None,
    })
}
