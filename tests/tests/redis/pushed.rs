//! Endings are told to other processes, and nothing is missed while they can't be.

use std::time::{Duration, Instant};

use sessions::SessionEnding;
use sessions_tests::{
    Visitor,
    pair::{Pair, ending_of},
    proxy::Proxy,
    servers::{cluster::RedisCluster, redis::RedisServer, sentinel::Watched},
    user,
};
use tokio::time::{sleep, timeout};

use super::common::{open, open_at};

/// Waits until so many connections of a server hear of endings.
async fn until_heard_by(server: &RedisServer, many: usize) {
    let begin = Instant::now();
    let numbers = format!(":{many}\r\n");
    while !server.ask(&["PUBSUB", "NUMSUB", "sessions:endings"]).ends_with(&numbers) {
        assert!(begin.elapsed() < Duration::from_secs(20), "not {many} connections hear of endings");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ending_on_one_node_is_heard_on_the_other() {
    let server = RedisServer::start();
    let pair = Pair::of(open(server.port()).await, open(server.port()).await);
    pair.hears_of_every_ending("ada").await;
    until_heard_by(&server, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endings_on_every_node_of_a_cluster_are_heard() {
    let cluster = RedisCluster::start();
    let (here, there) = (open_at(&cluster.url()).await.unwrap(), open_at(&cluster.url()).await.unwrap());
    let pair = Pair::of(here, there);
    for number in 0..12 {
        pair.hears_of_every_ending(&format!("user{number}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_while_nothing_is_heard_is_looked_for_as_soon_as_it_is_again() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let pair = Pair::of(open(server.port()).await, open(proxy.port()).await);
    let (mut visitor, watch) = pair.watched("ada").await;
    until_heard_by(&server, 1).await;

    proxy.refuse(true);
    let before = proxy.connections();
    server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    until_heard_by(&server, 0).await;
    // The sockets were looked at when the connection broke; it is tried again since.
    while proxy.connections() < before + 4 {
        sleep(Duration::from_millis(5)).await;
    }
    pair.log_out(&mut visitor).await;
    let nothing = timeout(Duration::from_millis(300), watch.ended()).await;
    assert!(nothing.is_err(), "it was heard by another way: {nothing:?}");
    proxy.refuse(false);
    ending_of(&watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_by_a_connection_that_is_killed_again_and_again() {
    let server = RedisServer::start();
    let pair = Pair::of(open(server.port()).await, open(server.port()).await);
    for number in 0..20 {
        let (mut visitor, watch) = pair.watched(&format!("user{number}")).await;
        server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        pair.log_out(&mut visitor).await;
        ending_of(&watch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_silent_is_noticed() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let pair = Pair::of(open(server.port()).await, open(proxy.port()).await);
    let (mut visitor, watch) = pair.watched("ada").await;
    until_heard_by(&server, 1).await;
    proxy.silence(true);
    pair.log_out(&mut visitor).await;
    // What was sent meanwhile is lost with the connections.
    sleep(Duration::from_secs(2)).await;
    proxy.cut();
    proxy.silence(false);
    ending_of(&watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_publish_ends_sessions_all_the_same() {
    let server = RedisServer::start();
    let pair = Pair::of(open(server.port()).await, open(server.port()).await);
    server.ask(&["ACL", "SETUSER", "default", "resetchannels"]);
    let (mut visitor, watch) = pair.watched("ada").await;
    pair.log_out(&mut visitor).await;
    pair.here.revoke_all(&user("ada")).await.unwrap();
    let old = Visitor { cookie: visitor.cookie.clone() };
    assert!(!pair.there.resolve(&old.request()).await.unwrap().is_authenticated());
    server.ask(&["ACL", "SETUSER", "default", "allchannels"]);
    ending_of(&watch).await;
}

/// Two nodes on a primary that Sentinels watch, which have more lines in their files.
async fn watched(lines: &str) -> (Pair, Watched) {
    let watched = Watched::start_with(&[], lines, "");
    let pair = Pair::of(open_at(&watched.url()).await.unwrap(), open_at(&watched.url()).await.unwrap());
    (pair, watched)
}

/// Waits until both nodes have found the new primary, and the one hears of endings there.
async fn until_followed(pair: &Pair, primary: &RedisServer) {
    until_heard_by(primary, 1).await;
    let begin = Instant::now();
    for node in [&pair.here, &pair.there] {
        while node.revoke_all(&user("no one")).await.is_err() {
            assert!(begin.elapsed() < Duration::from_secs(20), "no server takes the write");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endings_are_heard_from_the_primary_that_a_failover_makes() {
    // Sentinels cut the connections of the one that they demote, by `CLIENT KILL`. These don't.
    let (pair, watched) = watched("sentinel rename-command main CLIENT EXISTS").await;
    pair.hears_of_every_ending("ada").await;
    let [before, after] = watched.servers();
    until_heard_by(before, 1).await;
    watched.fail_over();
    watched.wait(|_| after.is_primary() && !before.is_primary());
    until_followed(&pair, after).await;
    // The one that was demoted would still tell: what its primary publishes, it publishes too.
    until_heard_by(before, 0).await;
    pair.hears_of_every_ending("bob").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_from_before_a_failover_hears_of_its_ending_after_it() {
    let (pair, watched) = watched("").await;
    let (mut visitor, watch) = pair.watched("ada").await;
    let [before, after] = watched.servers();
    until_heard_by(before, 1).await;
    watched.wait(|_| after.ask(&["DBSIZE"]) == before.ask(&["DBSIZE"]));
    // It stands still: its connections stay, and tell nothing.
    before.signal("STOP");
    watched.wait(|_| after.is_primary());
    until_followed(&pair, after).await;
    pair.log_out(&mut visitor).await;
    assert_eq!(ending_of(&watch).await, SessionEnding::LoggedOut);
    before.signal("CONT");
}
