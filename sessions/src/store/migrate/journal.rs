//! What all nodes agree on: a record in the old store that says who decides and how far a migration is, and one in the new store
//! that says that it is done. Both are changed by compare-and-set alone.
//!
//! ```text
//! version 8 · last seen 8 · magic 8 · phase 1 · pass 1 · epoch 8 · run 8 · since 8 · counts 7 × 8 · bookmark
//! ```
//! Numbers are big endian. The two records' ids have a bucket of 0 and a sid that no entropy gives.

use std::{ops::AddAssign, sync::Arc};

use sha2::{Digest as _, Sha256};

use super::{
    super::{Bookmark, Millis, SessionId, Version},
    progress::Progress,
};
use crate::record::wire::Reader;

const MAGIC: u64 = u64::from_be_bytes(*b"SESSMIG1");

/// The instant at which the journal is read and written, whatever the time: it must not expire for anyone.
pub(super) const AT: Millis = 1;
/// When it expires: never.
pub(super) const EXPIRES: Millis = Millis::MAX;

/// Which store decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationPhase {
    /// The old one, alone.
    #[default]
    NotBegun,
    /// The old one, and the new one follows.
    Copying,
    /// Neither: writes wait until every node knows.
    Closing,
    /// The new one, alone.
    Done,
}

/// What a run is at while it copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pass {
    /// Brings every session of the old store to the new one.
    #[default]
    Copy,
    /// Ends in the new store what is not live in the old one.
    Prune,
    /// Compares every session of the old store, for the first, second … time.
    Verify(u8),
}

/// The journal as it was read.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    pub(super) version: Version,
    pub(super) phase: MigrationPhase,
    pub(super) pass: Pass,
    /// Counts how often a copy has begun.
    pub(super) epoch: u64,
    /// A number by chance: that of the run which is at work.
    pub(super) run: u64,
    /// When the copy began.
    pub(super) since: Millis,
    pub(super) counts: Counts,
    /// Where the next page begins.
    pub(super) bookmark: Option<Bookmark>,
}

/// What a run has counted since the copy began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) total: u64,
    pub(super) copied: u64,
    pub(super) verified: u64,
    pub(super) repaired: u64,
    pub(super) ended: u64,
    pub(super) failed: u64,
    /// How often the copy had to begin anew.
    pub(super) restarts: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { total, copied, verified, repaired, ended, failed, restarts } = other;
        self.total += total;
        self.copied += copied;
        self.verified += verified;
        self.repaired += repaired;
        self.ended += ended;
        self.failed += failed;
        self.restarts += restarts;
    }
}

impl Journal {
    /// The journal's id in the old store.
    pub(super) fn id() -> SessionId {
        id(b"sessions/migration/from/v1")
    }

    /// The id in the new store under which it says that it is done.
    pub(super) fn id_of_done() -> SessionId {
        id(b"sessions/migration/to/v1")
    }

    /// Whether a session is none, but a journal.
    pub(super) fn is_its(id: SessionId) -> bool {
        id == Self::id() || id == Self::id_of_done()
    }

    pub(super) fn new(phase: MigrationPhase) -> Self {
        let (version, pass, counts) = (Version::first(), Pass::Copy, Counts::default());
        Self { version, phase, pass, epoch: 0, run: 0, since: 0, counts, bookmark: None }
    }

    pub(super) fn progress(&self) -> Progress {
        Progress::of(self.phase, self.pass, &self.counts)
    }

    pub(super) fn encode(&self) -> Arc<[u8]> {
        let mut bytes = Vec::with_capacity(112);
        let Counts { total, copied, verified, repaired, ended, failed, restarts } = self.counts;
        for number in [self.version.as_u64(), AT, MAGIC] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.push(match self.phase {
            MigrationPhase::NotBegun => 0,
            MigrationPhase::Copying => 1,
            MigrationPhase::Closing => 2,
            MigrationPhase::Done => 3,
        });
        bytes.push(match self.pass {
            Pass::Copy => 0,
            Pass::Prune => 1,
            Pass::Verify(round) => round.saturating_add(2),
        });
        let counts = [total, copied, verified, repaired, ended, failed, restarts];
        for number in [self.epoch, self.run, self.since].into_iter().chain(counts) {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.bookmark.iter().flat_map(Bookmark::as_bytes));
        bytes.into()
    }

    /// Reads a record; `None` if it is not a journal that this version knows.
    pub(super) fn decode(record: &[u8]) -> Option<Self> {
        let mut wire = Reader::new(record);
        let version = Version::of_record(record);
        wire.u64()?;
        wire.u64()?;
        if wire.u64()? != MAGIC {
            return None;
        }
        let phase = match wire.byte()? {
            0 => MigrationPhase::NotBegun,
            1 => MigrationPhase::Copying,
            2 => MigrationPhase::Closing,
            3 => MigrationPhase::Done,
            _ => return None,
        };
        let pass = match wire.byte()? {
            0 => Pass::Copy,
            1 => Pass::Prune,
            round => Pass::Verify(round - 2),
        };
        let (epoch, run, since) = (wire.u64()?, wire.u64()?, wire.u64()?);
        let counts = Counts {
            total: wire.u64()?,
            copied: wire.u64()?,
            verified: wire.u64()?,
            repaired: wire.u64()?,
            ended: wire.u64()?,
            failed: wire.u64()?,
            restarts: wire.u64()?,
        };
        let rest = wire.rest();
        let bookmark = (!rest.is_empty()).then(|| Bookmark::new(rest));
        Some(Self { version, phase, pass, epoch, run, since, counts, bookmark })
    }
}

fn id(name: &[u8]) -> SessionId {
    let digest: [u8; 32] = Sha256::digest(name).into();
    SessionId::new(0, *digest.first_chunk().expect("a digest of 32 bytes has 16"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut journal = Journal::new(MigrationPhase::Copying);
        journal.pass = Pass::Verify(2);
        (journal.epoch, journal.run, journal.since) = (3, 4, 5);
        journal.counts =
            Counts { total: 6, copied: 7, verified: 8, repaired: 9, ended: 10, failed: 11, restarts: 12 };
        for bookmark in [None, Some(Bookmark::new(*b"here"))] {
            journal.bookmark = bookmark;
            let read = Journal::decode(&journal.encode()).unwrap();
            assert_eq!(format!("{read:?}"), format!("{journal:?}"));
            assert_eq!(read.bookmark, journal.bookmark);
        }
        assert!(Journal::decode(&journal.encode()[..40]).is_none());
        assert!(Journal::decode(b"a session's record, which is no journal at all").is_none());
    }
}
