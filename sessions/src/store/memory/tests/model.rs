//! The store against a model that is too simple to be wrong: every answer of thousands of random operations is the same.

use std::collections::BTreeMap;

use super::*;
use crate::store::{BehaviorOnLimit, TOMBSTONE_MS};

const SEEDS: u64 = 12;
const STEPS: usize = 4_000;

/// A small generator, so that a seed gives the same steps everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(length as u64)).unwrap()
    }
}

#[derive(Clone)]
struct Session {
    owner: Option<Owner>,
    /// The order of logins.
    order: u64,
    version: u64,
    last_seen: Millis,
    expires: Millis,
}

/// What the contract says, without an index, a bound or a thought for speed.
#[derive(Default)]
struct Model {
    live: BTreeMap<SessionId, Session>,
    ended: BTreeMap<SessionId, (EndReason, Millis)>,
    revoked: BTreeMap<Owner, Stamp>,
    logins: u64,
}

impl Model {
    /// Moves time on: what has expired by now becomes a tombstone, and old tombstones go.
    fn advance(&mut self, now: Millis) {
        let ended = &mut self.ended;
        self.live.retain(|id, session| {
            if session.expires <= now {
                ended.insert(*id, (EndReason::Expired, session.expires + TOMBSTONE_MS));
            }
            session.expires > now
        });
        self.ended.retain(|_, (_, until)| *until > now);
    }

    fn look(&self, id: SessionId) -> Look {
        match (self.live.get(&id), self.ended.get(&id)) {
            (Some(session), _) => Look::Live(session.version, session.last_seen),
            (None, Some((reason, _))) => Look::Ended(*reason),
            (None, None) => Look::Absent,
        }
    }

    fn put(&mut self, id: SessionId, owner: Option<Owner>, version: u64, (seen, expires): (Millis, Millis)) {
        self.logins += 1;
        self.live.insert(id, Session { owner, order: self.logins, version, last_seen: seen, expires });
    }

    fn cas(&mut self, write: &Cas) -> Result<(), Option<Look>> {
        let version = Version::of_record(&write.record).as_u64();
        let expected = match write.expected {
            Expected::Absent => None,
            Expected::Version(version) => Some(version.as_u64()),
        };
        match (self.look(write.id), expected) {
            (Look::Absent, None) => {
                self.put(write.id, write.owner, version, (write.now, write.expires));
                Ok(())
            }
            (Look::Live(stored, _), Some(expected)) if stored == expected => {
                let session = self.live.get_mut(&write.id).unwrap();
                session.version = version;
                session.last_seen = session.last_seen.max(write.now);
                session.expires = write.expires;
                Ok(())
            }
            (Look::Absent, Some(_)) => Err(None),
            (found, _) => Err(Some(found)),
        }
    }

    fn touch(&mut self, touch: &Touch) -> Touched {
        let Some(session) = self.live.get_mut(&touch.id) else { return Touched::Gone };
        session.last_seen = session.last_seen.max(touch.seen);
        session.expires = session.expires.max(touch.expires);
        Touched::Noted
    }

    fn end(&mut self, id: SessionId, reason: EndReason, now: Millis) -> Option<SessionId> {
        self.live.remove(&id)?;
        self.ended.insert(id, (reason, now + TOMBSTONE_MS));
        Some(id)
    }

    fn of_owner(&self, owner: Owner) -> Vec<SessionId> {
        let mut sessions: Vec<_> =
            self.live.iter().filter(|(_, session)| session.owner == Some(owner)).collect();
        sessions.sort_by_key(|(_, session)| session.order);
        sessions.into_iter().map(|(id, _)| *id).collect()
    }

    fn admit(&mut self, admit: &Admit) -> Admitted {
        if self.look(admit.id) != Look::Absent {
            return Admitted::Exists;
        }
        if self.revoked.get(&admit.owner).is_some_and(|revoked| admit.began < *revoked) {
            return Admitted::Revoked;
        }
        let mut evicted = self.of_owner(admit.owner);
        evicted.retain(|id| Some(*id) != admit.replaces);
        match admit.limit {
            Some(Limit { max, behavior }) if evicted.len() >= max as usize => match behavior {
                BehaviorOnLimit::EvictAll => {}
                BehaviorOnLimit::EvictOldest => evicted.truncate(evicted.len() + 1 - max as usize),
                _ => return Admitted::LimitReached { live: u32::try_from(evicted.len()).unwrap() },
            },
            _ => evicted.clear(),
        }
        for id in &evicted {
            self.end(*id, EndReason::Evicted, admit.now);
        }
        if let Some(id) = admit.replaces {
            self.end(id, EndReason::Superseded, admit.now);
        }
        self.put(admit.id, Some(admit.owner), 1, (admit.now, admit.expires));
        Admitted::Stored { evicted }
    }

    fn end_all(&mut self, owner: Owner, except: Option<SessionId>, now: Millis) -> Vec<SessionId> {
        self.revoked.insert(owner, stamp(now));
        let mut ids = self.of_owner(owner);
        ids.retain(|id| Some(*id) != except);
        ids.retain(|id| self.end(*id, EndReason::Revoked, now).is_some());
        ids
    }
}

/// Both of them, and what the steps are made of.
struct Run {
    store: MemoryStore,
    model: Model,
    dice: Dice,
    now: Millis,
}

impl Run {
    /// One of a few ids, so that the steps meet each other. Three owners, and anonymous ids in the owners' buckets.
    fn pick(&mut self) -> (SessionId, Option<Owner>) {
        let (user, number) = (owner(self.dice.index(3)), self.dice.index(8));
        match self.dice.roll(3) {
            0 => (SessionId::new(user.bucket(), sid(50 + number)), None),
            _ => (of(user, number), Some(user)),
        }
    }

    fn step(&mut self) {
        self.now += [0, 1, 7, 400, 20_000][self.dice.index(5)];
        self.model.advance(self.now);
        let now = self.now;
        let (id, user) = self.pick();
        match self.dice.roll(12) {
            0..4 => self.write(id, user),
            4 => {
                let expires = now + self.dice.roll(90_000);
                let touch = Touch { id, owner: user, seen: now, expires };
                assert_eq!(at_once(self.store.touch(touch)), self.model.touch(&touch));
            }
            5..8 => self.admit(),
            8 => {
                let ended = self.model.end(id, EndReason::LoggedOut, now);
                assert_eq!(self.store.end_one(id, EndReason::LoggedOut, now), Vec::from_iter(ended));
            }
            9 => {
                let (user, except) = (owner(self.dice.index(3)), (self.dice.roll(2) == 0).then_some(id));
                assert_eq!(self.store.end_all(user, except, now), self.model.end_all(user, except, now));
            }
            10 => {
                let user = owner(self.dice.index(3));
                assert_eq!(self.store.ids_of(user, now), self.model.of_owner(user));
            }
            _ => {
                at_once(self.store.sweep(now, self.dice.index(5)));
            }
        }
        let (id, _) = self.pick();
        assert_eq!(self.store.look(id, now), self.model.look(id));
    }

    fn write(&mut self, id: SessionId, user: Option<Owner>) {
        let stored = if let Look::Live(version, _) = self.model.look(id) { version } else { 0 };
        let expires = self.now + self.dice.roll(90_000);
        let write = match self.dice.roll(3) {
            0 => creation(id, self.now),
            1 => change(id, stored, self.now),
            _ => change(id, self.dice.roll(4), self.now),
        };
        let write = Cas { owner: user, expires, ..write };
        let answer = match self.store.write(write.clone()) {
            CasOutcome::Stored => Ok(()),
            CasOutcome::Conflict(stored) => {
                Err(Some(Look::Live(stored.version().as_u64(), stored.last_seen)))
            }
            CasOutcome::Gone(reason) => Err(reason.map(Look::Ended)),
            other => panic!("{other:?}"),
        };
        assert_eq!(answer, self.model.cas(&write));
    }

    fn admit(&mut self) {
        let (user, max) = (owner(self.dice.index(3)), u32::try_from(self.dice.roll(4)).unwrap() + 1);
        let (id, replaced) = (of(user, self.dice.index(8)), of(user, self.dice.index(8)));
        let behavior = [BehaviorOnLimit::Reject, BehaviorOnLimit::EvictOldest, BehaviorOnLimit::EvictAll]
            [self.dice.index(3)];
        let admit = Admit {
            limit: (self.dice.roll(4) > 0).then_some(Limit { max, behavior }),
            replaces: (self.dice.roll(3) == 0).then_some(replaced),
            began: stamp(self.now - self.dice.roll(2) * 30_000),
            expires: self.now + self.dice.roll(90_000),
            ..login(id, user, self.now)
        };
        assert_eq!(at_once(self.store.admit(admit.clone())), self.model.admit(&admit));
    }
}

#[test]
fn every_answer_is_that_of_a_simple_model() {
    for seed in 0..SEEDS {
        let (store, model) = (MemoryStore::new(10_000), Model::default());
        let mut run = Run { store, model, dice: Dice(seed), now: NOW };
        for step in 0..STEPS {
            run.step();
            if step % 50 == 0 {
                run.store.space.assert_whole();
                at_once(run.store.sweep(run.now, usize::MAX));
                let (live, counts) = (&run.model.live, run.store.counts());
                let owners: std::collections::BTreeSet<_> =
                    live.values().filter_map(|session| session.owner).collect();
                assert_eq!((counts.sessions, counts.principals), (live.len() as u64, owners.len() as u64));
            }
        }
    }
}

#[test]
fn a_store_that_is_always_full_stays_whole() {
    for seed in 0..SEEDS {
        let (store, mut dice) = (MemoryStore::new(40), Dice(seed));
        let mut now = NOW;
        for step in 0..STEPS {
            now += dice.roll(3) * 50;
            let (user, number) = (owner(dice.index(30)), dice.index(60));
            let expires = now + 1 + dice.roll(4_000);
            match dice.roll(6) {
                0 | 1 => drop(at_once(store.admit(Admit { expires, ..login(of(user, number), user, now) }))),
                2 | 3 => drop(store.write(Cas { expires, ..creation(anonymous(number), now) })),
                4 => _ = store.look(anonymous(number), now),
                _ => drop(store.end_one(of(user, number), EndReason::LoggedOut, now)),
            }
            assert!(store.counts().sessions <= 40);
            if step % 20 == 0 {
                store.space.assert_whole();
            }
        }
    }
}
