//! How often the server is asked: each operation is one statement, and nothing is printed of what goes into it.

use sessions::{
    PostgresStore, SessionStore,
    store::{Cas, Pooler, SessionId},
};
use sessions_tests::servers::postgres::{self, Postgres};

use crate::{HOUR, NOW, ada, anonymous, change, creation, login, logout, of_ada, revocation, touch};

/// What the server was asked since, without what keeps connections alive.
pub(crate) fn asked(server: &Postgres, since: usize) -> Vec<String> {
    let log = server.log();
    let lines = log[since..].lines().filter(|line| line.contains("execute") || line.contains("statement: "));
    lines.filter(|line| !line.contains("clock_timestamp")).map(str::to_owned).collect()
}

#[tokio::test]
async fn each_operation_is_one_statement() {
    let server = Postgres::start(&["fsync=off", "log_statement=all", "log_min_error_statement=panic"]);
    for pooler in [Pooler::None, Pooler::Transaction] {
        let database = format!("of_{pooler}");
        server.admin().await.batch_execute(&format!("CREATE DATABASE {database}")).await.unwrap();
        let store = postgres::builder(&server.url(&database)).pooler(pooler).open().await.unwrap();
        // All connections are ready when nothing is prepared any more.
        let mut before = 0;
        crate::soon("nothing is set up any more", async || {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let log = server.log().len();
            std::mem::replace(&mut before, log) == log
        })
        .await;
        macro_rules! is_one {
            ($call:expr, $times:expr) => {{
                let since = server.log().len();
                $call.await.unwrap();
                // The log is written before the answer.
                let asked = asked(&server, since);
                assert_eq!(asked.len(), $times, "{}: {asked:#?}", stringify!($call));
            }};
        }
        is_one!(store.cas(creation(anonymous(1))), 1);
        is_one!(store.load(anonymous(1), NOW), 1);
        is_one!(store.load(anonymous(2), NOW), 1);
        is_one!(store.cas(change(anonymous(1), 1)), 1);
        is_one!(store.cas(change(anonymous(1), 1)), 1);
        is_one!(store.touch(touch(anonymous(1))), 1);
        is_one!(store.admit(login(1, 3)), 1);
        is_one!(store.admit(login(2, 1)), 1);
        is_one!(store.list(ada(), None, 10, NOW), 1);
        is_one!(store.list(ada(), Some(of_ada(1)), 10, NOW), 1);
        is_one!(store.end(logout(anonymous(1))), 1);
        is_one!(store.end(revocation()), 1);
        is_one!(store.stats(), 1);
        is_one!(store.sweep(NOW, 100), 1);
        // What is late at the call is not sent at all.
        is_one!(store.cas(Cas { deadline: NOW - 1, ..creation(anonymous(3)) }), 0);
        // A session that is found expired is noted.
        store.cas(creation(anonymous(4))).await.unwrap();
        is_one!(store.load(anonymous(4), NOW + HOUR), 2);
        is_one!(store.load(anonymous(4), NOW + HOUR), 1);
    }
}

#[tokio::test]
async fn a_sweep_of_many_is_done_in_batches() {
    let database = Postgres::shared().database().await;
    let store = PostgresStore::open(&database.url()).await.unwrap();
    let client = database.client().await;
    let fill = "INSERT INTO sessions.session (id, seq, version, last_seen, expires, due, record) \
                SELECT decode(lpad(to_hex(n), 36, '0'), 'hex'), 0, 1, 0, $1, $1, '\\x00' FROM generate_series(1, 3000) AS n";
    client.execute(fill, &[&(NOW.cast_signed())]).await.unwrap();
    assert_eq!(store.stats().await.unwrap().sessions, 3_000);
    // Rows that someone else holds are left for later.
    let mut other = database.client().await;
    let held = other.transaction().await.unwrap();
    held.batch_execute("SELECT FROM sessions.session ORDER BY due LIMIT 10 FOR UPDATE").await.unwrap();
    let later = NOW + 2 * HOUR;
    assert_eq!(store.sweep(later, 1_000).await.unwrap(), 1_000);
    assert_eq!(store.sweep(later, 10_000).await.unwrap(), 1_990);
    held.rollback().await.unwrap();
    assert_eq!(store.sweep(later, 10_000).await.unwrap(), 10);
    assert_eq!(store.stats().await.unwrap().sessions, 0);
}

#[tokio::test]
async fn the_counts_of_a_large_store_are_estimates_and_quick() {
    let database = Postgres::shared().database().await;
    let store = PostgresStore::open(&database.url()).await.unwrap();
    let client = database.client().await;
    let fill = "INSERT INTO sessions.session (id, owner, seq, version, last_seen, expires, due, record) \
                SELECT decode(lpad(to_hex(n), 36, '0'), 'hex'), decode(lpad(to_hex(n / 2), 64, '0'), 'hex'), n, 1, 0, \
                $1, $1, '\\x00' FROM generate_series(1, 40000) AS n";
    client.execute(fill, &[&(NOW.cast_signed())]).await.unwrap();
    client.batch_execute("ANALYZE sessions.session").await.unwrap();
    let stats = store.stats().await.unwrap();
    assert!((38_000..42_000).contains(&stats.sessions), "{stats:?}");
    assert!((18_000..22_000).contains(&stats.principals), "{stats:?}");
}

#[tokio::test]
async fn no_id_is_in_what_a_failure_says() {
    let database = Postgres::shared().database().await;
    let store = PostgresStore::open(&database.url()).await.unwrap();
    let client = database.client().await;
    client.batch_execute("DROP SCHEMA sessions CASCADE").await.unwrap();
    let id = SessionId::new(1, *b"0123456789abcdef");
    for error in [store.load(id, NOW).await.unwrap_err(), store.cas(creation(id)).await.unwrap_err()] {
        let said = format!("{error} {error:?} {:?}", std::error::Error::source(&error).unwrap().to_string());
        assert!(said.contains("restart the program"), "{said}");
        assert!(!said.contains("0123456789abcdef") && !said.contains("3031323334"), "{said}");
    }
}
