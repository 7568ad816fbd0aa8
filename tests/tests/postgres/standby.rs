//! A primary that is lost, and the standby that takes its place: both are in the address, and the one that can be written is
//! found.

use std::time::{Duration, Instant};

use sessions::{
    PostgresStore, SessionStore,
    store::{CasOutcome, Loaded},
};
use sessions_tests::servers::postgres::{self, Postgres};

use crate::{
    NOW, ada, anonymous, change, create, creation, login, logout, of_ada, soon, unavailable, version,
};

const LIMIT: Duration = Duration::from_secs(1);

/// A primary that answers once its standby has what it wrote, the standby, and a store on both.
async fn replicated() -> (Postgres, Postgres, PostgresStore) {
    let primary = Postgres::start(&["wal_level=replica", "max_wal_senders=4", "hot_standby=on"]);
    let standby = primary.standby();
    let admin = primary.admin().await;
    let follows = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    soon("the standby follows", async || admin.query_one(follows, &[]).await.unwrap().get::<_, i64>(0) == 1)
        .await;
    for setting in ["synchronous_standby_names = '*'", "synchronous_commit = remote_apply"] {
        admin.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
    }
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    soon("the primary waits", async || admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 1)
        .await;
    // The standby is named first: it is no use to whom it can't be written by.
    let url =
        format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres", standby.port(), primary.port());
    let store = postgres::builder(&url).timeout(LIMIT).open().await.unwrap();
    (primary, standby, store)
}

async fn is_taken_over(store: &PostgresStore, number: u16) -> Duration {
    let begin = Instant::now();
    soon("it is written again", async || {
        matches!(store.cas(creation(anonymous(number))).await, Ok(CasOutcome::Stored))
    })
    .await;
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_promoted_takes_over_with_all_that_was_acknowledged() {
    let (mut primary, standby, store) = replicated().await;
    create(&store, anonymous(1)).await;
    store.cas(change(anonymous(1), 1)).await.unwrap();
    create(&store, anonymous(2)).await;
    store.end(logout(anonymous(2))).await.unwrap();
    store.admit(login(1, 3)).await.unwrap();
    primary.kill();
    // As long as there is only a standby, nothing is believed of it.
    soon("the loss is seen", async || store.load(anonymous(1), NOW).await.is_err()).await;
    for _ in 0..20 {
        unavailable(store.cas(change(anonymous(1), 2)).await);
        assert!(store.load(anonymous(1), NOW).await.is_err());
    }
    standby.promote();
    let took = is_taken_over(&store, 3).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(version(&store, anonymous(1)).await, Some(2));
    assert!(matches!(store.load(anonymous(2), NOW).await.unwrap(), Loaded::Ended(_)), "it stays dead");
    assert_eq!(store.list(ada(), None, 10, NOW).await.unwrap()[0].id, of_ada(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_stands_still_does_not_keep_the_store_from_the_new_one() {
    let (primary, standby, store) = replicated().await;
    create(&store, anonymous(1)).await;
    // Its machine takes connections, and nothing comes on them.
    primary.freeze();
    standby.promote();
    is_taken_over(&store, 3).await;
    assert_eq!(version(&store, anonymous(1)).await, Some(1));
    // And a store that is opened now finds it as well.
    let url =
        format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres", primary.port(), standby.port());
    let other = postgres::builder(&url).timeout(LIMIT).open().await.unwrap();
    assert_eq!(version(&other, anonymous(3)).await, Some(1));
}
