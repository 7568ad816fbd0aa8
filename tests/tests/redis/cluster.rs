//! A cluster: every bucket on its server, slots that move, and a primary that is replaced.

use std::time::{Duration, Instant};

use sessions::{
    RedisStore, SessionStore,
    store::{Admitted, CasOutcome, Loaded},
};
use sessions_tests::servers::cluster::RedisCluster;

use super::common::{
    anonymous, change, create, creation, end_all, end_one, limited, login, now, of, open_at, owner, touch,
};

/// The tag of the keys of a bucket.
fn tag(bucket: u16) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = [12, 6, 0].map(|shift| char::from(DIGITS[usize::from(bucket >> shift) & 63]));
    format!("{{{}}}", digits.iter().collect::<String>())
}

async fn everything(store: &RedisStore, first: usize) {
    for number in first..first + 30 {
        create(store, anonymous(number)).await;
        assert!(matches!(store.cas(change(anonymous(number), 1)).await.unwrap(), CasOutcome::Stored));
        store.touch(touch(anonymous(number), None)).await.unwrap();
        let user = owner(number);
        for login in 0..3 {
            store.admit(limited(user, login, 2)).await.unwrap();
        }
        let listed = store.list(user, None, 9, now()).await.unwrap();
        assert_eq!(listed.iter().map(|listed| listed.id).collect::<Vec<_>>(), [of(user, 1), of(user, 2)]);
        assert_eq!(store.end(end_one(of(user, 2), Some(user))).await.unwrap().ids.len(), 1);
    }
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.sessions, stats.principals), (60, 30));
    for number in first..first + 30 {
        assert_eq!(store.end(end_all(owner(number))).await.unwrap().ids, [of(owner(number), 1)]);
    }
    assert!(store.sweep(now() + 100_000_000, 1_000).await.unwrap() >= 120);
    assert_eq!(store.stats().await.unwrap().sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_works_on_every_server_of_a_cluster() {
    let cluster = RedisCluster::start();
    everything(&open_at(&cluster.url()).await.unwrap(), 0).await;
    // One node that is a cluster's is enough.
    let one = format!("redis://127.0.0.1:{}", cluster.nodes()[2].port());
    everything(&open_at(&one).await.unwrap(), 100).await;
    for node in &cluster.nodes()[..3] {
        node.ask(&["SCRIPT", "FLUSH"]);
    }
    everything(&open_at(&cluster.url()).await.unwrap(), 200).await;
}

/// Random steps beside the simple model, as on one server.
#[test]
fn a_cluster_keeps_the_contract_too() {
    let cluster = RedisCluster::start();
    sessions::testing::conformance::walk("every_answer_is_that_of_a_simple_model", async || {
        for node in cluster.nodes() {
            node.ask(&["FLUSHALL"]);
        }
        RedisStore::open(&cluster.url()).await.unwrap()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_loses_no_write_and_no_login() {
    let cluster = RedisCluster::start();
    let store = open_at(&cluster.url()).await.unwrap();
    let slot = cluster.slot_of(&tag(anonymous(1).bucket()));
    let user = owner(1);
    create(&store, anonymous(1)).await;
    store.admit(login(user, 0)).await.unwrap();
    let (from, to) = (cluster.primary_of(slot), cluster.another_than(slot));
    RedisCluster::begin_move(slot, from, to);
    let mut version = 1;
    let mut step = async |store: &RedisStore| {
        let outcome = store.cas(change(anonymous(1), version)).await.unwrap();
        assert!(matches!(outcome, CasOutcome::Stored), "{outcome:?}");
        version += 1;
    };
    step(&store).await;
    // A session that isn't there yet is made at the new place.
    let neighbour = sessions::SessionId::new(anonymous(1).bucket(), [7; 16]);
    assert!(matches!(store.cas(creation(neighbour)).await.unwrap(), CasOutcome::Stored));
    assert_eq!(RedisCluster::move_keys(slot, from, to), 1);
    step(&store).await;
    cluster.end_move(slot, to);
    step(&store).await;
    let found = store.load(anonymous(1), now()).await.unwrap();
    assert!(matches!(&found, Loaded::Live(stored) if stored.version().as_u64() == 4), "{found:?}");
    assert!(matches!(store.load(neighbour, now()).await.unwrap(), Loaded::Live(_)));
}

/// Slots of an owner move while it logs in again and again: the index is never in two places.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_while_its_slot_moves() {
    let cluster = RedisCluster::start();
    let store = open_at(&cluster.url()).await.unwrap();
    let user = owner(1);
    let logins = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut admitted = 0;
            for number in 0..400 {
                match store.admit(limited(user, number, 3)).await {
                    Ok(Admitted::Stored { .. }) => admitted += 1,
                    // While its keys are in two places, its slot takes no step that needs several.
                    Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                    Ok(other) => panic!("{other:?}"),
                }
                let live = store.list(user, None, 9, now()).await.map_or(0, |listed| listed.len());
                assert!(live <= 3, "{live} sessions of at most 3");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            admitted
        })
    };
    let slot = cluster.slot_of(&tag(user.bucket()));
    for _ in 0..4 {
        let (from, to) = (cluster.primary_of(slot), cluster.another_than(slot));
        tokio::time::sleep(Duration::from_millis(100)).await;
        RedisCluster::begin_move(slot, from, to);
        tokio::time::sleep(Duration::from_millis(50)).await;
        while RedisCluster::move_keys(slot, from, to) > 0 {}
        tokio::time::sleep(Duration::from_millis(50)).await;
        cluster.end_move(slot, to);
        assert_eq!(cluster.primary_of(slot).port(), to.port());
    }
    assert!(logins.await.unwrap() > 200);
    assert_eq!(store.list(user, None, 9, now()).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_dies_is_replaced_by_its_replica() {
    let cluster = RedisCluster::start();
    let store = open_at(&cluster.url()).await.unwrap();
    let slot = cluster.slot_of(&tag(anonymous(1).bucket()));
    create(&store, anonymous(1)).await;
    let dead = cluster.primary_of(slot);
    // Or its last write would go with it, as replication comes after the answer.
    let told = |word| number_after(&dead.ask(&["INFO", "replication"]), word);
    let written = told("master_repl_offset:");
    let begin = Instant::now();
    while told(",offset=") < written {
        assert!(begin.elapsed() < Duration::from_secs(10), "the replica does not follow");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    dead.kill();
    let begin = Instant::now();
    loop {
        let outcome = store.cas(change(anonymous(1), 1)).await;
        if matches!(outcome, Ok(CasOutcome::Stored)) {
            break;
        }
        assert!(outcome.is_err(), "{outcome:?}");
        assert!(begin.elapsed() < Duration::from_secs(30), "no replica takes over");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        matches!(store.load(anonymous(1), now()).await.unwrap(), Loaded::Live(s) if s.version().as_u64() == 2)
    );
}

/// The number behind a word of an answer; 0 if it is not there.
fn number_after(answer: &str, word: &str) -> u64 {
    let rest = answer.split_once(word).map_or("", |(_, rest)| rest);
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().unwrap_or_default()
}
