//! How often a login goes to the server and back.

use std::time::Duration;

use sessions::{SessionEngine, SessionPolicy, SharedStore};
use sessions_tests::{
    Visitor,
    pair::Pair,
    servers::postgres::{self, Postgres},
    user,
};

use crate::{soon, statements::asked};

/// Longer than anything waits here.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node on a database.
async fn node(url: &str) -> Pair {
    let store = postgres::builder(url).timeout(PATIENCE).open().await.unwrap();
    let policy = SessionPolicy::for_web_users().build().unwrap();
    let store = SharedStore::new(store).with_limit(PATIENCE);
    let engine = SessionEngine::builder(policy).store(store).build();
    Pair { here: engine.clone(), there: engine }
}

async fn visitor(node: &Pair) -> Visitor {
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", "tea").unwrap()).await;
    visitor
}

/// Read, sealed and admitted at once, ended: four statements, of which no more than three wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_carries_a_visit_is_four_statements() {
    let server = Postgres::start(&["fsync=off", "log_statement=all", "log_min_error_statement=panic"]);
    let node = node(&server.url("postgres")).await;
    let mut visitor = visitor(&node).await;
    let mut before = 0;
    soon("nothing is set up any more", async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let log = server.log().len();
        std::mem::replace(&mut before, log) == log
    })
    .await;
    let since = server.log().len();
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    let asked = asked(&server, since);
    assert_eq!(asked.len(), 4, "{asked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_admitted_while_the_visit_that_it_carries_is_sealed() {
    let database = Postgres::shared().database().await;
    let node = node(&database.url()).await;
    let mut visitor = visitor(&node).await;
    let client = database.client().await;
    // On one connection the second would wait behind the first.
    soon("there is more than one connection", async || {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                    AND application_name = 'sessions' AND state = 'idle'";
        client.query_one(open, &[]).await.unwrap().get::<_, i64>(0) == 4
    })
    .await;
    // The seal waits for its row, and would go on waiting.
    let mut other = database.client().await;
    let held = other.transaction().await.unwrap();
    held.batch_execute("SELECT FROM sessions.session FOR UPDATE").await.unwrap();
    let login = tokio::spawn({
        let node = node.clone();
        async move { node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await }
    });
    soon("the login is admitted", async || {
        let counted = "SELECT count(*) FROM sessions.session WHERE owner IS NOT NULL";
        client.query_one(counted, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    assert!(!login.is_finished());
    held.rollback().await.unwrap();
    login.await.unwrap();
}
