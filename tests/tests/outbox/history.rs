//! What a consumer reads is what happened: as listeners hear it, and no more than was changed.

use std::time::Duration;

use futures_util::FutureExt as _;
use sessions::{EventKind, SessionStore};
use sessions_tests::{Visitor, user};

use super::shop::{Server, Shop, take, told};

/// What ends a session or changes its privileges.
const KINDS: &[EventKind] = &[
    EventKind::Created,
    EventKind::Rotated,
    EventKind::Authenticated,
    EventKind::LoggedOut,
    EventKind::Destroyed,
    EventKind::Revoked,
    EventKind::CredentialsChanged,
    EventKind::Evicted,
    EventKind::Reused,
];

/// A visitor comes, logs in, confirms, logs in elsewhere too often, is robbed, and more.
async fn live(shop: &Shop) {
    let (mut one, mut two, mut three) = (Visitor::default(), Visitor::default(), Visitor::default());
    shop.visit(&mut one, async |session| session.set("cart", 1)).await.unwrap().unwrap();
    shop.log_in(&mut one, "ada").await;
    shop.log_in(&mut one, "ada").await;
    shop.visit(&mut one, async |session| session.rotate()).await.unwrap();
    shop.log_in(&mut two, "ada").await;
    shop.log_in(&mut three, "ada").await;
    // Time rotates what is left of them, and a thief has the id from before.
    let thief = two.clone();
    shop.clock.advance(Duration::from_secs(3_601));
    for _ in 0..2 {
        shop.visit(&mut two, async |session| session.is_authenticated()).await.unwrap();
    }
    shop.clock.advance(Duration::from_secs(40));
    shop.visit(&mut thief.clone(), async |session| session.is_authenticated()).await.unwrap();
    shop.visit(&mut three, async |session| session.credentials_changed().await).await.unwrap().unwrap();
    shop.log_in(&mut two, "ada").await;
    let of_two = shop.handle(&mut two).await;
    assert!(shop.engine.revoke(&user("ada"), of_two).await.unwrap());
    shop.log_out(&mut three).await;
    shop.log_in(&mut one, "carl").await;
    shop.log_in(&mut one, "bob").await;
    assert_eq!(shop.engine.credentials_changed(&user("bob")).await.unwrap(), 1);
    let mut visitor = Visitor::default();
    shop.visit(&mut visitor, async |session| session.set("cart", 1)).await.unwrap().unwrap();
    shop.visit(&mut visitor, async |session| session.clear_data()).await.unwrap();
}

/// An event without what is its own: its id, the time, as it is made before the change, and how many sessions have ended, which
/// is not known then.
fn but_its_own(json: &str) -> String {
    let mut json: serde_json::Value = serde_json::from_str(json).unwrap();
    for own in ["id", "time", "count"] {
        json.as_object_mut().unwrap().remove(own);
    }
    json.to_string()
}

async fn is_what_listeners_hear(server: Server) {
    let shop = Shop::on(&server).await;
    let reader = shop.reader("audit");
    let mut heard = shop.engine.subscribe(1_000, |kind| KINDS.contains(&kind));
    live(&shop).await;
    let mut expected = Vec::new();
    while let Some(Some(event)) = heard.recv().now_or_never() {
        expected.push(but_its_own(&event.to_json()));
    }
    let events = take(&reader, expected.len()).await;
    let lines: Vec<_> = events.iter().map(told).collect();
    for kind in KINDS {
        assert!(events.iter().any(|event| event.kind() == Some(*kind)), "{kind}: {lines:?}");
    }
    let mut read: Vec<_> = events.iter().map(|event| but_its_own(event.json())).collect();
    // Listeners hear of a change that takes several steps after the last.
    read.sort_unstable();
    expected.sort_unstable();
    assert_eq!(read, expected, "{lines:#?}");
    assert!(events.iter().any(|event| event.request.as_deref() == Some("r-1")), "the request is named");
    assert!(reader.read(10).await.unwrap().is_empty(), "there was no more");
}

#[tokio::test]
async fn on_redis_it_is_what_listeners_hear() {
    is_what_listeners_hear(Server::redis()).await;
}

#[tokio::test]
async fn on_postgres_it_is_what_listeners_hear() {
    is_what_listeners_hear(Server::postgres().await).await;
}

/// A login, a visitor and a change, each of which has its event to write.
async fn changes_nothing(shop: &Shop, ada: &mut Visitor) {
    let session = async |shop: &Shop, visitor: &mut Visitor| {
        let mut visitor = visitor.clone();
        shop.visit(&mut visitor, async |session| session.is_authenticated()).await.unwrap()
    };
    assert!(session(shop, ada).await);
    assert!(shop.engine.revoke_all(&user("ada")).await.is_err());
    assert!(session(shop, ada).await, "revoking it failed");
    let mut leaving = ada.clone();
    assert!(shop.visit(&mut leaving, async |session| session.clear_authentication()).await.is_err());
    assert!(session(shop, ada).await, "leaving failed");
    let before = ada.clone();
    assert!(shop.visit(&mut ada.clone(), async |session| session.rotate()).await.is_err());
    assert!(session(shop, &mut before.clone()).await, "it has no other id");
    let mut newcomer = Visitor::default();
    let came = shop.visit(&mut newcomer, async |session| session.mark_authenticated(user("bob"))).await;
    assert!(came.is_err() && newcomer.cookie.is_none());
    assert_eq!(shop.store.stats().await.unwrap().sessions, 1);
}

#[tokio::test]
async fn on_redis_a_change_whose_event_can_not_be_written_is_not_made() {
    let server = Server::redis();
    let shop = Shop::on(&server).await;
    let mut ada = Visitor::default();
    shop.log_in(&mut ada, "ada").await;
    let Server::Redis(redis) = &server else { unreachable!() };
    let stream = "sessions:{AAA}:x:events";
    assert!(redis.ask(&["RENAME", stream, "aside"]).starts_with("+OK"));
    assert!(redis.ask(&["SET", stream, "no stream"]).starts_with("+OK"));
    changes_nothing(&shop, &mut ada).await;
    redis.ask(&["DEL", stream]);
    shop.log_out(&mut ada).await;
}

#[tokio::test]
async fn on_postgres_a_change_whose_event_can_not_be_written_is_not_made() {
    let server = Server::postgres().await;
    let shop = Shop::on(&server).await;
    let mut ada = Visitor::default();
    shop.log_in(&mut ada, "ada").await;
    let Server::Postgres(database) = &server else { unreachable!() };
    let client = database.client().await;
    client.batch_execute("ALTER TABLE sessions.outbox RENAME TO aside").await.unwrap();
    changes_nothing(&shop, &mut ada).await;
    client.batch_execute("ALTER TABLE sessions.aside RENAME TO outbox").await.unwrap();
    shop.log_out(&mut ada).await;
}
