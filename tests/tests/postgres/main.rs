//! The store in PostgreSQL on servers of its own.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod conformance;
mod deadlines;
mod failure;
mod logins;
mod near;
mod network;
mod nodes;
mod pooled;
mod pushed;
mod settings;
mod standby;
mod statements;
mod tls;
mod unnamed;

use std::{
    error::Error as _,
    sync::Arc,
    time::{Duration, Instant},
};

use sessions::{
    PostgresStore, SessionStore,
    store::{
        Admit, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Expected, Limit, Loaded, Millis,
        Owner, SessionId, StoreError, Touch, Version,
    },
};

const NOW: Millis = 1_767_225_600_000;
const HOUR: Millis = 3_600_000;

fn anonymous(number: u16) -> SessionId {
    SessionId::new(number, [9; 16])
}

fn ada() -> Owner {
    Owner::of("test", "user", "ada")
}

fn of_ada(number: u8) -> SessionId {
    SessionId::new(ada().bucket(), [number; 16])
}

fn record(version: u64) -> Arc<[u8]> {
    [version.to_be_bytes(), NOW.to_be_bytes(), *b"payload!"].concat().into()
}

fn creation(id: SessionId) -> Cas {
    Cas {
        id,
        owner: None,
        expected: Expected::Absent,
        announced: false,
        record: record(1),
        expires: NOW + HOUR,
        now: NOW,
        deadline: NOW + 60_000,
    }
}

fn change(id: SessionId, from: u64) -> Cas {
    let expected = Expected::Version(Version::of_record(&from.to_be_bytes()));
    Cas { expected, record: record(from + 1), ..creation(id) }
}

fn login(number: u8, max: u32) -> Admit {
    Admit {
        id: of_ada(number),
        owner: ada(),
        record: record(1),
        expires: NOW + HOUR,
        limit: Some(Limit { max, behavior: BehaviorOnLimit::Reject }),
        replaces: None,
        began: NOW << 16,
        now: NOW,
        deadline: NOW + 60_000,
    }
}

fn touch(id: SessionId) -> Touch {
    Touch { id, owner: None, seen: NOW + 1, expires: NOW + HOUR }
}

fn logout(id: SessionId) -> End {
    End {
        target: EndTarget::Session { id, owner: None },
        reason: EndReason::LoggedOut,
        now: NOW,
        stamp: NOW << 16,
    }
}

fn revocation() -> End {
    let target = EndTarget::Owner { owner: ada(), except: None };
    End { target, reason: EndReason::Revoked, ..logout(of_ada(0)) }
}

/// The version that a session has, if it lives.
async fn version(store: &PostgresStore, id: SessionId) -> Option<u64> {
    match store.load(id, NOW).await.unwrap() {
        Loaded::Live(stored) => Some(stored.version().as_u64()),
        _ => None,
    }
}

async fn create(store: &PostgresStore, id: SessionId) {
    assert!(matches!(store.cas(creation(id)).await, Ok(CasOutcome::Stored)));
}

/// What an operation failed with, certainly without having been applied.
#[track_caller]
fn unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(error @ StoreError::Unavailable(_)) => error.source().unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}

/// Asks again until something is so, for a while: how long it took.
async fn soon(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < Duration::from_secs(10), "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begin.elapsed()
}
