//! What the store knows while it is open, in memory, and what each operation does to it: an operation is decided here,
//! its changes are written to files elsewhere, and only then they are true here.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::entry::{Content, Kept, Key, Live, State};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, EndReason, Expected, Listed, Loaded, Millis, Owner,
    Scanned, SessionId, Stamp, StoreStats, Stored, TOMBSTONE_MS, Touch, Touched, Version, last_seen,
};

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Book {
    kept: HashMap<SessionId, Kept>,
    owners: HashMap<Owner, OwnerRow>,
    /// The order of the next session.
    next: u64,
}

#[derive(Debug, Default)]
struct OwnerRow {
    /// Its sessions in the order of their logins.
    sessions: BTreeMap<u64, SessionId>,
    /// Logins that began before this are refused; 0 if there never was a revocation.
    revoked: Stamp,
    /// When a sweep first found it without a session.
    idle_since: Option<Millis>,
}

/// What an operation answers, and what has to be on disk before it does.
#[derive(Debug)]
pub(super) struct Step<T> {
    pub(super) answer: T,
    pub(super) changes: Vec<Change>,
}

/// A file that is written, or one that goes.
#[derive(Debug)]
pub(super) enum Change {
    Put(Content),
    Drop(Key),
}

impl<T> Step<T> {
    fn new(answer: T, changes: Vec<Change>) -> Self {
        Self { answer, changes }
    }
}

impl<T> From<T> for Step<T> {
    /// Nothing changes.
    fn from(answer: T) -> Self {
        Self::new(answer, Vec::new())
    }
}

/// What is known under an id at an instant.
enum Found {
    Live(Live),
    Ended(EndReason),
    Absent,
}

impl Book {
    /// Takes over what a file says, as is true from now on.
    pub(super) fn add(&mut self, content: Content) {
        match content {
            Content::Session(id, kept) => {
                self.remove(&id);
                if let State::Live(live) = &kept.state {
                    self.next = self.next.max(live.order.saturating_add(1));
                    if let Some(owner) = live.owner {
                        let row = self.owners.entry(owner).or_default();
                        row.sessions.insert(live.order, id);
                        row.idle_since = None;
                    }
                }
                self.kept.insert(id, kept);
            }
            Content::Owner(owner, stamp) => {
                let row = self.owners.entry(owner).or_default();
                (row.revoked, row.idle_since) = (stamp, None);
            }
        }
    }

    /// Makes true what is on disk now.
    pub(super) fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Put(content) => self.add(content),
                Change::Drop(Key::Session(id)) => drop(self.remove(&id)),
                Change::Drop(Key::Owner(owner)) => {
                    if let Some(row) = self.owners.get_mut(&owner) {
                        row.revoked = 0;
                    }
                    self.forget_if_idle(owner);
                }
            }
        }
    }

    fn remove(&mut self, id: &SessionId) -> Option<Kept> {
        let kept = self.kept.remove(id)?;
        if let State::Live(Live { owner: Some(owner), order, .. }) = kept.state
            && let Some(row) = self.owners.get_mut(&owner)
        {
            row.sessions.remove(&order);
            self.forget_if_idle(owner);
        }
        Some(kept)
    }

    fn forget_if_idle(&mut self, owner: Owner) {
        let idle = self.owners.get(&owner).is_some_and(|row| row.sessions.is_empty() && row.revoked == 0);
        if idle {
            self.owners.remove(&owner);
        }
    }

    /// Judges what is known under an id. What was found dead once stays dead, also for a clock that is behind: its file
    /// says when it expired, and goes with a sweep.
    fn look(&mut self, id: &SessionId, now: Millis) -> Found {
        let Some(Kept { expires, state }) = self.kept.get(id) else { return Found::Absent };
        match state {
            State::Live(live) if *expires > now => Found::Live(live.clone()),
            State::Ended(reason) if *expires > now => Found::Ended(*reason),
            State::Ended(_) => Found::Absent,
            State::Live(_) => {
                let until = expires.saturating_add(TOMBSTONE_MS);
                self.remove(id);
                self.kept.insert(*id, Kept { expires: until, state: State::Ended(EndReason::Expired) });
                if until > now { Found::Ended(EndReason::Expired) } else { Found::Absent }
            }
        }
    }

    /// The live sessions of an owner, oldest login first.
    fn live_of(&mut self, owner: &Owner, now: Millis) -> Vec<(SessionId, Live)> {
        let ids: Vec<SessionId> =
            self.owners.get(owner).into_iter().flat_map(|row| row.sessions.values().copied()).collect();
        let live = ids.into_iter().filter_map(|id| match self.look(&id, now) {
            Found::Live(live) => Some((id, live)),
            _ => None,
        });
        live.collect()
    }

    pub(super) fn load(&mut self, id: SessionId, now: Millis) -> Loaded {
        match self.look(&id, now) {
            Found::Live(live) => Loaded::Live(live.stored()),
            Found::Ended(reason) => Loaded::Ended(reason),
            Found::Absent => Loaded::Absent,
        }
    }

    pub(super) fn cas(&mut self, write: &Cas) -> Step<CasOutcome> {
        if write.deadline < write.now {
            return CasOutcome::Late.into();
        }
        let live = match (self.look(&write.id, write.now), write.expected) {
            (Found::Ended(reason), _) => return CasOutcome::Gone(Some(reason)).into(),
            (Found::Absent, Expected::Version(_)) => return CasOutcome::Gone(None).into(),
            (Found::Absent, Expected::Absent) => self.newcomer(&write.record, write.owner),
            (Found::Live(live), Expected::Version(expected))
                if Version::of_record(&live.record) == expected =>
            {
                let before = self.kept.get(&write.id).map_or(0, |kept| kept.expires);
                let (stored, expires) = write.over(live.last_seen, before);
                let live = Live { record: stored.record, last_seen: stored.last_seen, ..live };
                return Step::new(CasOutcome::Stored, vec![put(write.id, expires, live)]);
            }
            (Found::Live(live), _) => return CasOutcome::Conflict(live.stored()).into(),
        };
        Step::new(CasOutcome::Stored, vec![put(write.id, write.expires, live)])
    }

    fn newcomer(&self, record: &Arc<[u8]>, owner: Option<Owner>) -> Live {
        Live { record: Arc::clone(record), last_seen: last_seen(record), owner, order: self.next }
    }

    pub(super) fn touch(&mut self, touch: &Touch) -> Step<Touched> {
        let Found::Live(live) = self.look(&touch.id, touch.seen) else { return Touched::Gone.into() };
        let before = self.kept.get(&touch.id).map_or(0, |kept| kept.expires);
        let (expires, last_seen) = (before.max(touch.expires), live.last_seen.max(touch.seen));
        if (expires, last_seen) == (before, live.last_seen) {
            return Touched::Noted.into();
        }
        Step::new(Touched::Noted, vec![put(touch.id, expires, Live { last_seen, ..live })])
    }

    pub(super) fn admit(&mut self, admit: &Admit) -> Step<Admitted> {
        if admit.deadline < admit.now {
            return Admitted::Late.into();
        }
        if !matches!(self.look(&admit.id, admit.now), Found::Absent) {
            return Admitted::Exists.into();
        }
        if admit.began < self.revoked(&admit.owner) {
            return Admitted::Revoked.into();
        }
        let replaced = admit.replaces.filter(|id| match self.look(id, admit.now) {
            Found::Live(live) => live.owner.is_none_or(|owner| owner == admit.owner),
            _ => false,
        });
        let evicted = match self.victims(admit, replaced) {
            Ok(evicted) => evicted,
            Err(live) => return Admitted::LimitReached { live }.into(),
        };
        let superseded = replaced.map(|id| entomb(id, EndReason::Superseded, admit.now));
        let gone = evicted.iter().map(|id| entomb(*id, EndReason::Evicted, admit.now));
        let new = put(admit.id, admit.expires, self.newcomer(&admit.record, Some(admit.owner)));
        let changes = superseded.into_iter().chain(gone).chain([new]).collect();
        Step::new(Admitted::Stored { evicted }, changes)
    }

    fn revoked(&self, owner: &Owner) -> Stamp {
        self.owners.get(owner).map_or(0, |row| row.revoked)
    }

    /// Which sessions have to go for a new one, or how many live ones there are if it is refused.
    fn victims(&mut self, admit: &Admit, replaced: Option<SessionId>) -> Result<Vec<SessionId>, u32> {
        let Some(limit) = admit.limit else { return Ok(Vec::new()) };
        let live = self.live_of(&admit.owner, admit.now).into_iter().map(|(id, _)| id);
        let mut live: Vec<SessionId> = live.filter(|id| Some(*id) != replaced).collect();
        let over = (live.len() + 1).saturating_sub(limit.max.max(1) as usize);
        match limit.behavior {
            _ if over == 0 => Ok(Vec::new()),
            BehaviorOnLimit::EvictOldest => {
                live.truncate(over);
                Ok(live)
            }
            BehaviorOnLimit::EvictAll => Ok(live),
            _ => Err(u32::try_from(live.len()).unwrap_or(u32::MAX)),
        }
    }

    pub(super) fn end(&mut self, id: SessionId, reason: EndReason, now: Millis) -> Step<Vec<SessionId>> {
        match self.look(&id, now) {
            Found::Live(_) => Step::new(vec![id], vec![entomb(id, reason, now)]),
            _ => Vec::new().into(),
        }
    }

    /// Ends the sessions of an owner but one, and refuses every login that began before the stamp.
    pub(super) fn end_owner(
        &mut self,
        owner: Owner,
        except: Option<SessionId>,
        reason: EndReason,
        (now, stamp): (Millis, Stamp),
    ) -> Step<Vec<SessionId>> {
        let live = self.live_of(&owner, now).into_iter().map(|(id, _)| id);
        let ids: Vec<SessionId> = live.filter(|id| Some(*id) != except).collect();
        let stamp = stamp.max(self.revoked(&owner));
        let mut changes = vec![Change::Put(Content::Owner(owner, stamp))];
        changes.extend(ids.iter().map(|id| entomb(*id, reason, now)));
        Step::new(ids, changes)
    }

    pub(super) fn list(
        &mut self,
        owner: &Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Vec<Listed> {
        let live = self.live_of(owner, now);
        // A page's last session may have ended since: then the order is lost, and the list begins anew.
        let begins =
            after.and_then(|after| live.iter().position(|(id, _)| *id == after)).map_or(0, |at| at + 1);
        let page = live.into_iter().skip(begins).take(limit);
        let listed = page.filter_map(|(id, live)| {
            let expires = self.kept.get(&id)?.expires;
            Some(Listed { id, stored: live.stored(), expires })
        });
        listed.collect()
    }

    /// Live sessions in the order of their ids, at most so many, those after an id.
    pub(super) fn scan(&self, after: Option<SessionId>, limit: usize, now: Millis) -> Vec<Scanned> {
        let place = |id: &SessionId| (id.bucket(), *id.sid());
        let after = after.as_ref().map(place);
        let live = self.kept.iter().filter(|(id, kept)| kept.expires > now && Some(place(id)) > after);
        let mut live: Vec<_> = live
            .filter_map(|(id, kept)| match &kept.state {
                State::Live(live) => Some((*id, live, kept.expires)),
                State::Ended(_) => None,
            })
            .collect();
        live.sort_unstable_by_key(|(id, ..)| place(id));
        live.truncate(limit.max(1));
        let scanned = live.into_iter().map(|(id, live, expires)| Scanned {
            id,
            owner: live.owner,
            stored: live.stored(),
            expires,
        });
        scanned.collect()
    }

    /// What may go: tombstones after their time, and revocations a while after their owner's last session. A session that
    /// has expired is a tombstone first.
    pub(super) fn sweep(&mut self, now: Millis, limit: usize) -> Step<usize> {
        let due = self.kept.iter().filter(|(_, kept)| kept.expires <= now).map(|(id, _)| *id);
        let due: Vec<SessionId> = due.take(limit).collect();
        let mut freed = 0;
        let mut changes = Vec::new();
        for id in due {
            freed += 1;
            if matches!(self.look(&id, now), Found::Absent) {
                changes.push(Change::Drop(Key::Session(id)));
            }
        }
        let idle = self.owners.iter_mut().filter(|(_, row)| row.sessions.is_empty());
        let forgotten = idle.filter_map(|(owner, row)| {
            let since = *row.idle_since.get_or_insert(now);
            (since.saturating_add(TOMBSTONE_MS) <= now).then_some(*owner)
        });
        let forgotten: Vec<Owner> = forgotten.take(limit - freed).collect();
        freed += forgotten.len();
        changes.extend(forgotten.into_iter().map(|owner| Change::Drop(Key::Owner(owner))));
        Step::new(freed, changes)
    }

    pub(super) fn stats(&self) -> StoreStats {
        let sessions = self.kept.values().filter(|kept| matches!(kept.state, State::Live(_))).count();
        let principals = self.owners.values().filter(|row| !row.sessions.is_empty()).count();
        StoreStats { sessions: sessions as u64, principals: principals as u64, ..StoreStats::default() }
    }
}

impl Live {
    fn stored(&self) -> Stored {
        Stored { record: Arc::clone(&self.record), last_seen: self.last_seen }
    }
}

fn put(id: SessionId, expires: Millis, live: Live) -> Change {
    Change::Put(Content::Session(id, Kept { expires, state: State::Live(live) }))
}

fn entomb(id: SessionId, reason: EndReason, now: Millis) -> Change {
    let expires = now.saturating_add(TOMBSTONE_MS);
    Change::Put(Content::Session(id, Kept { expires, state: State::Ended(reason) }))
}
