//! A store of your own that keeps the whole contract: a map under a lock.
//!
//! Records stay bytes here. What they mean, and what a limit or a revocation is for, is the engine's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sessions::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Ended, Expected, Listed,
    Loaded, Millis, Owner, SessionId, SessionStore, Stamp, StoreError, StoreStats, Stored, TOMBSTONE_MS,
    Touch, Touched,
};

/// Keeps sessions in a map. Clones are handles on the same sessions.
#[derive(Clone, Debug, Default)]
pub(crate) struct MapStore(Arc<Mutex<Map>>);

#[derive(Debug, Default)]
struct Map {
    sessions: BTreeMap<SessionId, Row>,
    /// The last revocation of an owner, and until when it is remembered if the owner has no session.
    revoked: BTreeMap<Owner, (Stamp, Millis)>,
    logins: u64,
}

#[derive(Debug)]
struct Row {
    owner: Option<Owner>,
    /// The place in the order of logins.
    login: u64,
    what: Loaded,
    /// When the session is dead, or its tombstone forgotten.
    expires: Millis,
}

impl Map {
    /// What is under an id now: the expired becomes a tombstone, the old tombstone goes.
    fn look(&mut self, id: SessionId, now: Millis) -> Loaded {
        let Some(row) = self.sessions.get(&id) else { return Loaded::Absent };
        match row.what {
            _ if row.expires > now => row.what.clone(),
            Loaded::Live(_) if row.expires + TOMBSTONE_MS > now => {
                self.entomb(id, EndReason::Expired, row.expires);
                Loaded::Ended(EndReason::Expired)
            }
            _ => {
                self.sessions.remove(&id);
                Loaded::Absent
            }
        }
    }

    fn entomb(&mut self, id: SessionId, reason: EndReason, now: Millis) {
        let Some(row) = self.sessions.get_mut(&id) else { return };
        (row.what, row.expires) = (Loaded::Ended(reason), now.saturating_add(TOMBSTONE_MS));
        if let Some((_, until)) = row.owner.and_then(|owner| self.revoked.get_mut(&owner)) {
            *until = row.expires.max(*until);
        }
    }

    fn end(&mut self, id: SessionId, reason: EndReason, now: Millis) -> bool {
        let was_live = matches!(self.look(id, now), Loaded::Live(_));
        if was_live {
            self.entomb(id, reason, now);
        }
        was_live
    }

    fn insert(&mut self, id: SessionId, owner: Option<Owner>, record: Arc<[u8]>, expires: Millis) {
        self.logins += 1;
        let what = Loaded::Live(Stored::new(record));
        self.sessions.insert(id, Row { owner, login: self.logins, what, expires });
    }

    /// The live sessions of an owner, oldest login first.
    fn live_of(&mut self, owner: Owner, now: Millis) -> Vec<SessionId> {
        let of_owner = self.sessions.iter().filter(|(_, row)| row.owner == Some(owner));
        let mut logins: Vec<_> = of_owner.map(|(id, row)| (row.login, *id)).collect();
        logins.retain(|(_, id)| matches!(self.look(*id, now), Loaded::Live(_)));
        logins.sort_unstable();
        logins.into_iter().map(|(_, id)| id).collect()
    }
}

impl MapStore {
    fn lock(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionStore for MapStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        Ok(self.lock().look(id, now))
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        let mut map = self.lock();
        if write.now > write.deadline {
            return Ok(CasOutcome::Late);
        }
        Ok(match (map.look(write.id, write.now), write.expected) {
            (Loaded::Live(now), Expected::Version(version)) if now.version() == version => {
                if let Some(row) = map.sessions.get_mut(&write.id) {
                    let (stored, expires) = write.over(now.last_seen, row.expires);
                    (row.what, row.expires) = (Loaded::Live(stored), expires);
                }
                CasOutcome::Stored
            }
            (Loaded::Live(now), _) => CasOutcome::Conflict(now),
            (Loaded::Ended(reason), _) => CasOutcome::Gone(Some(reason)),
            (_, Expected::Version(_)) => CasOutcome::Gone(None),
            (_, Expected::Absent) => {
                map.insert(write.id, write.owner, write.record, write.expires);
                CasOutcome::Stored
            }
        })
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        let mut map = self.lock();
        let Loaded::Live(now) = map.look(touch.id, touch.seen) else { return Ok(Touched::Gone) };
        if let Some(row) = map.sessions.get_mut(&touch.id) {
            row.what = Loaded::Live(Stored { last_seen: now.last_seen.max(touch.seen), ..now });
            row.expires = row.expires.max(touch.expires);
        }
        Ok(Touched::Noted)
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        let (mut map, now) = (self.lock(), admit.now);
        if now > admit.deadline {
            return Ok(Admitted::Late);
        }
        if !matches!(map.look(admit.id, now), Loaded::Absent) {
            return Ok(Admitted::Exists);
        }
        if map.revoked.get(&admit.owner).is_some_and(|(stamp, _)| admit.began < *stamp) {
            return Ok(Admitted::Revoked);
        }
        let mut evicted = map.live_of(admit.owner, now);
        let replaced = admit.replaces.filter(|id| evicted.contains(id));
        evicted.retain(|id| Some(*id) != replaced);
        let over = admit.limit.map_or(0, |limit| (evicted.len() + 1).saturating_sub(limit.max as usize));
        match admit.limit.map(|limit| limit.behavior) {
            _ if over == 0 => evicted.clear(),
            Some(BehaviorOnLimit::EvictAll) => {}
            Some(BehaviorOnLimit::EvictOldest) => evicted.truncate(over),
            _ => return Ok(Admitted::LimitReached { live: evicted.len().try_into().unwrap_or(u32::MAX) }),
        }
        for id in &evicted {
            map.end(*id, EndReason::Evicted, now);
        }
        if let Some(id) = replaced {
            map.end(id, EndReason::Superseded, now);
        }
        map.insert(admit.id, Some(admit.owner), admit.record, admit.expires);
        Ok(Admitted::Stored { evicted })
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        let mut map = self.lock();
        let mut ids = match end.target {
            EndTarget::Session { id, .. } => vec![id],
            EndTarget::Owner { owner, except } => {
                let (stamp, until) = map.revoked.entry(owner).or_default();
                (*stamp, *until) = (end.stamp.max(*stamp), end.now.saturating_add(TOMBSTONE_MS).max(*until));
                map.live_of(owner, end.now).into_iter().filter(|id| Some(*id) != except).collect()
            }
        };
        ids.retain(|id| map.end(*id, end.reason, end.now));
        Ok(Ended { ids })
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        let mut map = self.lock();
        let ids = map.live_of(owner, now);
        let begin = ids.iter().position(|id| Some(*id) == after).map_or(0, |place| place + 1);
        let page = ids.into_iter().skip(begin).take(limit);
        let listed = page.filter_map(|id| match map.look(id, now) {
            Loaded::Live(stored) => Some(Listed { id, stored, expires: map.sessions.get(&id)?.expires }),
            _ => None,
        });
        Ok(listed.collect())
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        let mut map = self.lock();
        let due = map.sessions.iter().filter(|(_, row)| row.expires <= now).map(|(id, _)| *id);
        let due: Vec<_> = due.take(limit).collect();
        for id in &due {
            map.look(*id, now);
        }
        let owners: BTreeSet<_> = map.sessions.values().filter_map(|row| row.owner).collect();
        map.revoked.retain(|owner, (_, until)| *until > now || owners.contains(owner));
        Ok(due.len())
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let map = self.lock();
        let live = || map.sessions.values().filter(|row| matches!(row.what, Loaded::Live(_)));
        let owners: BTreeSet<_> = live().filter_map(|row| row.owner).collect();
        let mut stats = StoreStats::default();
        (stats.sessions, stats.principals) = (live().count() as u64, owners.len() as u64);
        Ok(stats)
    }

    /// The rows say whose they are: writes need not.
    fn remembers_owners(&self) -> bool {
        true
    }
}
