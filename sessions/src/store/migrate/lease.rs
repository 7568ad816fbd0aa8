//! How a node knows which store decides: by the journal, for no longer than a lease. Not what it does then.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    super::{
        Cas, CasOutcome, Expected, Loaded, Millis, SessionId, SessionStore, SharedStore, StoreError, Version,
    },
    Both,
    journal::{AT, EXPIRES, Journal, MigrationPhase, Pass},
};
use crate::clock::millis;

/// How often a journal that others change as well is tried again.
const ATTEMPTS: usize = 16;
/// How long a write waits before it looks again whether it may go on.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long the journal may take, in milliseconds.
const PATIENCE: Millis = 2_000;

/// What a node has read in the journal.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    /// Set once and for good.
    is_done: AtomicBool,
    known: Mutex<Option<Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    phase: MigrationPhase,
    /// Whether all that there was when the copy began has been copied.
    is_copied: bool,
    epoch: u64,
    version: Version,
    /// Before the journal was asked for.
    read: Instant,
    /// Since when it has been as it is.
    same_since: Instant,
}

/// Until when a node may go by a phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) phase: MigrationPhase,
    /// Whether all that there was when the copy began has been copied.
    pub(super) is_copied: bool,
    pub(super) epoch: u64,
    until: Instant,
}

impl Lease {
    pub(super) fn is_done(&self) -> bool {
        self.phase == MigrationPhase::Done
    }

    pub(super) fn is_copying(&self) -> bool {
        self.phase == MigrationPhase::Copying
    }

    pub(super) fn is_valid(&self) -> bool {
        self.is_done() || Instant::now() < self.until
    }

    /// The deadline of a write that was called at `called` with this deadline, so that it is not applied after the lease;
    /// `None` if its own has passed. Stores count from the instant at which they are called.
    pub(super) fn deadline(&self, called: Instant, (now, deadline): (Millis, Millis)) -> Option<Millis> {
        let own = deadline.checked_sub(now)?.checked_sub(millis(called.elapsed()))?;
        let left = self.until.saturating_duration_since(Instant::now());
        Some(now.saturating_add(own.min(millis(left))))
    }
}

impl Both {
    /// What holds now, and for how long. Read anew when a third of the lease is over.
    pub(super) async fn lease(&self) -> Result<Lease, StoreError> {
        let mut known = match self.known() {
            Ok(lease) => return Ok(lease),
            Err(known) => known,
        };
        for _ in 0..ATTEMPTS {
            if let Err(error) = self.look().await {
                return known.filter(Lease::is_valid).ok_or(error);
            }
            known = match self.known() {
                Ok(lease) | Err(Some(lease)) => return Ok(lease),
                // It took longer than the lease.
                Err(None) => None,
            };
        }
        Err(StoreError::Unavailable(Some("the journal of the migration can't be read in time".into())))
    }

    /// What is known well enough; else what may do if the journal can't be read.
    fn known(&self) -> Result<Lease, Option<Lease>> {
        if self.lookout.is_done.load(Ordering::Acquire) {
            let (phase, until) = (MigrationPhase::Done, Instant::now());
            return Ok(Lease { phase, is_copied: true, epoch: 0, until });
        }
        let known = *self.lookout.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Known { phase, is_copied, epoch, read, .. }) = known else { return Err(None) };
        let lease = Lease { phase, is_copied, epoch, until: read + self.pace.lease };
        let is_fresh = read.elapsed() < self.pace.lease / 3 && phase != MigrationPhase::Closing;
        if is_fresh { Ok(lease) } else { Err(Some(lease).filter(Lease::is_valid)) }
    }

    /// Whether what was answered under a lease counts: the new store had not decided anything before.
    pub(super) async fn still_decides(&self, lease: &Lease) -> Result<bool, StoreError> {
        Ok(lease.is_valid() || self.look().await?.phase != MigrationPhase::Done)
    }

    /// Waits a moment for a closing to be over. One that its run has left alone is opened again.
    pub(super) async fn wait_for_closing(&self) -> Result<(), StoreError> {
        sleep(LOOK_AGAIN).await;
        let journal = self.look().await?;
        let known = *self.lookout.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = known.is_some_and(|known| {
            known.version == journal.version && known.same_since.elapsed() > self.pace.silence
        });
        if journal.phase == MigrationPhase::Closing && is_left {
            self.write(&journal, Journal { phase: MigrationPhase::Copying, ..journal.clone() }).await?;
        }
        Ok(())
    }

    /// Reads the journal, which is begun if there is none.
    pub(super) async fn look(&self) -> Result<Journal, StoreError> {
        let asked = Instant::now();
        let journal = match self.from.load(Journal::id(), AT).await? {
            Loaded::Live(stored) => Journal::decode(&stored.record).ok_or_else(unreadable)?,
            Loaded::Ended(_) | Loaded::Absent => self.begin().await?,
        };
        if journal.phase == MigrationPhase::Done {
            self.lookout.is_done.store(true, Ordering::Release);
        }
        self.remember(&journal, asked);
        Ok(journal)
    }

    /// Makes the journal, unless the new store says that all is done and the old one has only been emptied.
    async fn begin(&self) -> Result<Journal, StoreError> {
        if self.is_done_in_new().await? {
            return Ok(Journal::new(MigrationPhase::Done));
        }
        let journal = Journal::new(MigrationPhase::NotBegun);
        match self.from.cas(write(Journal::id(), Expected::Absent, &journal)).await? {
            CasOutcome::Stored => Ok(journal),
            CasOutcome::Conflict(stored) => Journal::decode(&stored.record).ok_or_else(unreadable),
            _ => Err(StoreError::Unavailable(Some("the old store takes no journal of a migration".into()))),
        }
    }

    async fn is_done_in_new(&self) -> Result<bool, StoreError> {
        let Loaded::Live(stored) = self.to.load(Journal::id_of_done(), AT).await? else { return Ok(false) };
        let journal = Journal::decode(&stored.record).ok_or_else(unreadable)?;
        Ok(journal.phase == MigrationPhase::Done)
    }

    fn remember(&self, journal: &Journal, read: Instant) {
        let Journal { phase, epoch, version, .. } = *journal;
        let is_copied = journal.pass != Pass::Copy;
        let mut known = self.lookout.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *known {
            // What was asked for earlier may have been answered later.
            Some(known) if known.read > read => {}
            before => {
                let same = before.filter(|before| before.version == version);
                let same_since = same.map_or(read, |before| before.same_since);
                *before = Some(Known { phase, is_copied, epoch, version, read, same_since });
            }
        }
    }

    /// Changes the journal, unless someone else has: then `None`.
    pub(super) async fn write(&self, before: &Journal, next: Journal) -> Result<Option<Journal>, StoreError> {
        let asked = Instant::now();
        let next = Journal { version: before.version.next(), ..next };
        let expected = Expected::Version(before.version);
        let CasOutcome::Stored = self.from.cas(write(Journal::id(), expected, &next)).await? else {
            return Ok(None);
        };
        self.remember(&next, asked);
        Ok(Some(next))
    }

    /// Sets a copy back that the new store could not follow, so that nobody relies on it.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if that can't be done: what was written may be lost then.
    pub(super) async fn give_up(&self, epoch: u64, why: &StoreError) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let journal = self.look().await.map_err(perhaps)?;
            let is_under_way = matches!(journal.phase, MigrationPhase::Copying | MigrationPhase::Closing);
            // A later copy begins after this write.
            if !is_under_way || journal.epoch != epoch {
                return Ok(());
            }
            let next = Journal { phase: MigrationPhase::NotBegun, ..journal.clone() };
            if self.write(&journal, next).await.map_err(perhaps)?.is_some() {
                tracing::warn!(error = %why, "the new store of a migration does not follow: the copy has to begin anew");
                return Ok(());
            }
        }
        Err(StoreError::Unknown(Some("the journal of the migration could not be set back".into())))
    }

    /// Notes in the new store that it decides, and takes back what earlier migrations the other way have left.
    pub(super) async fn note_done(&self) -> Result<(), StoreError> {
        set_phase(&self.to, Journal::id_of_done(), Some(MigrationPhase::Done)).await?;
        set_phase(&self.to, Journal::id(), None).await?;
        set_phase(&self.from, Journal::id_of_done(), None).await
    }
}

/// Writes a journal of this phase; with `None`, one of *not begun* where there is one.
async fn set_phase(
    store: &SharedStore,
    id: SessionId,
    phase: Option<MigrationPhase>,
) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let expected = match (store.load(id, AT).await?, phase) {
            (Loaded::Live(stored), _) => {
                let known = Journal::decode(&stored.record).map(|journal| journal.phase);
                if known == Some(phase.unwrap_or_default()) {
                    return Ok(());
                }
                Expected::Version(stored.version())
            }
            (_, None) => return Ok(()),
            (_, Some(_)) => Expected::Absent,
        };
        let mut journal = Journal::new(phase.unwrap_or_default());
        if let Expected::Version(version) = expected {
            journal.version = version.next();
        }
        if let CasOutcome::Stored = store.cas(write(id, expected, &journal)).await? {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable(Some("the journal of the migration is written by others".into())))
}

fn write(id: SessionId, expected: Expected, journal: &Journal) -> Cas {
    let (record, deadline) = (journal.encode(), AT + PATIENCE);
    Cas { id, owner: None, expected, record, expires: EXPIRES, announced: false, now: AT, deadline }
}

fn unreadable() -> StoreError {
    StoreError::Unavailable(Some("the journal of the migration is of another version of this library".into()))
}

/// The same error, after something that may count has been done.
pub(super) fn perhaps(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(cause) | StoreError::Unknown(cause) => StoreError::Unknown(cause),
    }
}
