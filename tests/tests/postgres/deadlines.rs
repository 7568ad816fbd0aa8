//! Deadlines and time limits: a write that comes too late is not applied, however long it was on its way.

use std::time::{Duration, Instant};

use sessions::{
    PostgresStore, SessionStore,
    store::{Admitted, Cas, CasOutcome, Loaded, Pooler},
};
use sessions_tests::servers::postgres::{self, Postgres};
use tokio_postgres::Client;

use crate::{
    NOW, ada, anonymous, change, create, creation, login, logout, of_ada, soon, unavailable, version,
};

/// Locks the row of every session until the transaction ends.
async fn lock_all(client: &Client) {
    client.batch_execute("BEGIN; SELECT FROM sessions.session FOR UPDATE").await.unwrap();
}

/// Waits for all connections of a store: the first is enough to begin with.
async fn all_connected(client: &Client) {
    let open = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND application_name = 'sessions' AND query LIKE '%clock_timestamp%'";
    soon("all are connected", async || client.query_one(open, &[]).await.unwrap().get::<_, i64>(0) == 4)
        .await;
}

async fn until_someone_waits(client: &Client) {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    soon("someone waits for a lock", async || {
        client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_waited_for_a_lock_past_its_deadline_is_not_applied() {
    let database = Postgres::shared().database().await;
    let (store, other) = (PostgresStore::open(&database.url()).await.unwrap(), database.client().await);
    create(&store, anonymous(1)).await;
    lock_all(&other).await;
    let late = Cas { deadline: NOW + 200, ..change(anonymous(1), 1) };
    let writing = tokio::spawn({
        let store = store.clone();
        async move { store.cas(late).await }
    });
    until_someone_waits(&other).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The lock goes without a change, so that nothing else stands against the write.
    other.batch_execute("ROLLBACK").await.unwrap();
    assert!(matches!(writing.await.unwrap(), Ok(CasOutcome::Late)));
    assert_eq!(version(&store, anonymous(1)).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_waited_for_its_turn_past_its_deadline_is_not_admitted() {
    let database = Postgres::shared().database().await;
    let (store, other) = (PostgresStore::open(&database.url()).await.unwrap(), database.client().await);
    assert!(matches!(store.admit(login(1, 9)).await, Ok(Admitted::Stored { .. })));
    // Whatever lock it is that the logins of an owner take.
    let mut first = login(2, 9);
    first.deadline = NOW + 200;
    other.batch_execute("BEGIN").await.unwrap();
    let key = ada().as_bytes().to_vec();
    let lock =
        "SELECT pg_advisory_xact_lock(1936028531, ('x' || encode($1::bytea, 'hex'))::bit(32)::int | 1)";
    other.query(lock, &[&key]).await.unwrap();
    let logging_in = tokio::spawn({
        let store = store.clone();
        async move { store.admit(first).await }
    });
    until_someone_waits(&other).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(logging_in.await.unwrap().unwrap(), Admitted::Late);
    assert_eq!(version(&store, of_ada(2)).await, None);
    assert!(matches!(store.admit(login(2, 2)).await, Ok(Admitted::Stored { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_lock_is_given_up_in_time_and_holds_up_no_one_else() {
    // Without a pooler the connection has a limit too; with one, it is the statement's alone.
    for pooler in [Pooler::None, Pooler::Transaction] {
        let database = Postgres::shared().database().await;
        let limit = Duration::from_secs(1);
        let options = postgres::builder(&database.url()).pooler(pooler).timeout(limit);
        let (store, other) = (options.open().await.unwrap(), database.client().await);
        create(&store, anonymous(1)).await;
        all_connected(&other).await;
        lock_all(&other).await;
        let begin = Instant::now();
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { (store.cas(change(anonymous(1), 1)).await, store.end(logout(anonymous(1))).await) }
        });
        until_someone_waits(&other).await;
        for number in 2..30 {
            let begin = Instant::now();
            create(&store, anonymous(number)).await;
            assert!(begin.elapsed() < limit / 2, "{:?}", begin.elapsed());
        }
        let (write, end) = waiting.await.unwrap();
        let said = unavailable(write);
        assert!(said.contains("gave up a statement that waited too long"), "{said}");
        unavailable(end);
        assert!(begin.elapsed() < limit * 2, "{:?}", begin.elapsed());
        other.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(version(&store, anonymous(1)).await, Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_operation_leaves_the_connections_sound() {
    let database = Postgres::shared().database().await;
    let (store, other) = (PostgresStore::open(&database.url()).await.unwrap(), database.client().await);
    create(&store, anonymous(1)).await;
    lock_all(&other).await;
    for _ in 0..20 {
        let dropped =
            tokio::time::timeout(Duration::from_millis(5), store.cas(change(anonymous(1), 1))).await;
        assert!(dropped.is_err());
    }
    other.batch_execute("ROLLBACK").await.unwrap();
    let settled = async || matches!(store.load(anonymous(1), NOW).await, Ok(Loaded::Live(_)));
    soon("it can be read", settled).await;
    // One of them was applied, whole, and the others found that.
    soon("a dropped write is applied", async || version(&store, anonymous(1)).await == Some(2)).await;
    for number in 2..50 {
        create(&store, anonymous(number)).await;
    }
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    assert_eq!(other.query_one(open, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_stuck_on_its_way_is_not_applied_after_its_deadline() {
    let server = Postgres::start(&["fsync=off"]);
    let store = PostgresStore::open(&server.url("postgres")).await.unwrap();
    create(&store, anonymous(1)).await;
    server.freeze();
    let late = Cas { deadline: NOW + 300, ..change(anonymous(1), 1) };
    let creation = Cas { deadline: NOW + 300, ..creation(anonymous(2)) };
    for write in [late, creation] {
        // The caller has long gone when the server reads it.
        let waited = tokio::time::timeout(Duration::from_millis(350), store.cas(write)).await;
        assert!(waited.is_err());
    }
    server.thaw();
    soon("it answers again", async || matches!(store.load(anonymous(1), NOW).await, Ok(Loaded::Live(_))))
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(version(&store, anonymous(1)).await, Some(1));
    assert_eq!(version(&store, anonymous(2)).await, None);
}
