//! What is `SqliteStore`'s own: the file, its threads, other processes. What every store promises is the kit's.

#[cfg(feature = "testing")]
mod conformance;
mod durable;
mod ending;
mod file;
mod grouping;
mod processes;
mod schema;
mod upkeep;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use rusqlite::Connection;

use super::*;
use crate::store::calls::{self, HOUR, record, stamp};
use crate::store::{EndReason, EndTarget};

/// A late enough beginning that subtracting from it is safe.
const NOW: Millis = 1_000_000_000;
/// Writes wait for the disk of whatever machine the tests run on.
const IN_TIME: Millis = 60_000;

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

    /// A file that is beside the database.
    fn beside(&self, suffix: &str) -> PathBuf {
        self.0.join(format!("sessions.db{suffix}"))
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.file()).await.unwrap()
    }

    /// A connection of someone else.
    fn shell(&self) -> Connection {
        let shell = Connection::open(self.file()).unwrap();
        shell.busy_timeout(Duration::from_secs(5)).unwrap();
        shell
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

fn creation(id: SessionId, now: Millis) -> Cas {
    Cas { deadline: now + IN_TIME, ..calls::creation(id, now) }
}

fn change(id: SessionId, from: u64, now: Millis) -> Cas {
    Cas { deadline: now + IN_TIME, ..calls::change(id, from, now) }
}

fn login(id: SessionId, owner: Owner, now: Millis) -> Admit {
    Admit { deadline: now + IN_TIME, ..calls::login(id, owner, now) }
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

/// What an error and its causes say.
fn told(error: &StoreError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
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
