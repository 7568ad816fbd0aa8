//! Behind `PgBouncer`, which lends connections of the server by the transaction.

use std::sync::OnceLock;

use sessions::{
    PostgresStore, SessionEnding, SessionEngine, SessionPolicy, SessionStore, SharedStore,
    store::{Admitted, Pooler},
};
use sessions_tests::{
    pair::{Pair, ending_of},
    servers::{
        pgbouncer::PgBouncer,
        postgres::{self, Database, Postgres},
    },
};

use crate::{NOW, anonymous, login, unavailable};

fn shared() -> &'static PgBouncer {
    static SHARED: OnceLock<PgBouncer> = OnceLock::new();
    SHARED.get_or_init(|| PgBouncer::before(Postgres::shared()))
}

async fn fresh() -> (PostgresStore, Database) {
    let database = Postgres::shared().pooled_database().await;
    (open(&database).await, database)
}

async fn open(database: &Database) -> PostgresStore {
    let url = shared().url(database.name());
    postgres::builder(&url).pooler(Pooler::Transaction).open().await.unwrap()
}

sessions::testing::conformance!(fresh, twin = open);

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_among_nodes_behind_a_pooler() {
    let database = Postgres::shared().pooled_database().await;
    let (one, two) = (open(&database).await, open(&database).await);
    let logins: Vec<_> = (0..40)
        .map(|number| {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { store.admit(login(number, 3)).await.unwrap() })
        })
        .collect();
    let mut stored = 0;
    for login in logins {
        stored += u32::from(matches!(login.await.unwrap(), Admitted::Stored { .. }));
    }
    assert_eq!(stored, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_endings_are_looked_for() {
    let database = Postgres::shared().pooled_database().await;
    let (here, there) = (open(&database).await, open(&database).await);
    let policy = SessionPolicy::user_default();
    let engine = |store| SessionEngine::new(policy.clone(), SharedStore::new(store));
    let pair = Pair { here: engine(here), there: engine(there) };
    let (mut visitor, watch) = pair.watched("ada").await;
    pair.log_out(&mut visitor).await;
    assert_eq!(ending_of(&watch).await, SessionEnding::LoggedOut);
    let count =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sessions-endings' AND datname = $1";
    let client = database.client().await;
    assert_eq!(client.query_one(count, &[&database.name()]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_store_that_was_not_told_of_the_pooler_says_what_to_set() {
    let database = Postgres::shared().pooled_database().await;
    let url = shared().url(database.name());
    let first = PostgresStore::open(&url).await;
    // It may get through as far as one connection of the server has all the names.
    let failed = match first {
        Err(error) => unavailable::<()>(Err(error)),
        Ok(store) => {
            let mut said = None;
            for number in 0..500 {
                if let Err(error) = store.load(anonymous(number), NOW).await {
                    said = Some(unavailable::<()>(Err(error)));
                    break;
                }
            }
            said.expect("a pooler of transactions mixes up named statements")
        }
    };
    assert!(failed.contains("set `pooler = \"transaction\"`"), "{failed}");
}
