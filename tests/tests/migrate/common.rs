//! Two stores, nodes that move sessions from one to the other, and what the tests say to them.

use std::{sync::Arc, time::Duration};

use sessions::{
    SharedStore,
    store::{
        Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Expected, Limit,
        Loaded, MigratingStore, MigrationPhase, Millis, Owner, SessionId, SessionStore,
    },
    testing::ManualClock,
};

pub(crate) const HOUR: Millis = 3_600_000;
/// Long enough for a busy machine, for what has to come some time.
pub(crate) const SOME_TIME: Duration = Duration::from_secs(60);
/// When a migration is to stay where it is.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(1_000_000);

/// The old store, the new one, and the time.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) old: SharedStore,
    pub(crate) new: SharedStore,
    pub(crate) clock: ManualClock,
    pub(crate) is_hasty: bool,
}

impl Pair {
    pub(crate) fn of(old: impl SessionStore, new: impl SessionStore) -> Self {
        let [old, new] = [SharedStore::new(old), SharedStore::new(new)];
        Self { old, new, clock: ManualClock::default(), is_hasty: true }
    }

    /// The same the other way.
    pub(crate) fn back(&self) -> Self {
        Self { old: self.new.clone(), new: self.old.clone(), ..self.clone() }
    }

    /// With the times that applications have, for servers that need theirs.
    pub(crate) fn unhurried(self) -> Self {
        Self { is_hasty: false, ..self }
    }

    /// A node of its own.
    pub(crate) fn node(&self) -> MigratingStore {
        let make = if self.is_hasty { MigratingStore::hasty } else { MigratingStore::with_clock };
        make(self.old.clone(), self.new.clone(), self.clock.shared())
    }

    pub(crate) fn now(&self) -> Millis {
        sessions::Clock::now(&self.clock)
    }

    /// A node after a migration has begun, which then only waits: all that there was has been copied.
    pub(crate) async fn copying(&self) -> MigratingStore {
        let node = self.node();
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let migration = node.migration().settle(FOR_EVER);
        let migration = migration.on_progress(move |progress| {
            let _ = told.send(*progress);
        });
        tokio::spawn(migration.run());
        // The copy, the pass over the new store, and the first sign of waiting come after the beginning.
        for _ in 0..4 {
            heard.recv().await.unwrap();
        }
        node
    }

    pub(crate) fn creation(&self, id: SessionId, count: u64) -> Cas {
        let now = self.now();
        Cas {
            id,
            owner: None,
            expected: Expected::Absent,
            record: record(count),
            expires: now + HOUR,
            announced: false,
            now,
            deadline: now + 5_000,
        }
    }

    pub(crate) fn login(&self, owner: Owner, number: u64, limit: u32) -> Admit {
        let now = self.now();
        let behavior = BehaviorOnLimit::EvictOldest;
        Admit {
            id: of(owner, number),
            owner,
            record: record(0),
            expires: now + HOUR,
            limit: Some(Limit { max: limit, behavior }),
            replaces: None,
            began: now << 16 | number,
            now,
            deadline: now + 5_000,
        }
    }

    pub(crate) fn logout(&self, id: SessionId, owner: Option<Owner>) -> End {
        let target = EndTarget::Session { id, owner };
        End { target, reason: EndReason::LoggedOut, now: self.now(), stamp: 0 }
    }

    /// Counts one further in a session: whether that was acknowledged. `None` if it has ended.
    pub(crate) async fn increment(
        &self,
        store: &impl SessionStore,
        id: SessionId,
        owner: Option<Owner>,
    ) -> Option<bool> {
        loop {
            let Ok(loaded) = store.load(id, self.now()).await else { return Some(false) };
            let Loaded::Live(stored) = loaded else { return None };
            let expected = Expected::Version(stored.version());
            let write = Cas { owner, expected, ..self.creation(id, count(&stored.record) + 1) };
            match store.cas(write).await {
                Ok(CasOutcome::Stored) => return Some(true),
                Ok(CasOutcome::Conflict(_)) => {}
                Ok(CasOutcome::Gone(_)) => return None,
                Ok(CasOutcome::Late | CasOutcome::Full) | Err(_) => return Some(false),
            }
        }
    }

    /// How far a session has counted; `None` if it is not live.
    pub(crate) async fn counted(&self, store: &impl SessionStore, id: SessionId) -> Option<u64> {
        match store.load(id, self.now()).await.unwrap() {
            Loaded::Live(stored) => Some(count(&stored.record)),
            _ => None,
        }
    }

    pub(crate) async fn live_of(&self, store: &impl SessionStore, owner: Owner) -> Vec<SessionId> {
        let listed = store.list(owner, None, 1_000, self.now()).await.unwrap();
        listed.into_iter().map(|listed| listed.id).collect()
    }
}

pub(crate) async fn stored(store: &impl SessionStore, write: Cas) {
    assert!(matches!(store.cas(write).await.unwrap(), CasOutcome::Stored));
}

pub(crate) async fn admitted(store: &impl SessionStore, admit: Admit) -> Vec<SessionId> {
    match store.admit(admit).await.unwrap() {
        Admitted::Stored { evicted } => evicted,
        other => unreachable!("{other:?}"),
    }
}

/// Sessions of no one in the old store, each of which has counted as far as its number.
pub(crate) async fn filled(pair: &Pair, sessions: u64) {
    for number in 0..sessions {
        stored(&pair.old, pair.creation(anonymous(number), number)).await;
    }
}

/// Waits until a migration is at a phase.
pub(crate) async fn phase(node: &MigratingStore, phase: MigrationPhase) {
    let is_there = async {
        while node.progress().await.is_ok_and(|progress| progress.phase != phase) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOME_TIME, is_there).await.unwrap();
}

pub(crate) fn owner(number: u64) -> Owner {
    Owner::of("test", "user", &number.to_string())
}

pub(crate) fn anonymous(number: u64) -> SessionId {
    SessionId::new(u16::try_from(number * 37 % 16_384).unwrap(), u128::from(number).to_be_bytes())
}

pub(crate) fn of(owner: Owner, number: u64) -> SessionId {
    SessionId::new(owner.bucket(), (1 << 100 | u128::from(number)).to_be_bytes())
}

/// A record with a version by chance, that counts.
pub(crate) fn record(count: u64) -> Arc<[u8]> {
    let version = count << 32 | u64::from(random());
    [version, 1, count].map(u64::to_be_bytes).concat().into()
}

pub(crate) fn count(record: &[u8]) -> u64 {
    u64::from_be_bytes(record[16..24].try_into().unwrap())
}

fn random() -> u32 {
    use std::hash::{BuildHasher as _, RandomState};
    u32::try_from(RandomState::new().hash_one(0) >> 33).unwrap()
}
