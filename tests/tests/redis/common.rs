//! What the tests of this store say to it.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use sessions::{
    RedisAddress, RedisStore, SessionStore,
    store::{
        Admit, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Expected, Limit, Millis, Owner,
        SessionId, StoreError, Touch, Version,
    },
};

pub(crate) const HOUR: Millis = 3_600_000;
/// The time limit of the stores here.
pub(crate) const LIMIT: Duration = Duration::from_millis(600);
/// What a busy machine may add.
pub(crate) const SLACK: Duration = Duration::from_millis(400);

pub(crate) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

pub(crate) async fn open(port: u16) -> RedisStore {
    open_at(&format!("redis://127.0.0.1:{port}")).await.unwrap()
}

pub(crate) async fn open_at(url: &str) -> Result<RedisStore, StoreError> {
    RedisStore::builder(RedisAddress::parse(url).unwrap()).timeout(LIMIT).open().await
}

pub(crate) fn owner(number: usize) -> Owner {
    Owner::of("test", "user", &number.to_string())
}

pub(crate) fn anonymous(number: usize) -> SessionId {
    SessionId::new(u16::try_from(number * 37 % 16_384).unwrap(), (number as u128).to_be_bytes())
}

pub(crate) fn of(owner: Owner, number: usize) -> SessionId {
    SessionId::new(owner.bucket(), (1_000_000_000 + number as u128).to_be_bytes())
}

pub(crate) fn record(version: u64) -> Arc<[u8]> {
    [version.to_be_bytes(), now().to_be_bytes(), *b"payload!"].concat().into()
}

pub(crate) fn creation(id: SessionId) -> Cas {
    let now = now();
    Cas {
        id,
        owner: None,
        expected: Expected::Absent,
        announced: false,
        record: record(1),
        expires: now + HOUR,
        now,
        deadline: now + 600,
    }
}

pub(crate) fn change(id: SessionId, from: u64) -> Cas {
    let expected = Expected::Version(Version::of_record(&from.to_be_bytes()));
    Cas { expected, record: record(from + 1), ..creation(id) }
}

pub(crate) fn login(owner: Owner, number: usize) -> Admit {
    let now = now();
    Admit {
        id: of(owner, number),
        owner,
        record: record(1),
        expires: now + HOUR,
        limit: None,
        replaces: None,
        began: now << 16,
        now,
        deadline: now + 600,
    }
}

pub(crate) fn limited(owner: Owner, number: usize, max: u32) -> Admit {
    let limit = Limit { max, behavior: BehaviorOnLimit::EvictOldest };
    Admit { limit: Some(limit), ..login(owner, number) }
}

pub(crate) fn touch(id: SessionId, owner: Option<Owner>) -> Touch {
    Touch { id, owner, seen: now(), expires: now() + 2 * HOUR }
}

pub(crate) fn end_one(id: SessionId, owner: Option<Owner>) -> End {
    let now = now();
    End { target: EndTarget::Session { id, owner }, reason: EndReason::LoggedOut, now, stamp: now << 16 }
}

pub(crate) fn end_all(owner: Owner) -> End {
    let now = now();
    let target = EndTarget::Owner { owner, except: None };
    End { target, reason: EndReason::Revoked, now, stamp: now << 16 }
}

pub(crate) async fn create(store: &RedisStore, id: SessionId) {
    let outcome = store.cas(creation(id)).await.unwrap();
    assert!(matches!(outcome, CasOutcome::Stored), "{outcome:?}");
}

pub(crate) fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

pub(crate) fn is_unknown<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unknown(_)))
}

/// What an error and its causes say.
pub(crate) fn told<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    let error = outcome.unwrap_err();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Asks until it works: how long that took.
pub(crate) async fn recovery(store: &RedisStore) -> Duration {
    let begin = Instant::now();
    while store.load(anonymous(1), now()).await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "it does not recover");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begin.elapsed()
}
