//! Endings are told to other processes, and nothing is missed while they can't be.

use std::time::Duration;

use sessions::PostgresStore;
use sessions_tests::{
    pair::{Pair, ending_of},
    proxy::Proxy,
    servers::postgres::{Database, Postgres},
};
use tokio::time::{sleep, timeout};

use crate::soon;

/// How many connections of a database hear of endings.
const EARS: &str = "SELECT count(*) FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'sessions-endings'";
/// Ends them.
pub(crate) const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'sessions-endings'";

async fn until_heard_by(database: &Database, many: i64) {
    let client = database.client().await;
    soon("endings are heard of", async || {
        client.query_one(EARS, &[]).await.unwrap().get::<_, i64>(0) == many
    })
    .await;
}

async fn open(database: &Database) -> PostgresStore {
    PostgresStore::open(&database.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ending_on_one_node_is_heard_on_the_other() {
    let database = Postgres::shared().database().await;
    let pair = Pair::of(open(&database).await, open(&database).await);
    pair.hears_of_every_ending("ada").await;
    until_heard_by(&database, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_while_nothing_is_heard_is_looked_for_as_soon_as_it_is_again() {
    let database = Postgres::shared().database().await;
    let proxy = Proxy::to(Postgres::shared().port());
    let url = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
    let pair = Pair::of(open(&database).await, PostgresStore::open(&url).await.unwrap());
    let (mut visitor, watch) = pair.watched("ada").await;
    until_heard_by(&database, 1).await;

    proxy.refuse(true);
    let before = proxy.connections();
    database.client().await.execute(KILL, &[]).await.unwrap();
    until_heard_by(&database, 0).await;
    // The sockets were looked at when the connection broke; it is tried again since.
    soon("it is tried again", async || proxy.connections() >= before + 4).await;
    pair.log_out(&mut visitor).await;
    let nothing = timeout(Duration::from_millis(300), watch.ended()).await;
    assert!(nothing.is_err(), "it was heard by another way: {nothing:?}");
    proxy.refuse(false);
    ending_of(&watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_by_a_connection_that_is_killed_again_and_again() {
    let database = Postgres::shared().database().await;
    let pair = Pair::of(open(&database).await, open(&database).await);
    let client = database.client().await;
    for number in 0..20 {
        let (mut visitor, watch) = pair.watched(&format!("user{number}")).await;
        client.execute(KILL, &[]).await.unwrap();
        pair.log_out(&mut visitor).await;
        ending_of(&watch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_silent_is_noticed() {
    let database = Postgres::shared().database().await;
    let proxy = Proxy::to(Postgres::shared().port());
    let url = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
    let pair = Pair::of(open(&database).await, PostgresStore::open(&url).await.unwrap());
    let (mut visitor, watch) = pair.watched("ada").await;
    until_heard_by(&database, 1).await;
    proxy.silence(true);
    pair.log_out(&mut visitor).await;
    // What was sent meanwhile is lost with the connections.
    sleep(Duration::from_secs(2)).await;
    proxy.cut();
    proxy.silence(false);
    ending_of(&watch).await;
}
