//! What is `SqliteStore`'s own: the file, its threads, other processes. What every store promises is the kit's.

mod durable;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use super::*;
use crate::store::{EndReason, EndTarget, Expected, Stamp, Version};

/// A late enough beginning that subtracting from it is safe.
const NOW: Millis = 1_000_000_000;
const HOUR: Millis = 3_600_000;

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("sessions-sqlite-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("sessions.db")
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.file()).await.unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn owner(number: usize) -> Owner {
    Owner::of("test", "user", &number.to_string())
}

fn anonymous(number: usize) -> SessionId {
    SessionId::new(u16::try_from(number % 16_384).unwrap(), (number as u128).to_be_bytes())
}

fn of(owner: Owner, number: usize) -> SessionId {
    SessionId::new(owner.bucket(), (1_000_000_000 + number as u128).to_be_bytes())
}

fn record(version: u64, last_seen: Millis) -> Arc<[u8]> {
    [version.to_be_bytes(), last_seen.to_be_bytes(), *b"payload!"].concat().into()
}

fn creation(id: SessionId, now: Millis) -> Cas {
    Cas {
        id,
        owner: None,
        expected: Expected::Absent,
        record: record(1, now),
        expires: now + HOUR,
        now,
        deadline: now + 60_000,
    }
}

fn change(id: SessionId, from: u64, now: Millis) -> Cas {
    let expected = Expected::Version(Version::of_record(&from.to_be_bytes()));
    Cas { expected, record: record(from + 1, now), ..creation(id, now) }
}

fn login(id: SessionId, owner: Owner, now: Millis) -> Admit {
    Admit {
        id,
        owner,
        record: record(1, now),
        expires: now + HOUR,
        limit: None,
        replaces: None,
        began: stamp(now),
        now,
        deadline: now + 60_000,
    }
}

fn stamp(now: Millis) -> Stamp {
    now << 16
}

fn end_one(id: SessionId, reason: EndReason, now: Millis) -> End {
    End { target: EndTarget::Session { id, owner: None }, reason, now, stamp: stamp(now) }
}

fn end_all(owner: Owner, now: Millis) -> End {
    End {
        target: EndTarget::Owner { owner, except: None },
        reason: EndReason::Revoked,
        now,
        stamp: stamp(now),
    }
}

impl SqliteStore {
    async fn create(&self, id: SessionId, now: Millis) {
        let outcome = self.cas(creation(id, now)).await.unwrap();
        assert!(matches!(outcome, CasOutcome::Stored), "{outcome:?}");
    }

    async fn log_in(&self, id: SessionId, owner: Owner, now: Millis) {
        let outcome = self.admit(login(id, owner, now)).await.unwrap();
        assert_eq!(outcome, Admitted::Stored { evicted: Vec::new() });
    }

    async fn look(&self, id: SessionId, now: Millis) -> Look {
        match self.load(id, now).await.unwrap() {
            Loaded::Live(stored) => Look::Live(stored.version().as_u64(), stored.last_seen),
            Loaded::Ended(reason) => Look::Ended(reason),
            Loaded::Absent => Look::Absent,
        }
    }

    async fn ids_of(&self, owner: Owner, now: Millis) -> Vec<SessionId> {
        let listed = self.list(owner, None, usize::MAX, now).await.unwrap();
        listed.iter().map(|listed| listed.id).collect()
    }
}

/// What [`SessionStore::load`] found, to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Version and last seen.
    Live(u64, Millis),
    Ended(EndReason),
    Absent,
}
