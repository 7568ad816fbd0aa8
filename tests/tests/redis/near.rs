//! Copies of sessions that are on a Redis server: what they answer, and what they never do.

use std::time::{Duration, Instant};

use sessions_tests::{
    copies::{self, Copies},
    proxy::Proxy,
    servers::redis::RedisServer,
};
use tokio::time::sleep;

use super::common::open;

#[tokio::test(flavor = "multi_thread")]
async fn copies_answer_until_something_is_heard() {
    let server = RedisServer::start();
    let nodes = Copies::near(open(server.port()).await, open(server.port()).await);
    nodes.answer_until_something_is_heard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_not_used_where_the_store_is_asked_for() {
    let server = RedisServer::start();
    let nodes = Copies::near(open(server.port()).await, open(server.port()).await);
    nodes.are_not_used_where_the_store_is_asked_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_not_used_while_nothing_is_heard() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let nodes = Copies::near(open(server.port()).await, open(proxy.port()).await);
    let deafen = async || {
        proxy.refuse(true);
        server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    };
    nodes.are_not_used_while_nothing_is_heard(deafen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_serve_reads_in_an_outage() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    copies::serve_reads_in_an_outage(open(server.port()).await, open(proxy.port()).await, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_too_old_after_the_grace() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    copies::are_too_old_after_the_grace(open(server.port()).await, open(proxy.port()).await, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_not_trusted_for_longer_than_the_bound() {
    let server = RedisServer::start();
    let bound = Duration::from_secs(2);
    let nodes =
        Copies::of(open(server.port()).await, open(server.port()).await, |policy| policy.near_cache(bound));
    let visitor = nodes.logged_in("ada").await;
    nodes.until_copied(&visitor).await;
    server.signal("STOP");
    let stopped = Instant::now();
    while nodes.there.resolve(&visitor.request()).await.is_ok() {
        sleep(Duration::from_millis(20)).await;
    }
    // An answer may have begun within the bound.
    assert!(stopped.elapsed() < bound + Duration::from_secs(3), "{:?}", stopped.elapsed());
    server.signal("CONT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_seen_within_the_bound() {
    let server = RedisServer::start();
    let nodes = Copies::near(open(server.port()).await, open(server.port()).await);
    let lags = nodes.lags(100).await;
    println!("p50 {:?}, p99 {:?}, longest {:?}", lags[50], lags[98], lags[99]);
}
