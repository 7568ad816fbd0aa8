//! The same between stores of different kinds, on real servers.

use sessions::{PostgresStore, RedisStore, SqliteStore};
use sessions_tests::servers::{postgres::Postgres, redis::RedisServer};

use crate::{common::Pair, traffic::between};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_sqlite_to_redis() {
    let folder = tempfile::tempdir().unwrap();
    let server = RedisServer::start();
    let old = SqliteStore::open(folder.path().join("sessions.db")).await.unwrap();
    let new = RedisStore::open(&server.url()).await.unwrap();
    between(Pair::of(old, new).unhurried()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_postgres_to_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let database = Postgres::shared().database().await;
    let old = PostgresStore::open(&database.url()).await.unwrap();
    let new = SqliteStore::open(folder.path().join("sessions.db")).await.unwrap();
    between(Pair::of(old, new).unhurried()).await;
}
