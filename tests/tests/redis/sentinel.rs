//! A primary that Sentinels watch: it is found, and followed when another takes its place.

use std::time::{Duration, Instant};

use sessions::{
    RedisAddress, RedisStore, SessionStore,
    store::{CasOutcome, Loaded, SentinelUser},
};
use sessions_tests::servers::{redis::RedisServer, sentinel::Watched};

use super::common::{LIMIT, anonymous, change, create, creation, is_unavailable, now, open_at, told};

/// Whether a store is connected: nothing else here speaks the newer protocol.
fn is_in_use(server: &RedisServer) -> bool {
    server.ask(&["CLIENT", "LIST"]).contains("resp=3")
}

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

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_heard_of_before_anyone_asks() {
    let watched = Watched::start();
    let store = open_at(&watched.url()).await.unwrap();
    create(&store, anonymous(1)).await;
    let [before, after] = watched.servers();
    watched.wait(|_| after.ask(&["DBSIZE"]).contains(":1"));
    assert!(!is_in_use(after));
    // It stands still: the connection to it stays, and no answer comes.
    before.signal("STOP");
    let begin = Instant::now();
    while !is_in_use(after) {
        assert!(begin.elapsed() < Duration::from_secs(60), "nobody has heard of the failover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(matches!(store.load(anonymous(1), now()).await, Ok(Loaded::Live(_))));
    assert!(matches!(store.cas(change(anonymous(1), 1)).await, Ok(CasOutcome::Stored)));
    before.signal("CONT");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_goes_to_another_sentinel_when_one_is_lost() {
    let watched = Watched::start();
    let store = open_at(&watched.url()).await.unwrap();
    create(&store, anonymous(1)).await;
    watched.wait(|watched| watched.listened_to().len() == 1);
    let first = watched.listened_to()[0];
    watched.end_sentinel(first);
    watched.wait(|watched| !watched.listened_to().is_empty());
    let [before, after] = watched.servers();
    watched.wait(|_| after.ask(&["DBSIZE"]).contains(":1"));
    before.signal("STOP");
    let begin = Instant::now();
    while !is_in_use(after) {
        assert!(begin.elapsed() < Duration::from_secs(60), "nobody has heard of the failover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(matches!(store.load(anonymous(1), now()).await, Ok(Loaded::Live(_))));
    before.signal("CONT");
}

/// The least that a user of Sentinels needs, and what they want of each other.
const USERS: &str = "requirepass among-them\nuser watcher on >s3cret-of-watcher -@all +auth +hello +ping +client +sentinel|master \
                     +subscribe resetchannels &+switch-master";

async fn with_user(
    watched: &Watched,
    user: Option<SentinelUser>,
) -> Result<RedisStore, sessions::StoreError> {
    let address = watched.url().replace("redis+sentinel://", "redis+sentinel://:of-servers@");
    let mut builder = RedisStore::builder(RedisAddress::parse(&address).unwrap()).timeout(LIMIT);
    if let Some(user) = user {
        builder = builder.sentinel_user(user);
    }
    builder.open().await
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_have_users_of_their_own() {
    let options = ["--requirepass of-servers", "--masterauth of-servers"];
    let lines = format!("sentinel auth-pass main of-servers\n{USERS}");
    let watched = Watched::start_with(&options, &lines, "among-them");
    for user in [SentinelUser::new("among-them"), SentinelUser::new("s3cret-of-watcher").named("watcher")] {
        let store = with_user(&watched, Some(user.clone())).await.unwrap();
        let id = anonymous(if user.username().is_some() { 2 } else { 1 });
        create(&store, id).await;
        watched.wait(|watched| !watched.listened_to().is_empty());
        store.shutdown().await.unwrap();
        drop(store);
        watched.wait(|watched| watched.listened_to().is_empty());
    }
    for wrong in
        [None, Some(SentinelUser::new("s3cret")), Some(SentinelUser::new("among-them").named("watcher"))]
    {
        let refused = with_user(&watched, wrong).await;
        assert!(is_unavailable(&refused));
        let said = told(refused);
        assert!(said.contains("check user and password"), "{said}");
        assert!(!said.contains("s3cret") && !said.contains("among-them"), "{said}");
    }
}
