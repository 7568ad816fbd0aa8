//! The run that moves the sessions: page after page, pass after pass, with its place in the journal.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{
    super::{Scan, Scanned, SessionStore, SharedStore, StoreError},
    Both,
    journal::{Counts, Journal, MigrationPhase, Pass},
    progress::Progress,
};
use crate::clock::millis;

/// How many sessions a page has.
const PAGE: usize = 100;
/// How long a run waits between two signs of life, when it has nothing else to do.
const PULSE: Duration = Duration::from_millis(200);
/// How many passes compare, at most.
const ROUNDS: u8 = 5;
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Moves the sessions of a [`MigratingStore`](super::MigratingStore), beside everything else that uses it.
#[must_use = "a migration is run by `run`"]
pub struct Migration {
    both: Arc<Both>,
    page: usize,
    settle: Duration,
    restarts: u32,
    told: Box<dyn FnMut(&Progress) + Send>,
}

impl Migration {
    pub(super) fn new(both: Arc<Both>) -> Self {
        let settle = both.pace.settle;
        Self { both, page: PAGE, settle, restarts: 10, told: Box::new(|_| {}) }
    }

    /// How many sessions are read at once, 100 if nothing else is said.
    pub fn page(mut self, sessions: usize) -> Self {
        self.page = sessions.clamp(1, 10_000);
        self
    }

    /// How long the copy lasts at least, a minute if nothing else is said: sessions that ended less long ago than that have
    /// left a mark in the old store alone. Shorter is for stores that no one uses meanwhile.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// How often a copy is begun anew after the new store was away, 10 times if nothing else is said.
    pub fn restarts(mut self, restarts: u32) -> Self {
        self.restarts = restarts;
        self
    }

    /// What is told of each page.
    pub fn on_progress(mut self, told: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.told = Box::new(told);
        self
    }

    /// Moves the sessions, or goes on where an earlier run was when it died. When it has returned, the new store decides.
    ///
    /// # Errors
    /// [`MigrateError`]. Nothing is lost then: it can be run again.
    ///
    /// # Cancel safety
    /// A dropped run can be taken up by another one, here or elsewhere, after five seconds.
    pub async fn run(mut self) -> Result<Progress, MigrateError> {
        let mut failures = 0;
        loop {
            let error = match self.attempt().await {
                Ok(progress) => return Ok(progress),
                Err(error) => error,
            };
            let is_over = !matches!(error, MigrateError::Interrupted | MigrateError::Store(_));
            if is_over || failures >= self.restarts {
                return Err(error);
            }
            failures += 1;
            tracing::warn!(%error, failures, "a migration begins anew");
            sleep((PULSE * 2_u32.saturating_pow(failures.min(10))).min(LONGEST_PAUSE)).await;
        }
    }

    async fn attempt(&mut self) -> Result<Progress, MigrateError> {
        let mut journal = self.take_up().await?;
        loop {
            journal = match (journal.phase, journal.pass) {
                (MigrationPhase::Done, _) => {
                    self.both.note_done().await?;
                    tracing::info!(progress = %journal.progress(), "the new store of a migration decides");
                    (self.told)(&journal.progress());
                    return Ok(journal.progress());
                }
                (_, Pass::Copy) => {
                    let journal = self.walk(journal).await?;
                    // A login whose node takes the copy to be under way leaves itself to it, for as long as it may go by that:
                    // the old store has it before anything is compared.
                    let all_know = self.both.pace.until_all_know();
                    sleep(all_know).await;
                    journal
                }
                (_, Pass::Prune) => self.walk(journal).await?,
                (_, Pass::Verify(round)) => {
                    // Also by a run that takes the place of one which had begun to wait.
                    let journal = self.wait(journal).await?;
                    let (before, after) = (journal.counts, self.walk(journal).await?);
                    let counts = after.counts;
                    let is_clean = counts.repaired == before.repaired && counts.failed == before.failed;
                    match is_clean {
                        true => self.close(after).await?,
                        // The next pass counts for itself.
                        false if round < ROUNDS => {
                            Journal { counts: Counts { verified: 0, ..counts }, ..after }
                        }
                        false if counts.failed > before.failed => return Err(MigrateError::Refused),
                        false => return Err(MigrateError::Unfollowed),
                    }
                }
            };
        }
    }

    /// Begins a copy, or takes the place of a run that has fallen silent.
    async fn take_up(&mut self) -> Result<Journal, MigrateError> {
        let (both, run) = (Arc::clone(&self.both), rand::random());
        let journal = both.look().await?;
        match journal.phase {
            MigrationPhase::Done => return Ok(journal),
            MigrationPhase::NotBegun => {}
            MigrationPhase::Copying | MigrationPhase::Closing => {
                sleep(both.pace.silence).await;
                if both.look().await?.version != journal.version {
                    return Err(MigrateError::Busy);
                }
                let mut next = Journal { phase: MigrationPhase::Copying, run, ..journal.clone() };
                if let Pass::Verify(_) = next.pass {
                    // What was compared before counts for nothing: a pass is clean as a whole.
                    (next.bookmark, next.counts.verified) = (None, 0);
                }
                return self.write(&journal, next).await;
            }
        }
        // Whatever sessions there are must be readable, before any node does more than it has to.
        both.from.scan(None, 1, both.time.now()).await?;
        let total = both.from.stats().await?.sessions.saturating_sub(1);
        let restarts = journal.counts.restarts + u64::from(journal.epoch > 0);
        let next = Journal {
            phase: MigrationPhase::Copying,
            pass: Pass::Copy,
            epoch: journal.epoch + 1,
            run,
            since: both.time.now(),
            counts: Counts { total, restarts, ..Counts::default() },
            bookmark: None,
            version: journal.version,
        };
        let journal = self.write(&journal, next).await?;
        tracing::info!(total, "a migration of sessions begins");
        // From then on every node lets the new store follow.
        sleep(both.pace.until_all_know()).await;
        Ok(journal)
    }

    /// One pass over a store, from the journal's bookmark on.
    async fn walk(&mut self, mut journal: Journal) -> Result<Journal, MigrateError> {
        let both = Arc::clone(&self.both);
        loop {
            let (pass, mut counts) = (journal.pass, journal.counts);
            let store = if pass == Pass::Prune { &both.to } else { &both.from };
            let Scan { sessions, next } = page(store, &journal, self.page, &both).await?;
            match pass {
                Pass::Copy => both.copy(&sessions, &mut counts).await?,
                Pass::Prune => both.prune(&sessions, &mut counts).await?,
                Pass::Verify(_) => both.verify(&sessions, &mut counts).await?,
            }
            let is_last = next.is_none();
            let pass = match pass {
                pass if !is_last => pass,
                Pass::Copy => Pass::Prune,
                Pass::Prune => Pass::Verify(1),
                Pass::Verify(round) => Pass::Verify(round + 1),
            };
            journal =
                self.write(&journal, Journal { counts, pass, bookmark: next, ..journal.clone() }).await?;
            if is_last {
                return Ok(journal);
            }
            // Stores in memory answer at once: the others have their turn too.
            tokio::task::yield_now().await;
        }
    }

    /// Waits until nothing that ended before the copy began is remembered by the old store alone.
    async fn wait(&mut self, mut journal: Journal) -> Result<Journal, MigrateError> {
        let end = journal.since.saturating_add(millis(self.settle));
        while self.both.time.now() < end {
            sleep(PULSE.min(self.both.pace.silence / 4)).await;
            journal = self.write(&journal, journal.clone()).await?;
        }
        Ok(journal)
    }

    /// Hands over: no one decides for a moment, then the new store does.
    async fn close(&mut self, journal: Journal) -> Result<Journal, MigrateError> {
        let next = Journal { phase: MigrationPhase::Closing, ..journal.clone() };
        let journal = self.write(&journal, next).await?;
        sleep(self.both.pace.until_all_know()).await;
        let next = Journal { phase: MigrationPhase::Done, ..journal.clone() };
        self.write(&journal, next).await
    }

    async fn write(&mut self, before: &Journal, next: Journal) -> Result<Journal, MigrateError> {
        let Some(written) = self.both.write(before, next).await? else {
            let now = self.both.look().await?;
            let is_ours = now.run == before.run || before.phase == MigrationPhase::NotBegun;
            return Err(match now.phase {
                MigrationPhase::NotBegun => MigrateError::Interrupted,
                // A node has opened a closing that took too long.
                MigrationPhase::Copying | MigrationPhase::Closing if is_ours => MigrateError::Interrupted,
                _ => MigrateError::Busy,
            });
        };
        (self.told)(&written.progress());
        Ok(written)
    }
}

/// The next page of a store, without journals.
async fn page(store: &SharedStore, journal: &Journal, limit: usize, both: &Both) -> Result<Scan, StoreError> {
    let mut scan = store.scan(journal.bookmark.as_ref(), limit, both.time.now()).await?;
    scan.sessions.retain(|session: &Scanned| !Journal::is_its(session.id));
    Ok(scan)
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration")
            .field("page", &self.page)
            .field("settle", &self.settle)
            .finish_non_exhaustive()
    }
}

/// Why a migration is not done. What it has done stands, and it can be run again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// A store did not answer.
    #[error("a store of the migration did not answer: run it again when both do")]
    Store(#[from] StoreError),
    /// Another process runs it.
    #[error("another process runs this migration: wait for it, or end it and run this again")]
    Busy,
    /// The new store was away, so the copy has to begin anew.
    #[error("the new store could not follow: run it again when that store is there")]
    Interrupted,
    /// The new store does not take some sessions.
    #[error("the new store refuses sessions: it is full, or it ended them less than a minute ago")]
    Refused,
    /// Sessions change in the old store, and nobody tells the new one.
    #[error(
        "sessions change in the old store alone: every node has to run with both stores before this is run"
    )]
    Unfollowed,
}
