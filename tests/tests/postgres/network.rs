//! A network between the store and its server that is slow, silent, cut or refused.

use std::time::{Duration, Instant};

use sessions::{
    PostgresStore, SessionStore, SharedStore,
    store::{CasOutcome, StoreError},
};
use sessions_tests::{
    proxy::Proxy,
    servers::postgres::{self, Database, Postgres},
};

use crate::{NOW, anonymous, change, create, soon, unavailable, version};

const LIMIT: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_millis(500);

/// A store on the far side of a network, with its time limit, and one that is near.
async fn far() -> (SharedStore, PostgresStore, Proxy, Database) {
    let database = Postgres::shared().database().await;
    let proxy = Proxy::to(Postgres::shared().port());
    let url = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
    let store = postgres::builder(&url).timeout(LIMIT).open().await.unwrap();
    let near = PostgresStore::open(&database.url()).await.unwrap();
    soon("all connections are there", async || proxy.connections() >= 5).await;
    (SharedStore::new(store).with_limit(LIMIT), near, proxy, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_network_is_told_in_time_and_forgotten_within_a_second() {
    let (store, near, proxy, _database) = far().await;
    create(&near, anonymous(1)).await;
    for silent in [LIMIT / 2, LIMIT * 5] {
        proxy.silence(true);
        let until = Instant::now() + silent;
        while Instant::now() < until {
            let begin = Instant::now();
            let (load, write) =
                tokio::join!(store.load(anonymous(1), NOW), store.cas(change(anonymous(1), 9)));
            assert!(begin.elapsed() < LIMIT + SLACK, "{:?}", begin.elapsed());
            assert!(load.is_err() && write.is_err(), "{load:?} {write:?}");
        }
        proxy.silence(false);
        let took = soon("it is used again", async || store.load(anonymous(1), NOW).await.is_ok()).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(version(&near, anonymous(1)).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_unknown_and_was_applied_at_most_once() {
    let (store, near, proxy, _database) = far().await;
    create(&near, anonymous(1)).await;
    proxy.swallow_answers(true);
    let lost = store.cas(change(anonymous(1), 1)).await;
    assert!(matches!(lost, Err(StoreError::Unknown(_))), "{lost:?}");
    assert_eq!(version(&near, anonymous(1)).await, Some(2));
    proxy.cut();
    proxy.swallow_answers(false);
    soon("it is used again", async || store.load(anonymous(1), NOW).await.is_ok()).await;
    // Whoever tries again is told.
    let again = store.cas(change(anonymous(1), 1)).await.unwrap();
    assert!(matches!(again, CasOutcome::Conflict(stored) if stored.version().as_u64() == 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_connection_was_lost_after_it_was_applied_is_unknown() {
    let (store, near, proxy, _database) = far().await;
    create(&near, anonymous(1)).await;
    proxy.swallow_answers(true);
    let writing = tokio::spawn({
        let store = store.clone();
        async move { store.cas(change(anonymous(1), 1)).await }
    });
    soon("it is applied", async || version(&near, anonymous(1)).await == Some(2)).await;
    // Long before the time limit, which tells the same.
    proxy.cut();
    let lost = writing.await.unwrap();
    assert!(matches!(lost, Err(StoreError::Unknown(_))), "{lost:?}");
    assert!(!format!("{lost:?}").contains("timeout"), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_lead_nowhere_are_given_up() {
    let (store, near, proxy, database) = far().await;
    create(&near, anonymous(1)).await;
    // Those of both stores are set up: one that is not yet is given up for that.
    let ready = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name = 'sessions' AND query LIKE '%clock_timestamp%'";
    let client = database.client().await;
    soon("all are set up", async || client.query_one(ready, &[]).await.unwrap().get::<_, i64>(0) == 8).await;
    proxy.strand();
    assert!(store.load(anonymous(1), NOW).await.is_err(), "no answer comes");
    soon("new ones are made", async || store.load(anonymous(1), NOW).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_anywhere_lose_and_double_nothing() {
    let (store, near, proxy, _database) = far().await;
    create(&near, anonymous(1)).await;
    let (mut known, mut unknown, mut in_doubt) = (1, 0, false);
    // In the middle of setting up, and after some answers.
    for bytes in (100..6_000).step_by(450) {
        proxy.cut_after(bytes);
        proxy.cut();
        for _ in 0..10 {
            match store.cas(change(anonymous(1), known)).await {
                Ok(CasOutcome::Stored) => (known, in_doubt) = (known + 1, false),
                Ok(CasOutcome::Conflict(stored)) => {
                    assert!(in_doubt, "no one was told that it may have been applied");
                    assert_eq!(stored.version().as_u64(), known + 1, "written once");
                    (known, in_doubt) = (known + 1, false);
                }
                Err(StoreError::Unknown(_)) => (unknown, in_doubt) = (unknown + 1, true),
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
                other => panic!("{other:?}"),
            }
        }
    }
    proxy.cut_after(u64::MAX);
    soon("it is used again", async || store.load(anonymous(1), NOW).await.is_ok()).await;
    let stored = version(&near, anonymous(1)).await.unwrap();
    assert!(stored == known || stored == known + 1, "{stored} stored, {known} known, {unknown} unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_one_trip_over_a_slow_network() {
    let (store, near, proxy, _database) = far().await;
    create(&near, anonymous(1)).await;
    let trip = Duration::from_millis(200);
    proxy.delay(trip / 2);
    let begin = Instant::now();
    store.load(anonymous(1), NOW).await.unwrap();
    assert!((trip..trip * 2).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    let begin = Instant::now();
    assert!(matches!(store.cas(change(anonymous(1), 1)).await.unwrap(), CasOutcome::Stored));
    assert!((trip..trip * 2).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    // Nothing waits for the answer of another.
    let begin = Instant::now();
    let loads: Vec<_> = (0..100)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.load(anonymous(1), NOW).await.unwrap() })
        })
        .collect();
    for load in loads {
        load.await.unwrap();
    }
    assert!(begin.elapsed() < trip * 3, "{:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_is_asked_now_and_then_and_not_by_every_request() {
    let (store, near, proxy, _database) = far().await;
    create(&near, anonymous(1)).await;
    proxy.refuse(true);
    proxy.cut();
    soon("the loss is seen", async || store.load(anonymous(1), NOW).await.is_err()).await;
    let before = proxy.connections();
    let begin = Instant::now();
    let mut asked = 0;
    while begin.elapsed() < Duration::from_secs(3) {
        unavailable(store.cas(change(anonymous(1), 1)).await);
        asked += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let attempts = proxy.connections() - before;
    assert!((5..=30).contains(&attempts), "{attempts} attempts, {asked} requests");
    proxy.refuse(false);
    let took = soon("it is used again", async || store.load(anonymous(1), NOW).await.is_ok()).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}
