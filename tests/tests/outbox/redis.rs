//! What only Redis has: a server that loses nothing, clusters, and trips that are counted.

use std::{sync::atomic::AtomicBool, sync::atomic::Ordering::SeqCst, time::Duration};

use sessions::{SessionStore, SharedStore};
use sessions_tests::{
    Visitor,
    proxy::Proxy,
    servers::{cluster::RedisCluster, redis::RedisServer},
};

use super::shop::{HOUR, Server, Shop, again, on_redis, take};

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_in_the_middle_loses_no_event_of_what_was_acknowledged() {
    let server = RedisServer::durable();
    let shop = Shop::with(SharedStore::new(on_redis(&server.url(), HOUR).await));
    let reader = shop.reader("mail");
    let is_over = AtomicBool::new(false);
    let coming = async {
        let (mut gone, mut number) = (Vec::new(), 0);
        while !is_over.load(SeqCst) || number < 20 {
            number += 1;
            let mut visitor = Visitor::default();
            let user = sessions_tests::user(&format!("u{number}"));
            if shop.visit(&mut visitor, async |session| session.mark_authenticated(user)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            let handle = again(|| handle_of(&shop, &visitor)).await;
            if shop.visit(&mut visitor, async |session| session.clear_authentication()).await.is_ok() {
                gone.push(handle);
            }
        }
        gone
    };
    let breaking = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for _ in 0..2 {
            server.kill();
            tokio::time::sleep(Duration::from_millis(100)).await;
            tokio::task::block_in_place(|| server.start_again());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        is_over.store(true, SeqCst);
    };
    let (gone, ()) = tokio::join!(coming, breaking);
    let mut events = Vec::new();
    loop {
        let batch = again(|| reader.read(50)).await;
        if batch.is_empty() {
            break;
        }
        events.extend(batch.iter().map(|event| (event.event.clone(), event.handle.clone().unwrap())));
        again(|| reader.ack(&batch)).await;
    }
    assert!(!gone.is_empty());
    for handle in gone {
        for kind in ["session_created", "session_authenticated", "session_logged_out"] {
            let times = events.iter().filter(|(event, of)| event == kind && *of == handle).count();
            assert_eq!(times, 1, "{kind} of {handle}");
        }
    }
}

async fn handle_of(shop: &Shop, visitor: &Visitor) -> Result<String, sessions::StoreError> {
    let session = shop.engine.resolve(&visitor.request()).await;
    let handle = session.ok().and_then(|session| session.handle());
    handle.map(|handle| handle.to_string()).ok_or(sessions::StoreError::Unavailable(None))
}

#[tokio::test]
async fn a_cluster_tells_of_every_bucket() {
    let cluster = RedisCluster::start();
    let shop = Shop::with(SharedStore::new(on_redis(&cluster.url(), HOUR).await));
    let reader = shop.reader("mail");
    let mut handles = Vec::new();
    for number in 0..30 {
        handles.push(shop.come_and_go(&format!("u{number}")).await.to_string());
    }
    let events = take(&reader, 90).await;
    for handle in handles {
        let of = events.iter().filter(|event| event.handle.as_ref() == Some(&handle));
        let kinds: Vec<_> = of.map(|event| event.event.as_str()).collect();
        assert_eq!(kinds, ["session_created", "session_authenticated", "session_logged_out"]);
    }
    assert!(reader.read(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn events_cost_no_trip() {
    let server = RedisServer::start();
    let mut trips = Vec::new();
    for kept in [None, Some(HOUR)] {
        let proxy = Proxy::to(server.port());
        let builder = sessions::RedisStore::builder(
            sessions::RedisAddress::parse(&format!("redis://127.0.0.1:{}", proxy.port())).unwrap(),
        );
        let store = SharedStore::new(builder.outbox(kept).open().await.unwrap());
        let shop = Shop::with(store);
        let mut visitor = Visitor::default();
        let before = proxy.questions();
        shop.visit(&mut visitor, async |session| session.set("cart", 1)).await.unwrap().unwrap();
        shop.log_in(&mut visitor, "ada").await;
        shop.visit(&mut visitor, async |session| session.rotate()).await.unwrap();
        shop.log_out(&mut visitor).await;
        trips.push(proxy.questions() - before);
        assert_eq!(server.ask(&["KEYS", "*:x:*"]).contains("events"), kept.is_some());
    }
    assert_eq!(trips[0], trips[1]);
}

#[tokio::test]
async fn what_is_kept_of_events_goes_with_them() {
    let server = Server::redis();
    let shop = Shop::on(&server).await;
    shop.come_and_go("ada").await;
    let Server::Redis(redis) = &server else { unreachable!() };
    let left = redis.ask(&["PTTL", "sessions:{AAA}:x:events"]);
    let left: u64 = left.trim().trim_start_matches(':').parse().unwrap();
    assert!(left > 7_000_000, "{left}");
    assert!(shop.store.outbox().is_some());
    assert!(sessions::MemoryStore::new(1).outbox().is_none());
}
