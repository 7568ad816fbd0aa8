//! Logins: the store that decides admits one, and the other follows in the order of logins before it is acknowledged.

use tokio::time::Instant;

use super::{
    super::{
        Admit, Admitted, EndReason, Listed, Loaded, Millis, Scanned, SessionId, SessionStore, StoreError,
    },
    Both,
    copy::{Found, list_all},
    follow::{Followed, refused, within},
    journal::MigrationPhase,
    lease::{Lease, perhaps},
};

impl Both {
    pub(super) async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        let called = Instant::now();
        loop {
            let lease = self.lease().await?;
            match lease.phase {
                MigrationPhase::Done => return self.decide_login(&admit, called).await,
                MigrationPhase::Closing => {
                    self.wait_for_closing().await?;
                    continue;
                }
                _ => {}
            }
            let Some(deadline) = lease.deadline(called, (admit.now, admit.deadline)) else {
                return Ok(Admitted::Late);
            };
            match self.from.admit(Admit { deadline, ..admit.clone() }).await {
                Ok(Admitted::Stored { evicted }) => return self.follow_login(&admit, called, evicted).await,
                Ok(Admitted::Late) => drop(self.look().await?),
                Ok(answer) if self.still_decides(&lease).await? => return Ok(answer),
                Ok(_) => {}
                Err(error) => return Err(self.failed(&lease, error).await),
            }
        }
    }

    /// Asks the new store alone.
    async fn decide_login(&self, admit: &Admit, called: Instant) -> Result<Admitted, StoreError> {
        let waited = crate::clock::millis(called.elapsed());
        let left = admit.deadline.checked_sub(admit.now).and_then(|left| left.checked_sub(waited));
        let Some(left) = left else { return Ok(Admitted::Late) };
        let deadline = admit.now.saturating_add(left);
        self.to.admit(Admit { deadline, ..admit.clone() }).await
    }

    /// The same for a login that the old store has admitted, which ended `evicted`.
    async fn decide_login_after(
        &self,
        admit: &Admit,
        called: Instant,
        mut evicted: Vec<SessionId>,
    ) -> Result<Admitted, StoreError> {
        let more = match self.decide_login(admit, called).await? {
            Admitted::Stored { evicted } => evicted,
            // It had followed before the new store decided, or been brought along.
            Admitted::Exists if self.is_there(admit).await? => Vec::new(),
            answer => return Ok(answer),
        };
        // What it ended in the old store may have followed already, or not: the new store does not count it either way, and
        // it is over for everyone who is told of this login.
        self.bury_all(admit, &evicted).await?;
        evicted.extend(more.into_iter().filter(|id| !evicted.contains(id)).collect::<Vec<_>>());
        Ok(Admitted::Stored { evicted })
    }

    /// Whether the new store has a login as it is.
    async fn is_there(&self, admit: &Admit) -> Result<bool, StoreError> {
        let found = self.to.load(admit.id, admit.now).await?;
        Ok(matches!(found, Loaded::Live(stored) if stored.record == admit.record))
    }

    /// What is answered after the old store has admitted a login.
    async fn follow_login(
        &self,
        admit: &Admit,
        called: Instant,
        evicted: Vec<SessionId>,
    ) -> Result<Admitted, StoreError> {
        loop {
            let lease = self.lease().await.map_err(perhaps)?;
            match lease.phase {
                MigrationPhase::NotBegun => return Ok(Admitted::Stored { evicted }),
                MigrationPhase::Done => {
                    return self.decide_login_after(admit, called, evicted).await.map_err(perhaps);
                }
                MigrationPhase::Closing => self.wait_for_closing().await.map_err(perhaps)?,
                MigrationPhase::Copying => {
                    match within(self.mirror_login(admit, &lease, called, &evicted)).await {
                        Ok(Followed::Yes) => return Ok(Admitted::Stored { evicted }),
                        Ok(Followed::Late) => drop(self.look().await.map_err(perhaps)?),
                        Err(error) => self.give_up(lease.epoch, &error).await?,
                    }
                }
            }
        }
    }

    /// Ends in the new store what a login has ended in the old one.
    async fn bury_all(&self, admit: &Admit, evicted: &[SessionId]) -> Result<(), StoreError> {
        for id in evicted {
            self.bury(*id, Some(admit.owner), EndReason::Evicted, admit.now).await?;
        }
        if let Some(id) = admit.replaces
            && !matches!(self.from.load(id, admit.now).await, Ok(Loaded::Live(_)))
        {
            self.bury(id, Some(admit.owner), EndReason::Superseded, admit.now).await?;
        }
        Ok(())
    }

    async fn mirror_login(
        &self,
        admit: &Admit,
        lease: &Lease,
        called: Instant,
        evicted: &[SessionId],
    ) -> Result<Followed, StoreError> {
        self.bury_all(admit, evicted).await?;
        let old = list_all(&self.from, admit.owner, admit.now).await?;
        let Some(own) = old.iter().position(|listed| listed.id == admit.id) else {
            return Ok(Followed::Yes);
        };
        let new = list_all(&self.to, admit.owner, admit.now).await?;
        self.end_strangers(admit.owner, &old, &new).await?;
        // The new store keeps the order of logins: this one goes behind those that were before it.
        let is_there = |old: &Listed| {
            new.iter().any(|new| new.id == old.id && new.stored.version() == old.stored.version())
        };
        let missing = old.into_iter().take(own).filter(|old| !is_there(old));
        for listed in missing {
            if !lease.is_copied {
                // The copy brings all of them.
                return Ok(Followed::Yes);
            }
            // No copy looks after this owner any more, and who logs in at the same time waits for no one.
            let Listed { id, stored, expires } = listed;
            let session = Scanned { id, owner: Some(admit.owner), stored, expires };
            if self.bring(&session, Some(lease)).await? == Found::Refused {
                if !lease.is_valid() {
                    return Ok(Followed::Late);
                }
                self.has_ended(id, admit.now).await?;
            }
        }
        let Some(deadline) = lease.deadline(called, (admit.now, Millis::MAX)) else {
            return Ok(Followed::Late);
        };
        let follower = Admit { limit: None, replaces: None, deadline, ..admit.clone() };
        match self.to.admit(follower).await? {
            Admitted::Stored { .. } | Admitted::Exists => Ok(Followed::Yes),
            Admitted::Late => Ok(Followed::Late),
            Admitted::Revoked => self.has_ended(admit.id, admit.now).await,
            Admitted::Full | Admitted::LimitReached { .. } => Err(refused("it admits no login")),
        }
    }
}
