//! The exact sequence of events of each scenario: what happened, why, and to whom.

use http::{HeaderValue, Request, header};
use sessions::{BehaviorOnLimit, EventKind, EventReceiver, Fault, Peer, SessionEvent, SessionPolicy};
use sessions_tests::{Node, Visitor, second, user};

/// A node and what it tells.
struct Watched {
    node: Node,
    events: EventReceiver,
}

impl Watched {
    fn new(policy: SessionPolicy) -> Self {
        let node = Node::new(policy);
        let events = node.engine.subscribe(256, |_| true);
        Self { node, events }
    }

    /// What has been told since the last time: name, reason, and `ada` where it names her.
    async fn told(&mut self) -> Vec<String> {
        self.all().await.iter().map(|event| text(event)).collect()
    }

    async fn all(&mut self) -> Vec<std::sync::Arc<SessionEvent>> {
        let mut told = Vec::new();
        while let Ok(Some(event)) =
            tokio::time::timeout(std::time::Duration::from_millis(5), self.events.recv()).await
        {
            told.push(event);
        }
        told
    }
}

fn text(event: &SessionEvent) -> String {
    let mut text = event.kind.name().trim_start_matches("session_").to_owned();
    for word in [event.reason, event.principal_id.as_deref()].into_iter().flatten() {
        text.push(' ');
        text.push_str(word);
    }
    text
}

fn web() -> SessionPolicy {
    SessionPolicy::for_web_users().idle_timeout(second(600)).lasting(second(3600)).build().unwrap()
}

#[tokio::test]
async fn a_life_from_the_first_write_to_the_logout() {
    let mut watched = Watched::new(web());
    let node = watched.node.clone();
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    assert_eq!(watched.told().await, ["created data"]);
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    assert_eq!(watched.told().await, ["loaded", "created login ada", "authenticated login ada"]);
    node.visit(&mut visitor, async |session| session.set("a", 2)).await.commit.unwrap();
    assert_eq!(watched.told().await, ["loaded ada", "committed ada"]);
    node.clock.advance(second(120));
    node.visit(&mut visitor, async |_| ()).await.commit.unwrap();
    assert_eq!(watched.told().await, ["loaded ada", "refreshed ada"]);
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    assert_eq!(watched.told().await, ["loaded ada", "rotated privilege ada"]);
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    let told = watched.told().await;
    assert_eq!(told, ["loaded ada", "authenticated confirmation ada", "rotated privilege ada"]);
    let old = visitor.clone();
    node.visit(&mut visitor, async |session| {
        session.clear_authentication();
        session.clear_data();
    })
    .await
    .commit
    .unwrap();
    assert_eq!(watched.told().await, ["loaded ada", "logged_out logout ada"]);
    node.visit(&mut old.clone(), async |_| ()).await.commit.unwrap();
    assert_eq!(watched.told().await, ["ended logged_out"]);
}

/// As far as the engine judges it: of what the store has freed already, it says only that it had expired.
#[tokio::test]
async fn each_end_of_time_has_a_name() {
    let long = || SessionPolicy::for_web_users().no_idle_timeout().lasting(second(100_000));
    for (shorter, expected) in [
        (SessionPolicy::for_web_users().idle_timeout(second(600)).lasting(second(3_600)), "idle_timeout ada"),
        (SessionPolicy::for_web_users().no_idle_timeout().lasting(second(600)), "expired ttl ada"),
        (long().sliding().absolute_timeout(second(600)), "absolute_timeout ada"),
        (long(), "loaded ada"),
    ] {
        let node = Node::new(long().build().unwrap());
        let mut visitor = node.logged_in("ada").await;
        let twin = node.twin(shorter.build().unwrap());
        let events = twin.engine.subscribe(256, |kind| kind != EventKind::Refreshed);
        node.clock.advance(second(601));
        twin.visit(&mut visitor, async |_| ()).await.commit.unwrap();
        assert_eq!(Watched { node: twin, events }.told().await, [expected]);
    }
    let mut watched = Watched::new(web());
    let node = watched.node.clone();
    let mut visitor = node.logged_in("ada").await;
    watched.told().await;
    node.clock.advance(second(601));
    node.visit(&mut visitor, async |_| ()).await.commit.unwrap();
    assert_eq!(watched.told().await, ["expired ended"]);
}

#[tokio::test]
async fn an_id_that_opens_nothing_is_told_with_what_is_known_of_it() {
    let mut watched = Watched::new(web());
    let node = watched.node.clone();
    let ada = node.logged_in("ada").await;
    let eve = node.logged_in("eve").await;
    watched.told().await;
    let cookie = ada.cookie.clone().unwrap();
    let (rest, secret) = cookie.rsplit_once('.').unwrap();
    let wrong = eve.cookie.as_deref().unwrap().rsplit('.').next().unwrap();
    for (presented, expected) in [
        (format!("{rest}.{}", &secret[1..]), "invalid"),
        (format!("{rest}.{wrong}"), "unknown secret ada"),
        (format!("{cookie}; {}", eve.cookie.as_deref().unwrap()), "duplicate"),
    ] {
        let mut visitor = Visitor { cookie: Some(presented) };
        node.visit(&mut visitor, async |_| ()).await.commit.unwrap();
        assert_eq!(watched.told().await, [expected]);
    }
    let empty = Watched::new(web());
    let mut visitor = ada.clone();
    let (node, mut watched) = (empty.node.clone(), empty);
    node.visit(&mut visitor, async |_| ()).await.commit.unwrap();
    assert_eq!(watched.told().await, ["unknown absent"]);
}

#[tokio::test]
async fn limits_and_revocations_name_the_sessions_that_they_end() {
    let policy =
        SessionPolicy::for_web_users().max_concurrent(1, BehaviorOnLimit::EvictOldest).build().unwrap();
    let mut watched = Watched::new(policy);
    let node = watched.node.clone();
    let first = node.logged_in("ada").await;
    let handle = watched.all().await[0].handle;
    node.logged_in("ada").await;
    let told = watched.all().await;
    let texts: Vec<_> = told.iter().map(|event| text(event)).collect();
    assert_eq!(texts, ["evicted limit ada", "created login ada", "authenticated login ada"]);
    assert_eq!(told[0].handle, handle);
    node.visit(&mut first.clone(), async |_| ()).await.commit.unwrap();
    assert_eq!(watched.told().await, ["ended evicted"]);
    assert_eq!(node.engine.revoke_all(&user("ada")).await.unwrap(), 1);
    assert_eq!(watched.told().await, ["revoked all ada"]);
}

#[tokio::test]
async fn what_is_not_written_is_told() {
    let mut watched = Watched::new(web());
    let node = watched.node.clone();
    let mut visitor = node.logged_in("ada").await;
    watched.told().await;
    let big = "x".repeat(10_000_000);
    let answer = node.visit(&mut visitor, async |session| session.set("big", &big)).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::TooLarge);
    let told = watched.all().await;
    let last = told.last().unwrap();
    assert_eq!((text(last).as_str(), last.fault), ("not_written ada", Some(Fault::TooLarge)));
}

#[tokio::test]
async fn a_change_after_the_response_is_told() {
    let mut watched = Watched::new(web());
    let node = watched.node.clone();
    let visitor = node.logged_in("ada").await;
    let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
    node.engine.commit(&session, &mut http::Response::new(())).await.unwrap();
    watched.told().await;
    assert_eq!(session.set("late", 1).unwrap_err().fault(), Fault::Unusable);
    assert_eq!(watched.told().await, ["not_written ada"]);
}

#[tokio::test]
async fn a_store_that_fails_is_told_with_the_request() {
    let mut watched = Watched::new(web());
    let node = watched.node.clone();
    let visitor = node.logged_in("ada").await;
    watched.told().await;
    node.store.set_down(true);
    let mut request = visitor.request();
    request.headers_mut().insert("x-request-id", HeaderValue::from_static("r-7"));
    node.engine.resolve(&request).await.unwrap_err();
    let told = watched.all().await;
    assert_eq!(told.iter().map(|event| text(event)).collect::<Vec<_>>(), ["store_failed unavailable"]);
    assert_eq!(told[0].request.as_ref().unwrap().as_str(), "r-7");
}

#[tokio::test]
async fn every_event_of_a_request_names_it_the_commits_too() {
    let mut watched = Watched::new(web());
    let node = watched.node.clone();
    let mut request = Request::new(());
    request.headers_mut().insert("x-request-id", HeaderValue::from_static("r-1"));
    request.extensions_mut().insert(Peer([192, 0, 2, 7].into()));
    let mut session = node.engine.resolve(&request).await.unwrap();
    session.mark_authenticated(user("ada"));
    let mut response = http::Response::new(());
    node.engine.commit(&session, &mut response).await.unwrap();
    assert!(response.headers().contains_key(header::SET_COOKIE));
    let told = watched.all().await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|event| event.request.as_ref().is_some_and(|id| id.as_str() == "r-1")));
    assert!(
        told.iter().all(|event| event.to_json().ends_with("\"request\":\"r-1\",\"peer\":\"192.0.2.7\"}"))
    );
    assert_eq!(told[0].sequence + 1, told[1].sequence);
    node.logged_in("eve").await;
    assert!(watched.all().await.iter().all(|event| event.request.is_none()));
}
