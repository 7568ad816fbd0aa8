//! Brings one session, or all sessions of an owner, from the old store to the new one, and compares them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    super::{
        Admit, Admitted, Cas, CasOutcome, End, EndReason, EndTarget, Expected, Listed, Loaded, Millis, Owner,
        Scanned, SessionId, SessionStore, SharedStore, StoreError, Touch,
    },
    Both,
    journal::{Counts, MigrationPhase},
    lease::Lease,
};
use crate::{clock::millis, soon::all};

/// How often something that others change meanwhile is looked at again.
const ATTEMPTS: usize = 16;
/// How many sessions are brought over at once, or owners: a store that waits for its disk writes them together.
const AT_ONCE: usize = 32;
/// How many sessions of an owner are listed at once.
const PAGE: usize = 256;
/// How often a difference is looked at before it is one, and how long after each other: writes are under way.
const LOOKS: usize = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What has been found of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Both stores have the same.
    Same,
    /// They have it now.
    Brought,
    /// It is not live any more.
    Gone,
    /// The new store does not take it.
    Refused,
}

impl Both {
    /// Brings sessions over: those of an owner all together, each owner once.
    pub(super) async fn copy(&self, page: &[Scanned], counts: &mut Counts) -> Result<(), StoreError> {
        let mut owners = HashSet::new();
        let is_next = |session: &&Scanned| session.owner.is_none_or(|owner| owners.insert(owner));
        let some: Vec<&Scanned> = page.iter().filter(is_next).collect();
        for some in some.chunks(AT_ONCE) {
            for found in all(some.iter().map(|session| self.copy_with_others(session))).await {
                *counts += found?;
            }
        }
        Ok(())
    }

    /// Compares sessions, and brings over what stays different.
    pub(super) async fn verify(&self, page: &[Scanned], counts: &mut Counts) -> Result<(), StoreError> {
        for some in page.chunks(AT_ONCE) {
            let same = all(some.iter().map(|session| self.comes_to_be_same(session))).await;
            for (session, is_same) in some.iter().zip(same) {
                if is_same? {
                    counts.verified += 1;
                    continue;
                }
                counts.repaired += 1;
                *counts += self.copy_with_others(session).await?;
            }
        }
        Ok(())
    }

    /// Brings a session over, with the others of its owner.
    async fn copy_with_others(&self, session: &Scanned) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        match session.owner {
            Some(owner) => self.copy_owner(owner, &mut counts).await?,
            None => count(&mut counts, self.bring(session, None).await?),
        }
        Ok(counts)
    }

    /// Ends in the new store what is not live in the old one.
    pub(super) async fn prune(&self, page: &[Scanned], counts: &mut Counts) -> Result<(), StoreError> {
        let now = self.time.now();
        let ids: Vec<SessionId> = page.iter().map(|session| session.id).collect();
        for (session, loaded) in page.iter().zip(self.from.load_many(&ids, now).await) {
            if !matches!(loaded?, Loaded::Live(_)) {
                self.end_in_new(session.id, session.owner).await?;
                counts.ended += 1;
            }
        }
        Ok(())
    }

    async fn comes_to_be_same(&self, session: &Scanned) -> Result<bool, StoreError> {
        for look in 0..LOOKS {
            if look > 0 {
                sleep(LOOK_AGAIN).await;
            }
            let now = self.time.now();
            let new = self.to.load(session.id, now).await?;
            match (self.from.load(session.id, now).await?, new) {
                (Loaded::Live(old), Loaded::Live(new)) if old.version() == new.version() => return Ok(true),
                (Loaded::Live(_), _) => {}
                // It has ended meanwhile.
                _ => return Ok(true),
            }
        }
        Ok(false)
    }

    /// All sessions of an owner, in the order of their logins.
    async fn copy_owner(&self, owner: Owner, counts: &mut Counts) -> Result<(), StoreError> {
        let mut brought = Vec::new();
        for _ in 0..ATTEMPTS {
            let now = self.time.now();
            let old = list_all(&self.from, owner, now).await?;
            let new = list_all(&self.to, owner, now).await?;
            self.end_strangers(owner, &old, &new).await?;
            let known: HashMap<SessionId, &Listed> = new.iter().map(|listed| (listed.id, listed)).collect();
            let mut is_same = true;
            for listed in old {
                let Listed { id, stored, expires } = listed;
                let session = Scanned { id, owner: Some(owner), stored, expires };
                match known.get(&id) {
                    Some(new) if new.stored.version() == session.stored.version() => {
                        self.prolong(&session, new.stored.last_seen).await?;
                    }
                    _ => {
                        is_same = false;
                        let found = self.bring(&session, None).await?;
                        if matches!(found, Found::Refused) {
                            counts.failed += 1;
                            return Ok(());
                        }
                        if !brought.contains(&id) {
                            brought.push(id);
                            count(counts, found);
                        }
                    }
                }
            }
            // Looked at once more: a login that came in between left itself to the copy.
            if is_same {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Ends sessions of an owner in the new store that are not live in the old one, when `old` and then `new` have been listed:
    /// they were evicted, and who has logged in instead is perhaps about to say so.
    pub(super) async fn end_strangers(
        &self,
        owner: Owner,
        old: &[Listed],
        new: &[Listed],
    ) -> Result<(), StoreError> {
        let is_strange = |listed: &&Listed| old.iter().all(|other| other.id != listed.id);
        let mut strangers = new.iter().filter(is_strange).peekable();
        // Those that the new store has admitted since it decides are none.
        if strangers.peek().is_none() || self.look().await?.phase == MigrationPhase::Done {
            return Ok(());
        }
        for Listed { id, .. } in strangers {
            let now = self.time.now();
            let reason = match self.from.load(*id, now).await? {
                Loaded::Live(_) => continue,
                Loaded::Ended(reason) => reason,
                Loaded::Absent => EndReason::Revoked,
            };
            let target = EndTarget::Session { id: *id, owner: Some(owner) };
            self.to.end(End { target, reason, now, stamp: 0 }).await?;
        }
        Ok(())
    }

    /// Brings one session over: for a run, or for a node whose lease this is.
    pub(super) async fn bring(&self, session: &Scanned, lease: Option<&Lease>) -> Result<Found, StoreError> {
        let mut session = session.clone();
        let mut brought = Found::Same;
        for _ in 0..ATTEMPTS {
            let now = self.time.now();
            let new = self.to.load(session.id, now).await?;
            // After the new one: so this is never older than what it replaces.
            let Loaded::Live(old) = self.from.load(session.id, now).await? else {
                self.end_in_new(session.id, session.owner).await?;
                return Ok(Found::Gone);
            };
            session.stored = old;
            // From here on: how long the stores took to tell is not given to the write.
            let now = self.time.now();
            let deadline = self.soon(now, lease);
            match new {
                Loaded::Live(new) if new.version() == session.stored.version() => {
                    self.prolong(&session, new.last_seen).await?;
                    return Ok(brought);
                }
                Loaded::Live(new) => {
                    let expected = Expected::Version(new.version());
                    self.to.cas(Self::write_of(&session, expected, (now, deadline))).await?;
                }
                Loaded::Absent if !self.insert(&session, (now, deadline)).await? => {
                    return Ok(Found::Refused);
                }
                Loaded::Absent => {}
                Loaded::Ended(_) => return Ok(Found::Refused),
            }
            brought = Found::Brought;
        }
        Ok(Found::Refused)
    }

    /// Inserts a session that the new store has not: false if that is full.
    async fn insert(&self, session: &Scanned, (now, deadline): (Millis, Millis)) -> Result<bool, StoreError> {
        let Some(owner) = session.owner else {
            let stored = self.to.cas(Self::write_of(session, Expected::Absent, (now, deadline))).await?;
            return Ok(!matches!(stored, CasOutcome::Full));
        };
        let admitted = self.to.admit(Admit {
            id: session.id,
            owner,
            record: session.stored.record.clone(),
            expires: session.expires,
            limit: None,
            replaces: None,
            // The old store has admitted it.
            began: u64::MAX,
            now,
            deadline,
        });
        Ok(!matches!(admitted.await?, Admitted::Full))
    }

    fn write_of(session: &Scanned, expected: Expected, (now, deadline): (Millis, Millis)) -> Cas {
        Cas {
            id: session.id,
            owner: session.owner,
            expected,
            record: session.stored.record.clone(),
            expires: session.expires,
            announced: false,
            now,
            deadline,
        }
    }

    /// No copy may arrive when the new store decides: a run closes none while it copies, a node knows by its lease.
    fn soon(&self, now: Millis, lease: Option<&Lease>) -> Millis {
        match lease {
            None => now.saturating_add(millis(self.pace.lease)),
            Some(lease) => lease.deadline(Instant::now(), (now, Millis::MAX)).unwrap_or(now),
        }
    }

    /// Takes over a use that the record does not tell.
    async fn prolong(&self, session: &Scanned, seen: Millis) -> Result<(), StoreError> {
        let Scanned { id, owner, ref stored, expires } = *session;
        if stored.last_seen > seen {
            self.to.touch(Touch { id, owner, seen: stored.last_seen, expires }).await?;
        }
        Ok(())
    }

    async fn end_in_new(&self, id: SessionId, owner: Option<Owner>) -> Result<(), StoreError> {
        let (target, now) = (EndTarget::Session { id, owner }, self.time.now());
        self.to.end(End { target, reason: EndReason::Revoked, now, stamp: 0 }).await?;
        Ok(())
    }
}

/// All sessions of an owner, oldest login first.
pub(super) async fn list_all(
    store: &SharedStore,
    owner: Owner,
    now: Millis,
) -> Result<Vec<Listed>, StoreError> {
    let mut all: Vec<Listed> = Vec::new();
    loop {
        let page = store.list(owner, all.last().map(|last| last.id), PAGE, now).await?;
        let is_last = page.len() < PAGE;
        // A list that began anew brings some again.
        all.retain(|listed| page.iter().all(|other| other.id != listed.id));
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn count(counts: &mut Counts, found: Found) {
    match found {
        Found::Brought | Found::Same => counts.copied += 1,
        Found::Refused => counts.failed += 1,
        Found::Gone => {}
    }
}
