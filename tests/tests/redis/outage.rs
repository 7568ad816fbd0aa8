//! A server that is down, slow, silent, or cuts connections: what is told within the time limit, and how soon it works again.

use std::time::{Duration, Instant};

use sessions::{
    RedisStore, SessionStore,
    store::{CasOutcome, Loaded},
};
use sessions_tests::{proxy::Proxy, servers::redis::RedisServer};

use super::common::{
    LIMIT, SLACK, anonymous, change, create, creation, end_one, is_unavailable, is_unknown, login, now, open,
    open_at, owner, recovery, told, touch,
};

/// How soon a store works again.
const SOON: Duration = Duration::from_secs(1);

async fn proxied() -> (RedisStore, Proxy, RedisServer) {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let store = open(proxy.port()).await;
    create(&store, anonymous(1)).await;
    (store, proxy, server)
}

/// Gives the store a moment to see that a connection has ended: what is written before that may have been sent.
async fn noticed() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// How long something took, beside its answer.
async fn timed<T>(operation: impl Future<Output = T>) -> (T, Duration) {
    let begin = Instant::now();
    let answer = operation.await;
    (answer, begin.elapsed())
}

#[tokio::test]
async fn a_server_that_is_down_is_told_at_once_and_works_soon_after_its_return() {
    let server = RedisServer::durable();
    let store = open(server.port()).await;
    create(&store, anonymous(1)).await;
    server.kill();
    noticed().await;
    for _ in 0..5 {
        let (outcome, took) = timed(store.cas(change(anonymous(1), 1))).await;
        assert!(is_unavailable(&outcome), "nothing can have been applied: {outcome:?}");
        assert!(took < LIMIT + SLACK, "{took:?}");
    }
    let text = told(store.load(anonymous(1), now()).await);
    assert!(text.contains(&format!("127.0.0.1:{}", server.port())) && text.contains("start it"), "{text}");
    server.start_again();
    let took = recovery(&store).await;
    assert!(took < SOON, "{took:?}");
    assert!(matches!(store.load(anonymous(1), now()).await.unwrap(), Loaded::Live(_)));
}

#[tokio::test]
async fn a_store_that_can_not_be_reached_is_not_opened() {
    let server = RedisServer::start();
    server.kill();
    let (outcome, took) = timed(open_at(&server.url())).await;
    assert!(is_unavailable(&outcome) && took < LIMIT + SLACK, "{outcome:?} {took:?}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_and_is_not_sent_again() {
    let (store, proxy, server) = proxied().await;
    proxy.swallow_answers(true);
    server.ask(&["CONFIG", "RESETSTAT"]);
    let (outcome, took) = timed(store.cas(change(anonymous(1), 1))).await;
    assert!(is_unknown(&outcome), "it was applied: {outcome:?}");
    assert!(took < LIMIT + SLACK, "{took:?}");
    proxy.swallow_answers(false);
    recovery(&store).await;
    let found = store.load(anonymous(1), now()).await.unwrap();
    assert!(matches!(found, Loaded::Live(stored) if stored.version().as_u64() == 2));
    let commands = server.ask(&["INFO", "commandstats"]);
    assert!(commands.contains("cmdstat_evalsha:calls=1,"), "{commands}");
}

#[tokio::test]
async fn a_connection_that_is_cut_while_a_write_waits_leaves_it_unknown() {
    let (store, proxy, _server) = proxied().await;
    proxy.swallow_answers(true);
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { store.cas(change(anonymous(1), 1)).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.cut();
    proxy.swallow_answers(false);
    let outcome = waiting.await.unwrap();
    assert!(is_unknown(&outcome), "{outcome:?}");
    let took = recovery(&store).await;
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn a_connection_that_was_cut_is_made_again_without_a_failure() {
    let (store, proxy, _server) = proxied().await;
    for round in 1..10 {
        proxy.cut();
        noticed().await;
        let outcome = store.cas(change(anonymous(1), round)).await;
        assert!(matches!(outcome, Ok(CasOutcome::Stored)), "round {round}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_a_lost_one() {
    for bytes in [1, 5, 12] {
        let (store, proxy, _server) = proxied().await;
        proxy.cut();
        noticed().await;
        // The connection's beginning passes, the first answer does not.
        let before = store.load(anonymous(1), now()).await;
        assert!(before.is_ok(), "{before:?}");
        proxy.cut_after(bytes);
        let outcome = store.cas(change(anonymous(1), 1)).await;
        assert!(is_unknown(&outcome), "{outcome:?}");
        proxy.cut_after(u64::MAX);
        recovery(&store).await;
    }
}

#[tokio::test]
async fn a_network_that_is_silent_is_noticed_by_the_first_who_waits_in_vain() {
    let (store, proxy, _server) = proxied().await;
    proxy.silence(true);
    let (outcome, took) = timed(store.cas(change(anonymous(1), 1))).await;
    assert!(is_unknown(&outcome) && took < LIMIT + SLACK, "{outcome:?} {took:?}");
    // From then on nothing is sent into it: certainly not applied.
    for _ in 0..3 {
        let (outcome, took) = timed(store.cas(change(anonymous(1), 1))).await;
        assert!(is_unavailable(&outcome) && took < LIMIT + SLACK, "{outcome:?} {took:?}");
    }
    proxy.silence(false);
    let took = recovery(&store).await;
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn a_write_that_was_held_up_until_after_its_deadline_is_not_applied() {
    let (store, proxy, _server) = proxied().await;
    proxy.silence(true);
    let (write, login) = tokio::join!(store.cas(change(anonymous(1), 1)), store.admit(login(owner(1), 1)));
    assert!(is_unknown(&write) && is_unknown(&login), "{write:?} {login:?}");
    // The network gives what it held up to the server now: both come after their deadline.
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.silence(false);
    recovery(&store).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let found = store.load(anonymous(1), now()).await.unwrap();
    assert!(matches!(&found, Loaded::Live(stored) if stored.version().as_u64() == 1), "{found:?}");
    assert!(store.list(owner(1), None, 9, now()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_that_stands_still_answers_when_it_goes_on() {
    let server = RedisServer::start();
    let store = open(server.port()).await;
    create(&store, anonymous(1)).await;
    server.signal("STOP");
    let (outcome, took) = timed(store.touch(touch(anonymous(1), None))).await;
    assert!(outcome.is_err() && took < LIMIT + SLACK, "{outcome:?} {took:?}");
    let (outcome, took) = timed(store.end(end_one(anonymous(1), None))).await;
    assert!(outcome.is_err() && took < LIMIT + SLACK, "{outcome:?} {took:?}");
    server.signal("CONT");
    let took = recovery(&store).await;
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn a_slow_network_is_waited_for_within_the_limit() {
    let (store, proxy, _server) = proxied().await;
    proxy.delay(Duration::from_millis(100));
    let (outcome, took) = timed(store.cas(change(anonymous(1), 1))).await;
    assert!(matches!(outcome, Ok(CasOutcome::Stored)), "{outcome:?}");
    assert!(took >= Duration::from_millis(200), "{took:?}");
    proxy.delay(Duration::from_millis(500));
    let (outcome, took) = timed(store.cas(creation(anonymous(2)))).await;
    assert!(is_unknown(&outcome) && took < LIMIT + SLACK, "{outcome:?} {took:?}");
}

#[tokio::test]
async fn all_who_need_a_lost_connection_share_a_new_one() {
    let (store, proxy, server) = proxied().await;
    proxy.refuse(true);
    proxy.cut();
    let before = proxy.connections();
    let begin = Instant::now();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = store.clone();
        waiting.spawn(async move {
            for _ in 0..10 {
                let _ = store.load(anonymous(number), now()).await;
            }
        });
    }
    waiting.join_all().await;
    let (tried, took) = (proxy.connections() - before, begin.elapsed());
    // At most one at a time, with a pause after each.
    assert!(tried <= 12 + u64::try_from(took.as_millis()).unwrap() / 100, "{tried} in {took:?}");
    proxy.refuse(false);
    recovery(&store).await;
    let before = proxy.connections();
    let mut waiting = tokio::task::JoinSet::new();
    proxy.cut();
    for number in 0..200 {
        let store = store.clone();
        waiting.spawn(async move { store.load(anonymous(number), now()).await });
    }
    waiting.join_all().await;
    assert!(proxy.connections() - before <= 2, "{}", proxy.connections() - before);
    assert!(server.ask(&["PING"]).contains("PONG"));
}

#[tokio::test]
async fn a_store_that_is_shut_down_is_unavailable() {
    let (store, _proxy, _server) = proxied().await;
    let clone = store.clone();
    store.shutdown().await.unwrap();
    store.shutdown().await.unwrap();
    let outcome = clone.load(anonymous(1), now()).await;
    assert!(is_unavailable(&outcome));
    assert!(told(outcome).contains("open it again"));
}
