//! Writes that count once a replica has them.

use std::time::{Duration, Instant};

use sessions::{
    RedisAddress, RedisStore, SessionStore,
    store::{Admitted, Cas, CasOutcome, Durability, Loaded, Touched},
};
use sessions_tests::servers::{cluster::RedisCluster, redis::RedisServer, sentinel::Watched};

use super::common::{
    anonymous, change, create, creation, end_all, end_one, is_unknown, limited, login, now, of, owner, told,
    touch,
};

async fn replicated(url: &str) -> RedisStore {
    within(url, Duration::from_secs(8)).await
}

async fn within(url: &str, limit: Duration) -> RedisStore {
    let builder = RedisStore::builder(RedisAddress::parse(url).unwrap()).timeout(limit);
    builder.durability(Durability::Replicated).open().await.unwrap()
}

/// A primary and its replica.
fn pair() -> (RedisServer, RedisServer) {
    let primary = RedisServer::start_with(&["--repl-diskless-sync-delay 0"]);
    let of = format!("--replicaof 127.0.0.1 {}", primary.port());
    let replica = RedisServer::start_with(&[&of]);
    until(|| replica.ask(&["INFO", "replication"]).contains("master_link_status:up"));
    until(|| primary.ask(&["INFO", "replication"]).contains("state=online"));
    (primary, replica)
}

fn until(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "the servers do not come together");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_on_the_replica_at_that_instant() {
    let (primary, replica) = pair();
    let store = replicated(&primary.url()).await;
    for number in 1..200 {
        create(&store, anonymous(number)).await;
        assert_eq!(replica.ask(&["DBSIZE"]), primary.ask(&["DBSIZE"]), "{number}");
    }
}

#[tokio::test]
async fn a_write_that_no_replica_has_is_unknown_in_time_and_stands_on_the_primary() {
    let (primary, replica) = pair();
    let limit = Duration::from_secs(5);
    let store = within(&primary.url(), limit).await;
    create(&store, anonymous(1)).await;
    let ada = owner(1);
    store.admit(limited(ada, 1, 3)).await.unwrap();
    // It stands still, and its primary does not know yet.
    replica.signal("STOP");
    let begin = Instant::now();
    let (write, login, end, all) = tokio::join!(
        store.cas(change(anonymous(1), 1)),
        store.admit(login(ada, 2)),
        store.end(end_one(of(ada, 1), Some(ada))),
        store.end(end_all(owner(2))),
    );
    assert!(begin.elapsed() < limit, "{:?}", begin.elapsed());
    assert!(is_unknown(&write) && is_unknown(&login) && is_unknown(&end) && is_unknown(&all));
    let said = told(write);
    assert!(said.contains("no replica") && said.contains("has the write"), "{said}");
    // Reads and touches wait for no one.
    let begin = Instant::now();
    let Loaded::Live(stored) = store.load(anonymous(1), now()).await.unwrap() else { panic!("it lives") };
    assert_eq!(stored.version().as_u64(), 2, "it was written");
    assert_eq!(store.touch(touch(anonymous(1), None)).await.unwrap(), Touched::Noted);
    assert!(begin.elapsed() < limit / 2, "{:?}", begin.elapsed());
    replica.signal("CONT");
    until(|| primary.ask(&["WAIT", "1", "100"]).starts_with(":1"));
    assert!(matches!(store.cas(change(anonymous(1), 2)).await.unwrap(), CasOutcome::Stored));
}

#[tokio::test]
async fn many_writes_at_once_wait_each_for_their_own() {
    let (primary, replica) = pair();
    let store = replicated(&primary.url()).await;
    let writes: Vec<_> = (1..400)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let late = now() + 60_000;
                let write = Cas { deadline: late, ..creation(anonymous(number)) };
                matches!(store.cas(write).await, Ok(CasOutcome::Stored))
            })
        })
        .collect();
    let mut stored = 0;
    for write in writes {
        stored += usize::from(write.await.unwrap());
    }
    assert_eq!(stored, 399);
    assert_eq!(replica.ask(&["DBSIZE"]), ":399\r\n");
}

#[tokio::test]
async fn lost_scripts_are_taught_again_on_the_connections_that_wait() {
    let (primary, _replica) = pair();
    let store = replicated(&primary.url()).await;
    for number in 1..20 {
        primary.ask(&["SCRIPT", "FLUSH"]);
        create(&store, anonymous(number)).await;
    }
}

#[tokio::test]
async fn a_failover_keeps_every_login_and_logout_that_counted() {
    let watched = Watched::start();
    let store = replicated(&watched.url()).await;
    let [before, after] = watched.servers();
    let mut ended = Vec::new();
    for number in 0..40 {
        assert!(matches!(store.admit(login(owner(number), 1)).await, Ok(Admitted::Stored { .. })));
        if number % 2 == 0 {
            store.end(end_one(of(owner(number), 1), Some(owner(number)))).await.unwrap();
            ended.push(number);
        }
    }
    // At once, with nothing to wait for.
    before.kill();
    watched.wait(|_| after.ask(&["ROLE"]).contains("master"));
    let begin = Instant::now();
    while store.load(anonymous(1), now()).await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for number in 0..40 {
        let loaded = store.load(of(owner(number), 1), now()).await.unwrap();
        let lives = matches!(loaded, Loaded::Live(_));
        assert_eq!(lives, !ended.contains(&number), "{number}: {loaded:?}");
    }
    // The only other server is dead.
    assert!(is_unknown(&store.cas(creation(anonymous(5))).await));
}

#[tokio::test]
async fn a_cluster_waits_for_the_replica_of_each_part() {
    let cluster = RedisCluster::start();
    let store = replicated(&cluster.url()).await;
    for number in 1..60 {
        create(&store, anonymous(number)).await;
    }
    for number in 0..20 {
        assert!(matches!(store.admit(login(owner(number), 1)).await, Ok(Admitted::Stored { .. })));
    }
    let sizes = |role: &str| {
        let of = cluster.nodes().iter().filter(|node| node.ask(&["ROLE"]).contains(role));
        of.map(|node| node.ask(&["DBSIZE"]).trim().trim_start_matches(':').parse::<u64>().unwrap())
            .sum::<u64>()
    };
    assert_eq!(sizes("master"), sizes("slave"));
}
