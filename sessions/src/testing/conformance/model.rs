//! What the contract says, as a model that is too simple to be wrong: without an index, a bound or a thought for speed.
//!
//! Where the contract leaves a choice, the model takes the store's answer and goes on from it.

use std::collections::BTreeMap;

use super::kit::{Look, Wrote};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, End, EndReason, EndTarget, Expected, Millis, Owner, SessionId,
    Stamp, TOMBSTONE_MS, Touch, Touched, Version,
};

#[derive(Clone, Debug)]
struct Session {
    owner: Option<Owner>,
    /// The order of logins.
    order: u64,
    version: u64,
    last_seen: Millis,
    expires: Millis,
}

/// What is left of a session.
#[derive(Clone, Copy, Debug)]
struct Remains {
    reason: EndReason,
    until: Millis,
    /// Whether the store may have forgotten it.
    fading: bool,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    live: BTreeMap<SessionId, Session>,
    dead: BTreeMap<SessionId, Remains>,
    revoked: BTreeMap<Owner, Stamp>,
    logins: u64,
}

/// An answer that the contract does not allow: what it allows instead.
pub(super) type Judged = Result<(), String>;

fn due(allowed: bool, due: impl Into<String>) -> Judged {
    if allowed { Ok(()) } else { Err(due.into()) }
}

impl Model {
    /// Moves time on: what has expired by now is dead, and old tombstones may be forgotten.
    pub(super) fn advance(&mut self, now: Millis) {
        let dead = &mut self.dead;
        self.live.retain(|id, session| {
            if session.expires <= now {
                let until = session.expires.saturating_add(TOMBSTONE_MS);
                dead.insert(*id, Remains { reason: EndReason::Expired, until, fading: true });
            }
            session.expires > now
        });
        for remains in self.dead.values_mut() {
            remains.fading |= remains.until <= now;
        }
    }

    /// The version that is stored, 0 if there is none.
    pub(super) fn version(&self, id: SessionId) -> u64 {
        self.live.get(&id).map_or(0, |session| session.version)
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        let mut owners: Vec<_> = self.live.values().filter_map(|session| session.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        (self.live.len() as u64, owners.len() as u64)
    }

    pub(super) fn judge_look(&self, id: SessionId, look: Look) -> Judged {
        if let Some(session) = self.live.get(&id) {
            let live = Look::Live(session.version, session.last_seen);
            return due(look == live, format!("{live:?}"));
        }
        match self.dead.get(&id) {
            Some(remains) if look == Look::Ended(remains.reason) => Ok(()),
            Some(Remains { reason, fading: false, .. }) => Err(format!("{:?}", Look::Ended(*reason))),
            _ => due(look == Look::Absent, "Absent"),
        }
    }

    pub(super) fn judge_cas(&mut self, write: &Cas, answer: Wrote) -> Judged {
        let version = Version::of_record(&write.record).as_u64();
        if let Some(session) = self.live.get_mut(&write.id) {
            if write.expected == Expected::Version(Version::of_record(&session.version.to_be_bytes())) {
                let is_touched = session.last_seen > write.now;
                session.expires = if is_touched { session.expires.max(write.expires) } else { write.expires };
                session.version = version;
                session.last_seen = session.last_seen.max(write.now);
                return due(answer == Wrote::Stored, "Stored");
            }
            let conflict = Wrote::Conflict(session.version, session.last_seen);
            return due(answer == conflict, format!("{conflict:?}"));
        }
        match self.dead.get(&write.id) {
            Some(remains) if answer == Wrote::Gone(Some(remains.reason)) => return Ok(()),
            Some(Remains { reason, fading: false, .. }) => return Err(format!("Gone(Some({reason:?}))")),
            _ => {}
        }
        if write.expected != Expected::Absent {
            return due(answer == Wrote::Gone(None), "Gone(None)");
        }
        self.put(write.id, None, version, (write.now, write.expires));
        due(answer == Wrote::Stored, "Stored")
    }

    pub(super) fn judge_touch(&mut self, touch: &Touch, touched: Touched) -> Judged {
        let Some(session) = self.live.get_mut(&touch.id) else {
            return due(touched == Touched::Gone, "Gone");
        };
        session.last_seen = session.last_seen.max(touch.seen);
        session.expires = session.expires.max(touch.expires);
        due(touched == Touched::Noted, "Noted")
    }

    pub(super) fn judge_admit(&mut self, admit: &Admit, admitted: &Admitted) -> Judged {
        let remains = self.dead.get(&admit.id).copied();
        let is_taken = self.live.contains_key(&admit.id) || remains.is_some_and(|remains| !remains.fading);
        let is_revoked = self.revoked.get(&admit.owner).is_some_and(|revoked| admit.began < *revoked);
        if *admitted == Admitted::Exists && (is_taken || remains.is_some())
            || *admitted == Admitted::Revoked && is_revoked
        {
            return Ok(());
        }
        let mut evicted = self.of_owner(admit.owner);
        let replaced = admit.replaces.filter(|id| evicted.contains(id));
        evicted.retain(|id| Some(*id) != replaced);
        let others = admit.limit.map_or(usize::MAX, |limit| limit.max as usize - 1);
        let over = evicted.len().saturating_sub(others);
        match admit.limit.map(|limit| limit.behavior) {
            _ if over == 0 => evicted.clear(),
            Some(BehaviorOnLimit::EvictAll) => {}
            Some(BehaviorOnLimit::EvictOldest) => evicted.truncate(over),
            _ => {
                let live = u32::try_from(evicted.len()).unwrap_or(u32::MAX);
                return due(*admitted == Admitted::LimitReached { live }, format!("LimitReached of {live}"));
            }
        }
        if is_taken || is_revoked {
            return Err(if is_taken { "Exists" } else { "Revoked" }.to_owned());
        }
        for id in &evicted {
            self.end(*id, EndReason::Evicted, admit.now);
        }
        if let Some(id) = replaced {
            self.end(id, EndReason::Superseded, admit.now);
        }
        self.put(admit.id, Some(admit.owner), 1, (admit.now, admit.expires));
        let Admitted::Stored { evicted: ids } = admitted else {
            return Err(format!("Stored, with {evicted:?} evicted"));
        };
        due(
            super::kit::sorted(ids.clone()) == super::kit::sorted(evicted.clone()),
            format!("{evicted:?} evicted"),
        )
    }

    /// The ids come in order.
    pub(super) fn judge_end(&mut self, end: &End, ended: &[SessionId]) -> Judged {
        let mut ids = match end.target {
            EndTarget::Session { id, .. } => vec![id],
            EndTarget::Owner { owner, except } => {
                let revoked = self.revoked.entry(owner).or_default();
                *revoked = end.stamp.max(*revoked);
                let mut ids = self.of_owner(owner);
                ids.retain(|id| Some(*id) != except);
                ids
            }
        };
        ids.retain(|id| self.end(*id, end.reason, end.now));
        ids.sort_unstable();
        due(ids == ended, format!("{ids:?}"))
    }

    pub(super) fn judge_list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        listed: &[SessionId],
    ) -> Judged {
        let all = self.of_owner(owner);
        let begin = match after {
            None => 0,
            Some(id) => match all.iter().position(|known| *known == id) {
                Some(place) => place + 1,
                // Its place is lost, or only the store remembers it.
                None => return due(listed.iter().all(|id| all.contains(id)), format!("some of {all:?}")),
            },
        };
        let page: Vec<_> = all.into_iter().skip(begin).take(limit).collect();
        due(page == listed, format!("{page:?}"))
    }

    fn put(&mut self, id: SessionId, owner: Option<Owner>, version: u64, (seen, expires): (Millis, Millis)) {
        self.dead.remove(&id);
        self.logins += 1;
        self.live.insert(id, Session { owner, order: self.logins, version, last_seen: seen, expires });
    }

    fn end(&mut self, id: SessionId, reason: EndReason, now: Millis) -> bool {
        let was_live = self.live.remove(&id).is_some();
        if was_live {
            self.dead.insert(id, Remains { reason, until: now + TOMBSTONE_MS, fading: false });
        }
        was_live
    }

    fn of_owner(&self, owner: Owner) -> Vec<SessionId> {
        let mut sessions: Vec<_> =
            self.live.iter().filter(|(_, session)| session.owner == Some(owner)).collect();
        sessions.sort_by_key(|(_, session)| session.order);
        sessions.into_iter().map(|(id, _)| *id).collect()
    }
}
