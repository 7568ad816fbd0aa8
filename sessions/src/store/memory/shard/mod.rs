//! The sessions of some buckets, under one lock: every operation of the contract on one shard. How full the whole store
//! may be, and who takes the lock, is not decided here.
//!
//! An owner's sessions and its index are always in one shard, so that each operation is one step of one shard. Row
//! numbers change when a slot is inserted or removed: none is kept over a call that inserts, ends or forgets something.

mod freeing;
mod room;
mod rows;
mod steps;
#[cfg(test)]
mod whole;

use std::sync::Arc;

use self::steps::Step;
pub(super) use self::{
    room::{Need, Wanted},
    steps::A_STEP,
};
use super::{
    due::Due,
    list::List,
    owner::OwnerRow,
    places::Places,
    slot::{Slot, State},
    table::{NONE, Table},
};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, EndReason, Expected, Listed, Loaded, Millis, Owner,
    Scanned, SessionId, Stamp, Stored, TOMBSTONE_MS, Touch, Touched, Version,
};

/// Sessions, tombstones and owners of some buckets.
#[derive(Debug)]
pub(super) struct Shard {
    slots: Places<Slot>,
    owners: Table<OwnerRow>,
    /// Every slot: when its session is dead or its tombstone forgotten.
    due: Due,
    /// Every owner without a session: when its revocation is forgotten.
    idle: Due,
    anonymous: List,
    ended: List,
    /// How many sessions of owners there are.
    owned: u32,
    /// The anonymous session that eviction looks at next; [`NONE`] for the oldest.
    hand: u32,
    /// Where the next sample of owners' sessions begins.
    sampled: u32,
    /// Records that are in no slot any more.
    freed: Freed,
}

/// What a shard holds, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) anonymous: u32,
    pub(super) owned: u32,
    pub(super) ended: u32,
    /// Owners with a session.
    pub(super) principals: u32,
    /// Before this instant nothing here is due.
    pub(super) due: Millis,
}

impl Census {
    /// How many sessions there are, expired ones that are not yet freed included.
    pub(super) fn live(&self) -> usize {
        self.anonymous as usize + self.owned as usize
    }
}

/// Records that were freed under a lock: nearly always one, which then takes no list. Who is going to free more lends one.
#[derive(Debug, Default)]
pub(super) struct Freed {
    first: Option<Arc<[u8]>>,
    more: Records,
}

/// A list of records.
pub(super) type Records = Vec<Arc<[u8]>>;

impl Freed {
    fn push(&mut self, record: Arc<[u8]>) {
        if self.first.is_none() {
            self.first = Some(record);
        } else {
            self.more.push(record);
        }
    }
}

/// Why a login is neither admitted nor refused yet. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotYet {
    /// It needs a place, and none is free.
    NoPlace,
    /// So many sessions of the owner have expired that they are freed in steps: ask again.
    InSteps,
}

/// What is known under an id at an instant.
enum Found {
    Live(u32),
    Ended(EndReason),
    Absent,
}

impl Shard {
    pub(super) const fn new() -> Self {
        Self {
            slots: Places::new(),
            owners: Table::new(),
            due: Due::new(),
            idle: Due::new(),
            anonymous: List::new(),
            ended: List::new(),
            owned: 0,
            hand: NONE,
            sampled: 0,
            freed: Freed { first: None, more: Vec::new() },
        }
    }

    /// Has this list take what is freed until the lock is given back, unless there is one already.
    pub(super) fn lend(&mut self, list: Records) {
        if self.freed.more.capacity() == 0 {
            self.freed.more = list;
        }
    }

    /// Takes what was freed, to drop it when the lock was given back: the allocator may take long.
    pub(super) fn take_freed(&mut self) -> Freed {
        std::mem::take(&mut self.freed)
    }

    pub(super) fn census(&self) -> Census {
        Census {
            anonymous: self.anonymous.len,
            owned: self.owned,
            ended: self.ended.len,
            principals: self.owners.len() - self.idle.len(),
            due: self.due.at().min(self.idle.at()),
        }
    }

    /// Reads a session if it is live: the usual case, in which nothing changes that is counted.
    pub(super) fn live(&mut self, id: &SessionId, now: Millis) -> Option<Stored> {
        self.live_slot(id, now)?.stored()
    }

    /// Notes a use of a session if it is live: as little is counted here.
    pub(super) fn touch_live(&mut self, touch: &Touch) -> Touched {
        let Some(slot) = self.live_slot(&touch.id, touch.seen) else { return Touched::Gone };
        slot.set_expires(touch.expires.max(slot.expires()));
        slot.seen(touch.seen);
        Touched::Noted
    }

    fn live_slot(&mut self, id: &SessionId, now: Millis) -> Option<&mut Slot> {
        let row = self.slots.find(id)?;
        let slot = &mut self.slots[row];
        if slot.expires() <= now || !slot.is_session() {
            return None;
        }
        if !slot.used {
            // Only then: what is read by many at once stays in the caches of all.
            slot.used = true;
        }
        Some(slot)
    }

    /// What is left of a session that is not live. Frees it if it has expired.
    pub(super) fn remains(&mut self, id: &SessionId, now: Millis) -> Loaded {
        match self.look(id, now) {
            Found::Live(row) => self.slots[row].stored().map_or(Loaded::Absent, Loaded::Live),
            Found::Ended(reason) => Loaded::Ended(reason),
            Found::Absent => Loaded::Absent,
        }
    }

    /// Writes what [`Cas`] says; `None` if that needs room and `room` has none. `room` is asked at most once.
    pub(super) fn cas(&mut self, write: &Cas, room: impl FnOnce() -> bool) -> Option<CasOutcome> {
        let found = self.look(&write.id, write.now);
        Some(match (found, write.expected) {
            (Found::Live(row), Expected::Version(expected)) => self.replace(row, expected, write),
            (Found::Live(row), Expected::Absent) => conflict(&self.slots[row]),
            (Found::Ended(reason), _) => CasOutcome::Gone(Some(reason)),
            (Found::Absent, Expected::Version(_)) => CasOutcome::Gone(None),
            (Found::Absent, Expected::Absent) => {
                if !room() {
                    return None;
                }
                self.insert(write.id, write.owner, &write.record, write.expires);
                CasOutcome::Stored
            }
        })
    }

    fn replace(&mut self, row: u32, expected: Version, write: &Cas) -> CasOutcome {
        let owner = self.slots[row].owner;
        debug_assert!(
            write.owner.is_none_or(|of| owner != NONE && of == *self.owners[owner].owner()),
            "a session keeps the owner that it was admitted with"
        );
        let slot = &mut self.slots[row];
        let (last_seen, end) = (slot.last_seen(), slot.expires());
        match &mut slot.state {
            State::Live(record) if Version::of_record(record) == expected => {
                let (stored, expires) = write.over(last_seen, end);
                self.freed.push(std::mem::replace(record, stored.record));
                slot.seen(stored.last_seen);
                slot.used = true;
                slot.set_expires(expires);
                if expires < end {
                    self.due.no_later_than(&mut self.slots, row, expires);
                }
                CasOutcome::Stored
            }
            _ => conflict(slot),
        }
    }

    /// Admits a session. `room` is asked at most once.
    pub(super) fn admit(&mut self, admit: &Admit, room: impl FnOnce() -> bool) -> Result<Admitted, NotYet> {
        if !matches!(self.look(&admit.id, admit.now), Found::Absent) {
            return Ok(Admitted::Exists);
        }
        let owner = self.owners.find(&admit.owner);
        if owner.is_some_and(|row| admit.began < self.owners[row].revoked) {
            return Ok(Admitted::Revoked);
        }
        let replaced = admit.replaces.filter(|id| self.may_replace(id, admit));
        let evicted = match self.victims(admit, replaced) {
            Ok(evicted) => evicted,
            Err(Some(live)) => return Ok(Admitted::LimitReached { live }),
            Err(None) => return Err(NotYet::InSteps),
        };
        if evicted.is_empty() && replaced.is_none() && !room() {
            return Err(NotYet::NoPlace);
        }
        if let Some(id) = replaced {
            self.end(&id, EndReason::Superseded, admit.now);
        }
        for id in &evicted {
            self.end(id, EndReason::Evicted, admit.now);
        }
        self.insert(admit.id, Some(admit.owner), &admit.record, admit.expires);
        Ok(Admitted::Stored { evicted })
    }

    /// Whether an id is a live session here, of the owner that logs in or of no one.
    fn may_replace(&mut self, id: &SessionId, admit: &Admit) -> bool {
        let Found::Live(row) = self.look(id, admit.now) else { return false };
        let owner = self.slots[row].owner;
        owner == NONE || *self.owners[owner].owner() == admit.owner
    }

    /// Which sessions have to go for a new one, or how many live ones there are if it is refused; that is not known yet
    /// while expired ones are freed in steps.
    fn victims(&mut self, admit: &Admit, replaced: Option<SessionId>) -> Result<Vec<SessionId>, Option<u32>> {
        let Some(limit) = admit.limit else { return Ok(Vec::new()) };
        let others = limit.max.saturating_sub(1);
        let Some(owner) = self.owners.find(&admit.owner) else { return Ok(Vec::new()) };
        if self.owners[owner].sessions.len <= others {
            return Ok(Vec::new());
        }
        if self.free_expired_of(owner, admit.now) {
            return Err(None);
        }
        let mut live = self.live_of(&admit.owner, admit.now);
        live.retain(|id| Some(*id) != replaced);
        let over = live.len().saturating_sub(others as usize);
        match limit.behavior {
            _ if over == 0 => Ok(Vec::new()),
            BehaviorOnLimit::EvictOldest => {
                live.truncate(over);
                Ok(live)
            }
            BehaviorOnLimit::EvictAll => Ok(live),
            _ => Err(Some(u32::try_from(live.len()).unwrap_or(u32::MAX))),
        }
    }

    /// The live sessions of an owner, oldest login first. Frees the expired ones.
    fn live_of(&mut self, owner: &Owner, now: Millis) -> Vec<SessionId> {
        let Some(row) = self.owners.find(owner) else { return Vec::new() };
        let (mut live, mut expired) = (Vec::new(), Vec::new());
        for slot in self.owners[row].sessions.after(&self.slots, NONE) {
            if slot.expires() > now { &mut live } else { &mut expired }.push(slot.id);
        }
        for id in &expired {
            self.look(id, now);
        }
        live
    }

    /// Ends a session: whether it was live.
    pub(super) fn end(&mut self, id: &SessionId, reason: EndReason, now: Millis) -> bool {
        let Found::Live(row) = self.look(id, now) else { return false };
        self.entomb(row, reason, now.saturating_add(TOMBSTONE_MS), now);
        true
    }

    /// Ends the sessions of an owner but one, and refuses every login that began before the stamp.
    pub(super) fn end_owner(
        &mut self,
        owner: Owner,
        except: Option<SessionId>,
        reason: EndReason,
        (now, stamp): (Millis, Stamp),
    ) -> Vec<SessionId> {
        self.reserve(Need::Revocation);
        let mut ids = self.live_of(&owner, now);
        ids.retain(|id| Some(*id) != except);
        // First the stamp: an owner whose last session goes is kept for the sake of it.
        self.revoke(owner, stamp, now);
        ids.retain(|id| self.end(id, reason, now));
        ids
    }

    fn revoke(&mut self, owner: Owner, stamp: Stamp, now: Millis) {
        let row = self.owners.find(&owner).unwrap_or_else(|| self.owners.push(OwnerRow::new(owner)));
        self.owners[row].revoked = stamp.max(self.owners[row].revoked);
        if self.owners[row].sessions.len == 0 {
            self.remember(row, now);
        }
    }

    /// How many sessions of an owner there are, expired ones that are not yet freed included.
    pub(super) fn count(&self, owner: &Owner) -> usize {
        self.owners.find(owner).map_or(0, |row| self.owners[row].sessions.len as usize)
    }

    /// Lists sessions of an owner; false if so many have expired that they are freed in steps: ask again.
    pub(super) fn list(
        &mut self,
        owner: &Owner,
        after: Option<SessionId>,
        (limit, listed): (usize, &mut Vec<Listed>),
        now: Millis,
    ) -> bool {
        // A page's last session may have ended since: then the order is lost, and the list begins anew.
        let after = after.filter(|id| matches!(self.look(id, now), Found::Live(_)));
        let Some(row) = self.owners.find(owner) else { return true };
        let after = after.and_then(|id| self.slots.find(&id)).filter(|&slot| self.slots[slot].owner == row);
        let mut expired = Step::default();
        for slot in self.owners[row].sessions.after(&self.slots, after.unwrap_or(NONE)) {
            if listed.len() >= limit || expired.is_whole() {
                break;
            }
            match slot.stored() {
                Some(stored) if slot.expires() > now => {
                    listed.push(Listed { id: slot.id, stored, expires: slot.expires() });
                }
                _ => expired.push(slot.id),
            }
        }
        for id in expired.iter() {
            self.look(id, now);
        }
        listed.len() >= limit || !expired.is_whole()
    }

    /// Adds its live sessions, as they are.
    pub(super) fn scan(&self, now: Millis, found: &mut Vec<Scanned>) {
        let live = self.slots.iter().filter(|slot| slot.expires() > now);
        let scanned = live.filter_map(|slot| {
            let owner = (slot.owner != NONE).then(|| *self.owners[slot.owner].owner());
            Some(Scanned { id: slot.id, owner, stored: slot.stored()?, expires: slot.expires() })
        });
        found.extend(scanned);
    }
}

fn conflict(slot: &Slot) -> CasOutcome {
    slot.stored().map_or(CasOutcome::Gone(None), CasOutcome::Conflict)
}
