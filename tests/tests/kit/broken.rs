//! A memory store from which one safeguard is taken away, by what stands in front of it.
//!
//! Each variant is a mistake that stores do make. What it does is here by operation, one arm a variant.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use sessions::{
    MemoryStore, SessionId, SessionStore, StoreError, Version,
    store::{
        Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Ended, Expected,
        Listed, Loaded, Millis, Owner, Stamp, StoreStats, Stored, TOMBSTONE_MS, Touch, Touched,
    },
};

use crate::without::Without;

/// A store without one safeguard. Clones are handles on the same sessions.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    without: Without,
    store: MemoryStore,
    known: Arc<Mutex<Known>>,
}

/// What the mistakes remember.
#[derive(Debug, Default)]
struct Known {
    /// How often an id was ended: each time it becomes another one, of which the store has never heard.
    lives: BTreeMap<SessionId, u16>,
    /// What was first and last stored.
    first: BTreeMap<SessionId, Arc<[u8]>>,
    last: BTreeMap<SessionId, (Arc<[u8]>, Millis)>,
    seen: BTreeMap<SessionId, Millis>,
    reasons: BTreeMap<SessionId, EndReason>,
    revoked: BTreeMap<Owner, Stamp>,
    admitted: BTreeMap<Owner, Vec<SessionId>>,
    closed: bool,
}

impl Broken {
    pub(crate) fn new(without: Without) -> Self {
        Self { without, store: MemoryStore::new(100_000), known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    fn lacks(&self, without: Without) -> bool {
        self.without == without
    }

    /// The id under which the store knows a session.
    fn known_as(&self, id: SessionId) -> SessionId {
        let lives = self.known().lives.get(&id).copied().unwrap_or_default();
        let mut sid = *id.sid();
        sid[0] ^= u8::try_from(lives % 256).unwrap();
        SessionId::new(if self.lacks(Without::Buckets) { 7 } else { id.bucket() }, sid)
    }

    fn owner(&self, owner: Owner) -> Owner {
        let service = Owner::of("site", "service", "7");
        if self.lacks(Without::KindsOfOwners) && owner == service {
            return Owner::of("site", "user", "7");
        }
        owner
    }

    /// Between looking and writing.
    async fn gap(&self) {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }

    async fn current(&self, id: SessionId, now: Millis) -> Option<Stored> {
        match self.store.load(id, now).await {
            Ok(Loaded::Live(stored)) => Some(stored),
            _ => None,
        }
    }

    /// A record as this store shows it.
    fn shown(&self, id: SessionId, mut stored: Stored) -> Stored {
        let known = self.known();
        match self.without {
            Without::LastSeen => stored.last_seen = said_seen(&stored.record),
            Without::LastSeenThatOnlyGrows => {
                stored.last_seen = known.seen.get(&id).copied().unwrap_or(stored.last_seen);
            }
            Without::WholeRecords => stored.record = stored.record.iter().copied().take(1_024).collect(),
            _ => {}
        }
        stored
    }

    /// What a write may still do, though it should not.
    async fn force(&self, mut write: Cas) -> Result<CasOutcome, StoreError> {
        loop {
            let current = self.current(write.id, write.now).await;
            write.expected = current.map_or(Expected::Absent, |stored| Expected::Version(stored.version()));
            let outcome = self.store.cas(write.clone()).await?;
            if !matches!(outcome, CasOutcome::Conflict(_)) {
                return Ok(outcome);
            }
        }
    }
}

fn said_seen(record: &Arc<[u8]>) -> Millis {
    Stored::new(Arc::clone(record)).last_seen
}

fn low(version: Version) -> u32 {
    u32::try_from(version.as_u64() & u64::from(u32::MAX)).unwrap()
}

impl SessionStore for Broken {
    async fn load_many(&self, ids: &[SessionId], now: Millis) -> Vec<Result<Loaded, StoreError>> {
        let mut loaded = Vec::with_capacity(ids.len());
        for id in ids {
            loaded.push(self.load(*id, now).await);
        }
        if self.lacks(Without::OrderOfManyLoads) {
            loaded.reverse();
        }
        loaded
    }

    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        let now = if self.lacks(Without::ExactExpiry) { now - 1 } else { now };
        let loaded = self.store.load(self.known_as(id), now).await?;
        let known = self.known().last.get(&id).cloned();
        Ok(match (loaded, self.without) {
            (Loaded::Live(stored), _) => Loaded::Live(self.shown(id, stored)),
            (Loaded::Ended(_), Without::EndedApartFromAbsent) => Loaded::Absent,
            (Loaded::Ended(_), Without::Reasons) => Loaded::Ended(EndReason::LoggedOut),
            (Loaded::Ended(reason), Without::FirstReason) => {
                Loaded::Ended(self.known().reasons.get(&id).copied().unwrap_or(reason))
            }
            (Loaded::Ended(EndReason::Expired), Without::MonotoneClock) => match known {
                Some((record, expires)) if expires > now => {
                    let last_seen = said_seen(&record);
                    Loaded::Live(Stored { record, last_seen })
                }
                _ => Loaded::Absent,
            },
            (loaded, _) => loaded,
        })
    }

    async fn cas(&self, mut write: Cas) -> Result<CasOutcome, StoreError> {
        let id = write.id;
        write.id = self.known_as(id);
        let current = self.current(write.id, write.now).await;
        match self.without {
            Without::VersionCheck if write.expected != Expected::Absent && current.is_some() => {
                return self.force(write).await;
            }
            Without::CheckOfEveryBit => {
                if let (Some(stored), Expected::Version(version)) = (&current, write.expected)
                    && low(stored.version()) == low(version)
                {
                    write.expected = Expected::Version(stored.version());
                }
            }
            Without::AtomicWrites => {
                let fits =
                    current.is_some_and(|stored| write.expected == Expected::Version(stored.version()));
                self.gap().await;
                if fits {
                    return self.force(write).await;
                }
            }
            Without::AtomicCreations if write.expected == Expected::Absent && current.is_none() => {
                self.gap().await;
                return self.force(write).await;
            }
            Without::CreationOfTheAbsent if write.expected == Expected::Absent && current.is_some() => {
                return self.force(write).await;
            }
            Without::WritesThatStateTheEnd => {
                let ends = self.known().last.get(&id).map_or(0, |(_, expires)| *expires);
                write.expires = write.expires.max(ends);
            }
            Without::EndlessLives => write.expires %= 1 << 41,
            Without::DeadlinesOfWrites => write.deadline = Millis::MAX,
            Without::VisitorsApart if write.owner.is_none() && write.expected == Expected::Absent => {
                let ada = Owner::of("conformance", "user", "1");
                write.owner = (ada.bucket() == write.id.bucket()).then_some(ada);
            }
            _ => {}
        }
        let outcome = self.store.cas(write.clone()).await?;
        if matches!(outcome, CasOutcome::Stored) {
            let mut known = self.known();
            known.first.entry(id).or_insert_with(|| Arc::clone(&write.record));
            known.last.insert(id, (Arc::clone(&write.record), write.expires));
            known.seen.insert(id, said_seen(&write.record));
        }
        Ok(match (outcome, self.without) {
            (CasOutcome::Gone(None), Without::WritesThatFind) => self.force(write).await?,
            (CasOutcome::Gone(Some(reason)), Without::DeadWriters) if reason != EndReason::Expired => {
                *self.known().lives.entry(id).or_default() += 1;
                write.id = self.known_as(id);
                self.force(write).await?
            }
            (CasOutcome::Gone(_), Without::EndedApartFromAbsent) => CasOutcome::Gone(None),
            (CasOutcome::Conflict(stored), Without::CurrentConflicts) => {
                let record = self.known().first.get(&id).cloned().unwrap_or(stored.record);
                CasOutcome::Conflict(Stored { record, ..stored })
            }
            (CasOutcome::Conflict(stored), _) => CasOutcome::Conflict(self.shown(id, stored)),
            (outcome, _) => outcome,
        })
    }

    async fn touch(&self, mut touch: Touch) -> Result<Touched, StoreError> {
        let id = touch.id;
        touch.id = self.known_as(id);
        if self.lacks(Without::TouchesThatProlong) {
            touch.expires = touch.seen + 1;
        }
        let touched = self.store.touch(touch).await?;
        let (record, owner) = (self.known().last.get(&id).cloned(), touch.owner);
        let Some((record, _)) = record else { return Ok(touched) };
        let version = Version::of_record(&record).as_u64();
        let next = |version: u64| [&version.to_be_bytes(), &record[8..]].concat().into();
        let (now, deadline) = (touch.seen, touch.seen);
        let write = Cas {
            id: touch.id,
            owner,
            expected: Expected::Absent,
            announced: false,
            record: Arc::clone(&record),
            expires: touch.expires,
            now,
            deadline,
        };
        match (touched, self.without) {
            (Touched::Noted, Without::TouchesThatNeverShorten) => {
                // A write that tells of this use, which may state an earlier end.
                let record = [&record[..8], &touch.seen.to_be_bytes(), &record[16..]].concat().into();
                drop(self.force(Cas { record, ..write }).await?);
            }
            (Touched::Noted, Without::TouchesThatSpareTheVersion) => {
                drop(self.force(Cas { record: next(version + 1), ..write }).await?);
            }
            (Touched::Noted, Without::LastSeenThatOnlyGrows) => {
                self.known().seen.insert(id, touch.seen);
            }
            (Touched::Gone, Without::TouchesThatSpareTheDead) => {
                *self.known().lives.entry(id).or_default() += 1;
                drop(self.force(Cas { id: self.known_as(id), ..write }).await?);
                return Ok(Touched::Noted);
            }
            _ => {}
        }
        Ok(touched)
    }

    async fn admit(&self, mut admit: Admit) -> Result<Admitted, StoreError> {
        let id = admit.id;
        (admit.id, admit.owner) = (self.known_as(id), self.owner(admit.owner));
        let (owner, now) = (admit.owner, admit.now);
        let live = self.store.list(owner, None, usize::MAX, now).await?;
        let ids: Vec<_> = live.iter().map(|listed| listed.id).collect();
        let end = |id, reason| End { target: EndTarget::Session { id, owner: None }, reason, now, stamp: 0 };
        let is_full = admit.limit.is_some_and(|limit| ids.len() >= limit.max as usize);
        match self.without {
            Without::Limits => admit.limit = None,
            Without::LimitsOfTheLiving => {
                let live = self.known().admitted.get(&owner).map_or(0, Vec::len);
                let live = u32::try_from(live).unwrap();
                if admit.limit.is_some_and(|limit| live >= limit.max) {
                    return Ok(Admitted::LimitReached { live });
                }
            }
            Without::AtomicLimits => {
                self.gap().await;
                if let (true, Some(limit)) = (is_full, admit.limit)
                    && limit.behavior == BehaviorOnLimit::Reject
                {
                    return Ok(Admitted::LimitReached { live: limit.max });
                }
                admit.limit = None;
            }
            Without::TheOldestEvicted if is_full => {
                for id in ids.into_iter().rev().take(1) {
                    self.store.end(end(id, EndReason::Evicted)).await?;
                }
            }
            Without::EvictionAtTheLimitAlone
                if admit.limit.is_some_and(|limit| limit.behavior == BehaviorOnLimit::EvictAll) =>
            {
                admit.limit.as_mut().unwrap().max = 1;
            }
            Without::KindsOfOwners => admit.id = SessionId::new(owner.bucket(), *id.sid()),
            Without::Replacement => admit.replaces = None,
            Without::ReplacementOfOnesOwn | Without::RefusalsThatChangeNothing => {
                if let Some(id) = admit.replaces {
                    self.store.end(end(id, EndReason::Superseded)).await?;
                }
            }
            Without::Stamps => admit.began = Stamp::MAX,
            Without::StampsThatOnlyGrow => {
                if self.known().revoked.get(&owner).is_some_and(|revoked| admit.began < *revoked) {
                    return Ok(Admitted::Revoked);
                }
                admit.began = Stamp::MAX;
            }
            Without::DeadlinesOfLogins => admit.deadline = Millis::MAX,
            Without::EndlessLives => admit.expires %= 1 << 41,
            _ => {}
        }
        let admitted = self.store.admit(admit.clone()).await?;
        if let Admitted::Stored { .. } = admitted {
            let mut known = self.known();
            known.first.insert(id, Arc::clone(&admit.record));
            known.last.insert(id, (Arc::clone(&admit.record), admit.expires));
            known.admitted.entry(owner).or_default().push(id);
        }
        if admitted == Admitted::Exists && self.lacks(Without::TakenIds) {
            let Admit { id, record, expires, now, deadline, .. } = admit;
            let write = Cas {
                id,
                owner: None,
                expected: Expected::Absent,
                announced: false,
                record,
                expires,
                now,
                deadline,
            };
            drop(self.force(write).await?);
            return Ok(Admitted::Stored { evicted: Vec::new() });
        }
        Ok(admitted)
    }

    async fn end(&self, mut end: End) -> Result<Ended, StoreError> {
        match &mut end.target {
            EndTarget::Session { id, .. } => {
                let asked = *id;
                *id = self.known_as(asked);
                let was_live = self.current(*id, end.now).await.is_some();
                self.known().reasons.insert(asked, end.reason);
                if self.lacks(Without::AtomicEnds) {
                    self.gap().await;
                }
                let ended = self.store.end(end).await?;
                match self.without {
                    Without::Tombstones => *self.known().lives.entry(asked).or_default() += 1,
                    Without::AtomicEnds if was_live => return Ok(Ended { ids: vec![asked] }),
                    Without::EndsOfTheLivingAlone => return Ok(Ended { ids: vec![asked] }),
                    _ => {}
                }
                Ok(Ended { ids: ended.ids.iter().map(|_| asked).collect() })
            }
            EndTarget::Owner { owner, except } => {
                *owner = self.owner(*owner);
                let ids = self.store.list(*owner, None, usize::MAX, end.now).await?;
                self.known().revoked.insert(*owner, end.stamp);
                match self.without {
                    Without::Except => *except = None,
                    Without::ExceptOfOnesOwn if except.is_some() => {
                        let kept = *except;
                        if !ids.iter().any(|listed| Some(listed.id) == kept) {
                            return Ok(Ended::default());
                        }
                    }
                    Without::StampsWithoutASession if ids.is_empty() => return Ok(Ended::default()),
                    _ => {}
                }
                self.store.end(end).await
            }
        }
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        let owner = self.owner(owner);
        let all = self.store.list(owner, None, usize::MAX, now).await?;
        let begin = after.map(|id| all.iter().position(|listed| listed.id == id));
        let mut listed = match (begin, self.without) {
            (Some(None), Without::PagesThatLeaveNoOneOut) => return Ok(Vec::new()),
            (Some(Some(place)), Without::PagesThatFollow) => {
                all.into_iter().skip(place + 2).take(limit).collect()
            }
            _ => self.store.list(owner, after, limit, now).await?,
        };
        if self.lacks(Without::ListsOfTheLiving) {
            let known = self.known();
            for id in known.admitted.get(&owner).into_iter().flatten() {
                let (record, last_seen) = (Arc::clone(&known.first[id]), now);
                let stored = Stored { record, last_seen };
                listed.push(Listed { id: *id, stored, expires: Millis::MAX });
            }
        }
        if self.lacks(Without::OrderOfLogins) {
            listed.sort_by_key(|listed| listed.id);
        }
        for Listed { id, stored, .. } in &mut listed {
            *stored = self.shown(*id, stored.clone());
            if self.lacks(Without::CurrentLists) {
                stored.record = self.known().first[id].clone();
            }
        }
        Ok(listed)
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        match self.without {
            Without::BoundsOfSweeps => self.store.sweep(now, usize::MAX).await,
            Without::SweepsOfTheDeadAlone => self.store.sweep(now + TOMBSTONE_MS, limit).await,
            _ => self.store.sweep(now, limit).await,
        }
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let mut stats = self.store.stats().await?;
        if self.lacks(Without::Counts) {
            stats.sessions = self.known().last.len() as u64;
        }
        Ok(stats)
    }

    fn remembers_owners(&self) -> bool {
        true
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        if self.lacks(Without::SecondShutdown) && std::mem::replace(&mut self.known().closed, true) {
            return Err(StoreError::Unavailable(None));
        }
        Ok(())
    }
}
