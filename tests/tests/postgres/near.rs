//! Copies of sessions that are in a database: what they answer, and what they never do.

use sessions::PostgresStore;
use sessions_tests::{
    copies::{self, Copies},
    proxy::Proxy,
    servers::postgres::{self, Database, Postgres},
};

use crate::pushed::KILL;

async fn open(database: &Database) -> PostgresStore {
    PostgresStore::open(&database.url()).await.unwrap()
}

async fn open_over(proxy: &Proxy, database: &Database) -> PostgresStore {
    let url = format!("postgres://postgres@127.0.0.1:{}/{}", proxy.port(), database.name());
    postgres::builder(&url).open().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_answer_until_something_is_heard() {
    let database = Postgres::shared().database().await;
    let nodes = Copies::near(open(&database).await, open(&database).await);
    nodes.answer_until_something_is_heard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_not_used_where_the_store_is_asked_for() {
    let database = Postgres::shared().database().await;
    let nodes = Copies::near(open(&database).await, open(&database).await);
    nodes.are_not_used_where_the_store_is_asked_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_not_used_while_nothing_is_heard() {
    let database = Postgres::shared().database().await;
    let proxy = Proxy::to(Postgres::shared().port());
    let nodes = Copies::near(open(&database).await, open_over(&proxy, &database).await);
    let deafen = async || {
        proxy.refuse(true);
        database.client().await.execute(KILL, &[]).await.unwrap();
    };
    nodes.are_not_used_while_nothing_is_heard(deafen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_serve_reads_in_an_outage() {
    let database = Postgres::shared().database().await;
    let proxy = Proxy::to(Postgres::shared().port());
    let (here, there) = (open(&database).await, open_over(&proxy, &database).await);
    copies::serve_reads_in_an_outage(here, there, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_too_old_after_the_grace() {
    let database = Postgres::shared().database().await;
    let proxy = Proxy::to(Postgres::shared().port());
    let (here, there) = (open(&database).await, open_over(&proxy, &database).await);
    copies::are_too_old_after_the_grace(here, there, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_seen_within_the_bound() {
    let database = Postgres::shared().database().await;
    let nodes = Copies::near(open(&database).await, open(&database).await);
    let lags = nodes.lags(100).await;
    println!("p50 {:?}, p99 {:?}, longest {:?}", lags[50], lags[98], lags[99]);
}
