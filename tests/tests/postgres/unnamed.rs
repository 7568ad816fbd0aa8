//! The same promises without named statements and settings of a connection, as behind a pooler that lends connections by
//! the transaction.

use sessions::{PostgresStore, store::Pooler};
use sessions_tests::servers::postgres::{self, Database, Postgres};

async fn fresh() -> (PostgresStore, Database) {
    let database = Postgres::shared().database().await;
    (open(&database).await, database)
}

async fn open(database: &Database) -> PostgresStore {
    postgres::builder(&database.url()).pooler(Pooler::Transaction).open().await.unwrap()
}

sessions::testing::conformance!(fresh);
