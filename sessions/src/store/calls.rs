//! Calls of a store as tests make them: records that hold their version and little else. Whose sessions they are about is
//! for each test to say.

use std::sync::Arc;

use super::{Admit, Cas, Expected, Millis, Owner, SessionId, Stamp, Version};

pub(crate) const HOUR: Millis = 3_600_000;

/// Until when a write may be applied, after it was sent.
const IN_TIME: Millis = 2_000;

pub(crate) fn record(version: u64, last_seen: Millis) -> Arc<[u8]> {
    [version.to_be_bytes(), last_seen.to_be_bytes(), *b"payload!"].concat().into()
}

pub(crate) fn stamp(now: Millis) -> Stamp {
    now << 16
}

pub(crate) fn version(number: u64) -> Expected {
    Expected::Version(Version::of_record(&number.to_be_bytes()))
}

/// An anonymous session, version 1, for an hour.
pub(crate) fn creation(id: SessionId, now: Millis) -> Cas {
    Cas {
        id,
        owner: None,
        expected: Expected::Absent,
        announced: false,
        record: record(1, now),
        expires: now + HOUR,
        now,
        deadline: now + IN_TIME,
    }
}

/// The next version, for an hour from now on.
pub(crate) fn change(id: SessionId, from: u64, now: Millis) -> Cas {
    Cas { expected: version(from), record: record(from + 1, now), ..creation(id, now) }
}

/// A login without a limit, version 1, for an hour.
pub(crate) fn login(id: SessionId, owner: Owner, now: Millis) -> Admit {
    Admit {
        id,
        owner,
        record: record(1, now),
        expires: now + HOUR,
        limit: None,
        replaces: None,
        began: stamp(now),
        now,
        deadline: now + IN_TIME,
    }
}
