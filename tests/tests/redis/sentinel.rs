//! A primary that Sentinels watch: it is found, and followed when another takes its place.

use std::time::{Duration, Instant};

use sessions::{
    RedisStore, SessionStore,
    store::{CasOutcome, Loaded},
};
use sessions_tests::servers::sentinel::Watched;

use super::common::{anonymous, change, create, creation, is_unavailable, now, open_at, told};

/// Writes until one is acknowledged: how long that took.
async fn until_written(store: &RedisStore, number: usize) -> Duration {
    let begin = Instant::now();
    while !matches!(store.cas(creation(anonymous(number))).await, Ok(CasOutcome::Stored)) {
        assert!(begin.elapsed() < Duration::from_secs(30), "no server takes the write");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begin.elapsed()
}

#[tokio::test]
async fn a_failover_is_followed() {
    let watched = Watched::start();
    let store = open_at(&watched.url()).await.unwrap();
    create(&store, anonymous(1)).await;
    let [before, after] = watched.servers();
    watched.wait(|_| after.ask(&["DBSIZE"]).contains(":1"));
    watched.fail_over();
    watched.wait(|_| after.ask(&["ROLE"]).contains("master") && before.ask(&["ROLE"]).contains("slave"));
    // The one that was demoted has kept the connection, or cut it: either way the next write finds the other.
    let took = until_written(&store, 2).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(matches!(store.load(anonymous(1), now()).await.unwrap(), Loaded::Live(_)));
    assert!(after.ask(&["DBSIZE"]).contains(":2"));
}

#[tokio::test]
async fn a_primary_that_dies_is_replaced() {
    let watched = Watched::start();
    let store = open_at(&watched.url()).await.unwrap();
    create(&store, anonymous(1)).await;
    let [before, after] = watched.servers();
    watched.wait(|_| after.ask(&["DBSIZE"]).contains(":1"));
    before.kill();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let outcome = store.cas(change(anonymous(1), 1)).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    until_written(&store, 2).await;
    assert!(after.ask(&["ROLE"]).contains("master"));
    assert!(matches!(store.cas(change(anonymous(1), 1)).await.unwrap(), CasOutcome::Stored));
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_told() {
    let watched = Watched::start();
    let url = watched.url().replace("/main", "/other");
    let outcome = open_at(&url).await;
    assert!(is_unavailable(&outcome));
    let text = told(outcome);
    assert!(text.contains("No such master with that name"), "{text}");
}
