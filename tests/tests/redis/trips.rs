//! How often each operation goes to the server and back: counted on the wire.

use std::time::Duration;

use sessions::{
    RedisAddress, RedisStore, SessionStore,
    store::{Admit, Admitted, Cas, CasOutcome, End, EndReason, EndTarget, Millis, SessionId},
};
use sessions_tests::{proxy::Proxy, servers::redis::RedisServer};

use super::common::{
    anonymous, change, create, end_all, end_one, limited, login, now, of, open, owner, touch,
};

/// A store behind a proxy that counts.
async fn counted() -> (RedisStore, Proxy, RedisServer) {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    (open(proxy.port()).await, proxy, server)
}

/// What an operation answers, and how many trips it took.
async fn trips<T>(proxy: &Proxy, operation: impl Future<Output = T>) -> (T, u64) {
    let before = proxy.questions();
    let answer = operation.await;
    (answer, proxy.questions() - before)
}

#[tokio::test]
async fn a_read_is_one_trip_and_no_script() {
    let (store, proxy, server) = counted().await;
    create(&store, anonymous(1)).await;
    server.ask(&["CONFIG", "RESETSTAT"]);
    for id in [anonymous(1), anonymous(2)] {
        assert_eq!(trips(&proxy, store.load(id, now())).await.1, 1);
    }
    let commands = server.ask(&["INFO", "commandstats"]);
    assert!(commands.contains("cmdstat_get:calls=2") && !commands.contains("eval"), "{commands}");
}

#[tokio::test]
async fn a_write_without_conflict_is_one_trip_and_so_is_a_conflict() {
    let (store, proxy, _server) = counted().await;
    create(&store, anonymous(1)).await;
    let (outcome, count) = trips(&proxy, store.cas(change(anonymous(1), 1))).await;
    assert!(matches!(outcome.unwrap(), CasOutcome::Stored));
    assert_eq!(count, 1);
    let (outcome, count) = trips(&proxy, store.cas(change(anonymous(1), 1))).await;
    assert!(
        matches!(outcome.unwrap(), CasOutcome::Conflict(_)),
        "with what is stored, so no read has to follow"
    );
    assert_eq!(count, 1);
    assert_eq!(trips(&proxy, store.touch(touch(anonymous(1), None))).await.1, 1);
    assert_eq!(trips(&proxy, store.end(end_one(anonymous(1), None))).await.1, 1);
}

#[tokio::test]
async fn a_login_is_one_trip_and_one_more_if_someone_has_to_go() {
    let (store, proxy, _server) = counted().await;
    let ada = owner(1);
    for number in 0..3 {
        let (answer, count) = trips(&proxy, store.admit(limited(ada, number, 3))).await;
        assert_eq!((answer.unwrap(), count), (Admitted::Stored { evicted: vec![] }, 1));
    }
    let (answer, count) = trips(&proxy, store.admit(limited(ada, 3, 3))).await;
    assert_eq!((answer.unwrap(), count), (Admitted::Stored { evicted: vec![of(ada, 0)] }, 2));
    let again = Admit { replaces: Some(of(ada, 3)), ..limited(ada, 4, 3) };
    let (answer, count) = trips(&proxy, store.admit(again)).await;
    assert_eq!(
        (answer.unwrap(), count),
        (Admitted::Stored { evicted: vec![] }, 1),
        "what it replaces is known"
    );
}

#[tokio::test]
async fn a_revocation_of_all_is_two_trips_and_one_if_there_is_no_one() {
    let (store, proxy, _server) = counted().await;
    assert_eq!(trips(&proxy, store.end(end_all(owner(1)))).await.1, 1);
    for number in 0..5 {
        store.admit(login(owner(2), number)).await.unwrap();
    }
    let (ended, count) = trips(&proxy, store.end(end_all(owner(2)))).await;
    assert_eq!((ended.unwrap().ids.len(), count), (5, 2));
}

#[tokio::test]
async fn a_list_is_two_trips() {
    let (store, proxy, _server) = counted().await;
    for number in 0..5 {
        store.admit(login(owner(1), number)).await.unwrap();
    }
    let (listed, count) = trips(&proxy, store.list(owner(1), None, 50, now())).await;
    assert_eq!((listed.unwrap().len(), count), (5, 2));
}

#[tokio::test]
async fn a_thousand_and_more_sessions_of_one_owner_end_all() {
    let server = RedisServer::start();
    let address = RedisAddress::parse(&server.url()).unwrap();
    let store = RedisStore::builder(address).timeout(Duration::from_secs(20)).open().await.unwrap();
    for number in 0..2_300 {
        store.admit(login(owner(1), number)).await.unwrap();
    }
    let kept = of(owner(1), 1_500);
    let (now, reason): (Millis, _) = (now(), EndReason::Expired);
    let target = EndTarget::Owner { owner: owner(1), except: Some(kept) };
    let ended = store.end(End { target, reason, now, stamp: now << 16 }).await.unwrap();
    assert_eq!(ended.ids.len(), 2_299);
    let left: Vec<SessionId> =
        store.list(owner(1), None, 9, now).await.unwrap().iter().map(|listed| listed.id).collect();
    assert_eq!(left, [kept]);
}

#[tokio::test]
async fn no_key_is_without_an_expiry() {
    let (store, _proxy, server) = counted().await;
    create(&store, anonymous(1)).await;
    create(&store, anonymous(2)).await;
    for number in 0..4 {
        store.admit(limited(owner(1), number, 3)).await.unwrap();
    }
    store.admit(login(owner(2), 1)).await.unwrap();
    store.touch(touch(of(owner(2), 1), Some(owner(2)))).await.unwrap();
    store.end(end_one(anonymous(2), None)).await.unwrap();
    store.end(end_all(owner(1))).await.unwrap();
    let forever = Cas { expires: Millis::MAX, ..change(anonymous(1), 1) };
    store.cas(forever).await.unwrap();
    let script = "local bare = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
                  if redis.call('PTTL', key) < 0 then bare[#bare + 1] = key end end return {#redis.call('KEYS', '*'), bare}";
    let answer = server.ask(&["EVAL", script, "0"]);
    assert_eq!(answer, "*2\r\n:10\r\n*0\r\n", "ten keys, and none of them without an expiry");
}

#[tokio::test]
async fn an_owner_is_known_as_long_as_its_sessions_live() {
    let (store, _proxy, server) = counted().await;
    let admit = login(owner(1), 0);
    let write = Cas { owner: Some(admit.owner), expires: admit.expires, ..change(admit.id, 1) };
    assert!(matches!(store.admit(admit).await.unwrap(), Admitted::Stored { .. }));
    let keys = server.ask(&["KEYS", "*"]);
    let expiry = keys.split_whitespace().find(|key| key.contains(":e:")).unwrap().to_owned();
    // As after a leap of the server's clock, which frees keys by it.
    server.ask(&["PEXPIRE", &expiry, "1000"]);
    assert!(matches!(store.cas(write).await.unwrap(), CasOutcome::Stored));
    let left = server.ask(&["PTTL", &expiry]);
    assert!(left.trim().trim_start_matches(':').parse::<i64>().unwrap() > 1_000, "{left} ms");
}
