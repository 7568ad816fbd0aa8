//! Operations that change something: the store that decides is asked, and the other follows before it is acknowledged.
//! Logins are in `login`.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{
    super::{
        Cas, CasOutcome, End, EndReason, EndTarget, Ended, Expected, Loaded, Millis, Owner, SessionId,
        SessionStore, StoreError, TOMBSTONE_MS, Touch, Touched, Version,
    },
    Both,
    journal::MigrationPhase,
    lease::{Lease, perhaps},
};

/// How long the new store may take to follow: less than a request waits for its store.
const FOLLOWS: Duration = Duration::from_millis(600);
/// How often a follower that meets others begins again.
const ATTEMPTS: usize = 16;

/// Whether the new store has what it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// It has, or the copy will see to it.
    Yes,
    /// The lease was over before.
    Late,
}

impl Both {
    pub(super) async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        let called = Instant::now();
        loop {
            let lease = self.lease().await?;
            match lease.phase {
                MigrationPhase::Done => return self.decide(&write, called).await,
                MigrationPhase::Closing => {
                    self.wait_for_closing().await?;
                    continue;
                }
                _ => {}
            }
            let Some(deadline) = lease.deadline(called, (write.now, write.deadline)) else {
                return Ok(CasOutcome::Late);
            };
            let answer = self.from.cas(Cas { deadline, ..write.clone() }).await;
            match answer {
                Ok(CasOutcome::Stored) => return self.follow_cas(&write, called).await,
                // The lease was shorter than the time that was left.
                Ok(CasOutcome::Late) => drop(self.look().await?),
                Ok(answer) if self.still_decides(&lease).await? => return Ok(answer),
                Ok(_) => {}
                Err(error) => return Err(self.failed(&lease, error).await),
            }
        }
    }

    /// Asks the new store alone.
    async fn decide(&self, write: &Cas, called: Instant) -> Result<CasOutcome, StoreError> {
        let waited = crate::clock::millis(called.elapsed());
        let left = write.deadline.checked_sub(write.now).and_then(|left| left.checked_sub(waited));
        let Some(left) = left else { return Ok(CasOutcome::Late) };
        let deadline = write.now.saturating_add(left);
        self.to.cas(Cas { deadline, ..write.clone() }).await
    }

    /// What is answered after the old store has stored a record.
    async fn follow_cas(&self, write: &Cas, called: Instant) -> Result<CasOutcome, StoreError> {
        let version = Version::of_record(&write.record);
        loop {
            let lease = self.lease().await.map_err(perhaps)?;
            match lease.phase {
                MigrationPhase::NotBegun => return Ok(CasOutcome::Stored),
                MigrationPhase::Done => {
                    return match self.decide(write, called).await.map_err(perhaps)? {
                        // It had followed before it decided.
                        CasOutcome::Conflict(stored) if stored.version() == version => Ok(CasOutcome::Stored),
                        answer => Ok(answer),
                    };
                }
                MigrationPhase::Closing => self.wait_for_closing().await.map_err(perhaps)?,
                MigrationPhase::Copying => match within(self.mirror_cas(write, &lease, called)).await {
                    Ok(Followed::Yes) => return Ok(CasOutcome::Stored),
                    Ok(Followed::Late) => drop(self.look().await.map_err(perhaps)?),
                    Err(error) => self.give_up(lease.epoch, &error).await?,
                },
            }
        }
    }

    async fn mirror_cas(&self, write: &Cas, lease: &Lease, called: Instant) -> Result<Followed, StoreError> {
        let Some(deadline) = lease.deadline(called, (write.now, Millis::MAX)) else {
            return Ok(Followed::Late);
        };
        let version = Version::of_record(&write.record);
        match self.to.cas(Cas { deadline, ..write.clone() }).await? {
            // One that is absent hasn't been copied yet, and will be.
            CasOutcome::Stored | CasOutcome::Gone(None) => Ok(Followed::Yes),
            CasOutcome::Late => Ok(Followed::Late),
            CasOutcome::Conflict(stored) if stored.version() == version => {
                let (id, owner, expires) = (write.id, write.owner, write.expires);
                self.to.touch(Touch { id, owner, seen: stored.last_seen, expires }).await?;
                Ok(Followed::Yes)
            }
            CasOutcome::Conflict(_) => self.catch_up(write, lease, called).await,
            CasOutcome::Gone(Some(_)) => self.has_ended(write.id, write.now).await,
            CasOutcome::Full => Err(refused("it is full")),
        }
    }

    /// Brings the new store to what the old one has by now: what was written, or what others wrote after it.
    async fn catch_up(&self, write: &Cas, lease: &Lease, called: Instant) -> Result<Followed, StoreError> {
        for _ in 0..ATTEMPTS {
            let new = match self.to.load(write.id, write.now).await? {
                Loaded::Live(new) => new,
                Loaded::Absent => return Ok(Followed::Yes),
                Loaded::Ended(_) => return self.has_ended(write.id, write.now).await,
            };
            // After the new one: so this is never older than what it replaces.
            let Loaded::Live(old) = self.from.load(write.id, write.now).await? else {
                return Ok(Followed::Yes);
            };
            if old.version() == new.version() {
                return Ok(Followed::Yes);
            }
            let Some(deadline) = lease.deadline(called, (write.now, Millis::MAX)) else {
                return Ok(Followed::Late);
            };
            let expected = Expected::Version(new.version());
            let next = Cas { expected, record: old.record, deadline, ..write.clone() };
            match self.to.cas(next).await? {
                CasOutcome::Stored => return Ok(Followed::Yes),
                CasOutcome::Late => return Ok(Followed::Late),
                _ => {}
            }
        }
        Err(refused("others write all the time"))
    }

    /// A session that the new store takes for ended has to be so in the old one, where endings come a moment later.
    pub(super) async fn has_ended(&self, id: SessionId, now: Millis) -> Result<Followed, StoreError> {
        for _ in 0..ATTEMPTS {
            if !matches!(self.from.load(id, now).await?, Loaded::Live(_)) {
                return Ok(Followed::Yes);
            }
            sleep(FOLLOWS / 32).await;
        }
        Err(refused("it has ended a session that is live"))
    }

    pub(super) async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        let lease = self.lease().await?;
        if lease.is_done() {
            return self.to.touch(touch).await;
        }
        let answer = self.from.touch(touch).await?;
        let lease = self.lease().await?;
        match lease.phase {
            MigrationPhase::NotBegun => Ok(answer),
            MigrationPhase::Done => self.to.touch(touch).await,
            // A use that is not noted only shortens the session's idle time, unless it ended there.
            phase => {
                if let Err(error) = within(self.to.touch(touch)).await
                    && phase == MigrationPhase::Copying
                {
                    self.give_up(lease.epoch, &error).await?;
                }
                Ok(answer)
            }
        }
    }

    pub(super) async fn end(&self, end: End) -> Result<Ended, StoreError> {
        let lease = self.lease().await?;
        if lease.is_done() {
            return self.to.end(end).await;
        }
        // The new one first: where nothing comes back from the old one, the session is not left alive there.
        let mut new = match lease.phase {
            MigrationPhase::NotBegun => None,
            _ => self.follow(&lease, self.to.end(end)).await?,
        };
        let begun = lease.phase != MigrationPhase::NotBegun;
        let old = match self.from.end(end).await {
            Ok(old) => old,
            Err(error) if begun => return Err(perhaps(error)),
            Err(error) => return Err(error),
        };
        let lease = self.lease().await.map_err(perhaps)?;
        if lease.phase == MigrationPhase::NotBegun {
            return Ok(old);
        }
        if new.is_none() {
            new = self.follow(&lease, self.to.end(end)).await?;
        }
        let Some(new) = new else { return Ok(old) };
        if lease.is_done() {
            return Ok(new);
        }
        let owner = match end.target {
            EndTarget::Session { owner, .. } => owner,
            EndTarget::Owner { owner, .. } => Some(owner),
        };
        let unknown = old.ids.iter().filter(|id| !new.ids.contains(id));
        let bury = async {
            for id in unknown {
                self.bury(*id, owner, end.reason, end.now).await?;
            }
            Ok(())
        };
        self.follow(&lease, bury).await?;
        Ok(old)
    }

    /// Lets the new store follow. Where it can't, the copy is given up, and there is no answer.
    async fn follow<T>(
        &self,
        lease: &Lease,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        match within(operation).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if lease.is_done() => Err(perhaps(error)),
            Err(error) => self.give_up(lease.epoch, &error).await.map(|()| None),
        }
    }

    /// Ends a session in the new store, or leaves a tombstone where that has not heard of it, for a copy that comes later.
    pub(super) async fn bury(
        &self,
        id: SessionId,
        owner: Option<Owner>,
        reason: EndReason,
        now: Millis,
    ) -> Result<(), StoreError> {
        // No one reads there yet.
        let record = [u64::MAX - 1, now].map(u64::to_be_bytes).concat();
        let stone = Cas {
            id,
            owner: None,
            expected: Expected::Absent,
            record: record.into(),
            expires: now.saturating_add(TOMBSTONE_MS),
            announced: false,
            now,
            deadline: now.saturating_add(TOMBSTONE_MS / 2),
        };
        self.to.cas(stone).await?;
        let target = EndTarget::Session { id, owner };
        self.to.end(End { target, reason, now, stamp: 0 }).await?;
        Ok(())
    }

    /// An operation of the old store that failed. If it may have been applied, no copy may rely on the new one.
    pub(super) async fn failed(&self, lease: &Lease, error: StoreError) -> StoreError {
        if lease.is_copying() && matches!(error, StoreError::Unknown(_)) {
            // Where the old store is away altogether, nothing is closed either.
            let _ = self.give_up(lease.epoch, &error).await;
        }
        error
    }
}

pub(super) async fn within<T>(
    operation: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match Box::pin(timeout(FOLLOWS, operation)).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(StoreError::Unknown(Some(Box::new(elapsed)))),
    }
}

pub(super) fn refused(why: &'static str) -> StoreError {
    StoreError::Unavailable(Some(why.into()))
}
