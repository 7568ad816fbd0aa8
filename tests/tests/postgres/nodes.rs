//! Several nodes on one database, and databases that are not as they should be.

use std::time::Duration;

use sessions::{
    PostgresStore, SessionStore,
    store::{Admitted, CasOutcome, Touched},
};
use sessions_tests::servers::postgres::{self, Postgres};

use crate::{anonymous, change, create, creation, login, of_ada, revocation, touch, unavailable, version};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_make_the_schema_once() {
    for _ in 0..5 {
        let database = Postgres::shared().database().await;
        let starting = (0..6).map(|_| {
            tokio::spawn({
                let url = database.url();
                async move { PostgresStore::open(&url).await }
            })
        });
        let mut stores = Vec::new();
        for node in starting.collect::<Vec<_>>() {
            stores.push(node.await.unwrap().unwrap());
        }
        for (number, store) in (0_u16..).zip(&stores) {
            create(store, anonymous(number)).await;
        }
        let versions = "SELECT count(*) FROM sessions.schema_version";
        let client = database.client().await;
        assert_eq!(client.query_one(versions, &[]).await.unwrap().get::<_, i64>(0), 2);
    }
}

#[tokio::test]
async fn a_newer_schema_is_used_if_it_says_so_and_refused_if_not() {
    let database = Postgres::shared().database().await;
    drop(PostgresStore::open(&database.url()).await.unwrap());
    let client = database.client().await;
    client
        .batch_execute("INSERT INTO sessions.schema_version (version, compatible) VALUES (98, 1)")
        .await
        .unwrap();
    create(&PostgresStore::open(&database.url()).await.unwrap(), anonymous(1)).await;
    client
        .batch_execute("INSERT INTO sessions.schema_version (version, compatible) VALUES (99, 98)")
        .await
        .unwrap();
    let said = unavailable(PostgresStore::open(&database.url()).await);
    assert!(said.contains("version 99, and this program works with versions up to 2"), "{said}");
}

#[tokio::test]
async fn a_schema_of_something_else_is_left_alone() {
    let database = Postgres::shared().database().await;
    let client = database.client().await;
    client.batch_execute("CREATE SCHEMA sessions; CREATE TABLE sessions.session (id int)").await.unwrap();
    let said = unavailable(PostgresStore::open(&database.url()).await);
    assert!(said.contains("already exists"), "{said}");
    let rows = client
        .query("SELECT column_name FROM information_schema.columns WHERE table_schema = 'sessions'", &[]);
    assert_eq!(rows.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_user_needs_no_more_than_the_schema() {
    let database = Postgres::shared().database().await;
    let client = database.client().await;
    let name = format!("shop_{}", database.name());
    client.batch_execute(&format!("CREATE ROLE {name} LOGIN")).await.unwrap();
    let url = database.url().replace("postgres@", &format!("{name}@"));
    let said = unavailable(PostgresStore::open(&url).await);
    assert!(said.contains("run `CREATE SCHEMA sessions AUTHORIZATION"), "{said}");
    client.batch_execute(&format!("CREATE SCHEMA sessions AUTHORIZATION {name}")).await.unwrap();
    create(&PostgresStore::open(&url).await.unwrap(), anonymous(1)).await;
    client.batch_execute(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_where_the_database_has_another_isolation_level_by_default() {
    for pooler in [sessions::store::Pooler::None, sessions::store::Pooler::Transaction] {
        let database = Postgres::shared().database().await;
        let client = database.client().await;
        let set = "ALTER DATABASE NAME SET default_transaction_isolation = 'repeatable read'";
        client.batch_execute(&set.replace("NAME", database.name())).await.unwrap();
        let store = postgres::builder(&database.url()).pooler(pooler).open().await.unwrap();
        let logins: Vec<_> = (0..30)
            .map(|number| {
                tokio::spawn({
                    let store = store.clone();
                    async move { store.admit(login(number, 3)).await }
                })
            })
            .collect();
        let mut stored = 0;
        for login in logins {
            match login.await.unwrap() {
                Ok(Admitted::Stored { .. }) => stored += 1,
                Ok(Admitted::LimitReached { live: 3 }) => {}
                // What can't be set for a connection of a pooler is refused by the functions themselves.
                other if pooler == sessions::store::Pooler::Transaction => {
                    let said = unavailable(other);
                    assert!(said.contains("read committed"), "{said}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(stored, if pooler == sessions::store::Pooler::None { 3 } else { 0 });
        let reset = "ALTER DATABASE NAME RESET default_transaction_isolation";
        client.batch_execute(&reset.replace("NAME", database.name())).await.unwrap();
    }
}

#[tokio::test]
async fn only_a_touch_does_not_wait_for_the_disk() {
    let database = Postgres::shared().database().await;
    let store = PostgresStore::open(&database.url()).await.unwrap();
    create(&store, anonymous(1)).await;
    assert_eq!(store.touch(touch(anonymous(1))).await.unwrap(), Touched::Noted);
    let client = database.client().await;
    let after = async |call: &str| {
        client.batch_execute("SET synchronous_commit = off; BEGIN").await.unwrap();
        client.query(call, &[]).await.unwrap();
        let row = client.query_one("SELECT current_setting('synchronous_commit')", &[]).await.unwrap();
        client.batch_execute("ROLLBACK; RESET synchronous_commit").await.unwrap();
        row.get::<_, String>(0)
    };
    assert_eq!(after("SELECT sessions.touch_1('\\x00', 1, 1, 1)").await, "off");
    for call in [
        "SELECT sessions.cas_1('\\x00', NULL, NULL, '\\x00', 1, 1, 1, 0::smallint, 1, 'infinity', 1)",
        "SELECT sessions.end_1('\\x00', 1::smallint, 1, 1)",
        "SELECT sessions.end_all_1('\\x00', 1, NULL, 1::smallint, 1, 1, 1)",
        "SELECT sessions.admit_1('\\x00', '\\x00', 1, '\\x00', 1, 1, 1, 1, 1::smallint, NULL, 1, 1, 'infinity', 1)",
    ] {
        assert_eq!(after(call).await, "on", "{call}");
    }
}

#[tokio::test]
async fn a_touch_changes_no_index() {
    let database = Postgres::shared().database().await;
    let store = PostgresStore::open(&database.url()).await.unwrap();
    create(&store, anonymous(1)).await;
    for number in 0..50 {
        let mut touch = touch(anonymous(1));
        (touch.seen, touch.expires) = (touch.seen + number, touch.expires + number * 60_000);
        assert_eq!(store.touch(touch).await.unwrap(), Touched::Noted);
    }
    for from in 1..50 {
        assert!(matches!(store.cas(change(anonymous(1), from)).await, Ok(CasOutcome::Stored)));
    }
    store.shutdown().await.unwrap();
    let client = database.client().await;
    let sizes = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'session'";
    crate::soon("the updates are counted", async || {
        client.query_one(sizes, &[]).await.unwrap().get::<_, i64>(0) >= 99
    })
    .await;
    let row = client.query_one(sizes, &[]).await.unwrap();
    let (all, hot) = (row.get::<_, i64>(0), row.get::<_, i64>(1));
    // A page that is full begins another; those are a few.
    assert!(hot * 10 >= all * 9, "{hot} of {all} updates left the indexes alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_of_all_beats_the_logins_of_another_node() {
    let database = Postgres::shared().database().await;
    let one = PostgresStore::open(&database.url()).await.unwrap();
    let two = PostgresStore::open(&database.url()).await.unwrap();
    for _ in 0..20 {
        let logins: Vec<_> = (0..8)
            .map(|number| {
                tokio::spawn({
                    let store = if number % 2 == 0 { one.clone() } else { two.clone() };
                    // They began before.
                    async move {
                        let mut login = login(number, 100);
                        login.began -= 1;
                        store.admit(login).await
                    }
                })
            })
            .collect();
        one.end(revocation()).await.unwrap();
        for login in logins {
            login.await.unwrap().unwrap();
        }
        for number in 0..8 {
            assert_eq!(version(&one, of_ada(number)).await, None);
        }
        let client = database.client().await;
        client.batch_execute("TRUNCATE sessions.session, sessions.revocation").await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_is_shut_down_has_closed_its_connections() {
    let database = Postgres::shared().database().await;
    let store = PostgresStore::open(&database.url()).await.unwrap();
    create(&store, anonymous(1)).await;
    let client = database.client().await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sessions'";
    let count = async || client.query_one(open, &[]).await.unwrap().get::<_, i64>(0);
    crate::soon("all connections are there", async || count().await == 4).await;
    store.shutdown().await.unwrap();
    let said = unavailable(store.cas(creation(anonymous(2))).await);
    assert!(said.contains("shut down"), "{said}");
    crate::soon("all connections are closed", async || count().await == 0).await;
    drop(store);
    let store = PostgresStore::open(&database.url()).await.unwrap();
    assert_eq!(version(&store, anonymous(1)).await, Some(1));
    drop(store);
    crate::soon("a store that was dropped has none either", async || count().await == 0).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
}
