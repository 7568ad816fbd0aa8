//! Redis as the old store: its scan tells its keys in pages of its own making, and where it goes on means something to one
//! run of one server alone.

use std::time::Duration;

use sessions::{
    MemoryStore, PostgresStore, RedisStore, SqliteStore,
    store::{MigrationPhase, Progress},
};
use sessions_tests::servers::{cluster::RedisCluster, postgres::Postgres, redis::RedisServer};

use crate::{
    common::{Pair, anonymous, filled},
    traffic::moves_under_traffic,
};

/// Fewer than there are sessions, so that a pass takes many pages.
const PAGE: usize = 20;
const SESSIONS: u64 = 300;

async fn open(url: &str) -> RedisStore {
    RedisStore::open(url).await.unwrap()
}

/// Lets a migration of many sessions die before it has copied half of them.
async fn dies_half_way(pair: &Pair) -> Progress {
    filled(pair, SESSIONS).await;
    let node = pair.node();
    let first = node.migration().page(PAGE).settle(Duration::ZERO);
    let first = first.on_progress(|progress| assert!(progress.copied < SESSIONS / 3, "it dies"));
    assert!(tokio::spawn(first.run()).await.unwrap_err().is_panic());
    let progress = node.progress().await.unwrap();
    assert_eq!(progress.phase, MigrationPhase::Copying);
    assert!(progress.copied < SESSIONS / 2, "{progress}");
    progress
}

/// Another run takes its place, and brings all sessions over.
async fn goes_on(pair: &Pair) -> Progress {
    let progress = pair.node().migration().page(PAGE).settle(Duration::ZERO).run().await.unwrap();
    assert_eq!(progress.phase, MigrationPhase::Done);
    for number in 0..SESSIONS {
        assert_eq!(pair.counted(&pair.new, anonymous(number)).await, Some(number), "{progress}");
    }
    // The pass over the old store alone has found them all: that which compares had nothing to bring.
    assert!(progress.copied >= SESSIONS && progress.verified >= SESSIONS, "{progress}");
    assert_eq!((progress.repaired, progress.failed, progress.restarts), (0, 0, 0), "{progress}");
    progress
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_postgres() {
    let (server, database) = (RedisServer::start(), Postgres::shared().database().await);
    let new = PostgresStore::open(&database.url()).await.unwrap();
    moves_under_traffic(Pair::of(open(&server.url()).await, new).unhurried(), PAGE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_sqlite() {
    let (server, folder) = (RedisServer::start(), tempfile::tempdir().unwrap());
    let new = SqliteStore::open(folder.path().join("sessions.db")).await.unwrap();
    moves_under_traffic(Pair::of(open(&server.url()).await, new).unhurried(), PAGE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_cluster_to_redis() {
    let (cluster, server) = (RedisCluster::start(), RedisServer::start());
    let pair = Pair::of(open(&cluster.url()).await, open(&server.url()).await);
    moves_under_traffic(pair.unhurried(), PAGE).await;
}

async fn goes_on_where_it_was(url: &str) {
    let pair = Pair::of(open(url).await, MemoryStore::new(100_000)).unhurried();
    let before = dies_half_way(&pair).await;
    let progress = goes_on(&pair).await;
    assert!(progress.copied < SESSIONS + before.copied, "not from the beginning: {before} {progress}");
}

#[tokio::test]
async fn a_migration_from_redis_that_died_goes_on_where_it_was() {
    let server = RedisServer::start();
    goes_on_where_it_was(&server.url()).await;
}

#[tokio::test]
async fn a_migration_from_a_cluster_that_died_goes_on_where_it_was() {
    let cluster = RedisCluster::start();
    goes_on_where_it_was(&cluster.url()).await;
}

#[tokio::test]
async fn a_server_that_was_started_again_meanwhile_is_read_from_its_beginning() {
    let server = RedisServer::durable();
    let pair = Pair::of(open(&server.url()).await, MemoryStore::new(100_000)).unhurried();
    dies_half_way(&pair).await;
    server.kill();
    server.start_again();
    goes_on(&pair).await;
}
