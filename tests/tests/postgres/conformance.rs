//! What every store promises, of this one: also over a restart, and over two nodes that share a database.

use sessions::PostgresStore;
use sessions_tests::servers::postgres::{Database, Postgres};

async fn fresh() -> (PostgresStore, Database) {
    let database = Postgres::shared().database().await;
    (open(&database).await, database)
}

async fn open(database: &Database) -> PostgresStore {
    PostgresStore::open(&database.url()).await.unwrap()
}

sessions::testing::conformance!(fresh, reopen = open, twin = open);
