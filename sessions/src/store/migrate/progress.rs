//! How far a migration has come.

use std::fmt;

use super::journal::{Counts, MigrationPhase, Pass};

/// How far a migration has come. Its text is one line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Which store decides.
    pub phase: MigrationPhase,
    /// How many sessions the old store had when the copy began, as far as it counts them exactly.
    pub total: u64,
    /// How many have been copied. Some end meanwhile, and new ones come.
    pub copied: u64,
    /// How many have been found the same in both stores by the pass that compares them.
    pub verified: u64,
    /// How many that pass found different, and brought over.
    pub repaired: u64,
    /// How many were ended in the new store, because they were not live in the old one.
    pub ended: u64,
    /// How many could not be brought over, though they are live.
    pub failed: u64,
    /// How often the copy had to begin anew, because the new store was away.
    pub restarts: u64,
    /// What a copy is at.
    at: At,
}

/// What is done of a copy, as people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Nothing,
    Copies,
    /// All has been copied, and the minute of a tombstone is not over yet.
    Waits,
    Compares,
}

impl Progress {
    pub(super) fn of(phase: MigrationPhase, pass: Pass, counts: &Counts) -> Self {
        let Counts { total, copied, verified, repaired, ended, failed, restarts } = *counts;
        let at = match pass {
            Pass::Copy if *counts == Counts::default() => At::Nothing,
            Pass::Copy => At::Copies,
            Pass::Verify(_) if verified + repaired > 0 => At::Compares,
            Pass::Prune | Pass::Verify(_) => At::Waits,
        };
        Self { phase, total, copied, verified, repaired, ended, failed, restarts, at }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match (self.phase, self.at) {
            (MigrationPhase::NotBegun, At::Nothing) => return f.write_str("not begun"),
            (MigrationPhase::NotBegun, _) => "to be begun anew",
            (MigrationPhase::Copying, At::Waits) => "waiting, as a migration lasts a minute",
            (MigrationPhase::Copying, At::Compares) => "comparing",
            (MigrationPhase::Copying, _) => "copying",
            (MigrationPhase::Closing, _) => "closing",
            (MigrationPhase::Done, _) => "done",
        };
        let Self { total, copied, verified, repaired, ended, failed, restarts, .. } = self;
        write!(
            f,
            "{phase}: {copied} of about {total} sessions copied, {verified} verified, {repaired} repaired, {ended} ended, \
             {failed} failed, {restarts} restarts"
        )
    }
}
