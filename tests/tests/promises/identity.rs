//! An id is minted here or it is nothing.

use sessions::{Entropy, EntropyError, EventKind, Fault, SessionPolicy};
use sessions_tests::{Node, Visitor, user};

const STRANGE: &str =
    "__Host-Http-user_default=AAA.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn an_unknown_id_is_never_adopted() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor { cookie: Some(STRANGE.to_owned()) };
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    assert_ne!(visitor.cookie.as_deref(), Some(STRANGE));
    assert_eq!(node.who(&visitor).await.as_deref(), Some("ada"));
    assert_eq!(node.who(&Visitor { cookie: Some(STRANGE.to_owned()) }).await, None);
}

#[tokio::test]
async fn a_thousand_guessed_ids_are_told_in_one_event() {
    let node = Node::new(SessionPolicy::user_default());
    let mut events = node.engine.subscribe(4_096, |kind| kind == EventKind::Guessing);
    for _ in 0..2 {
        for _ in 0..1_000 {
            assert_eq!(node.who(&Visitor { cookie: Some(STRANGE.to_owned()) }).await, None);
        }
        node.clock.advance(sessions_tests::second(60));
    }
    let told = [events.recv().await.unwrap().count, events.recv().await.unwrap().count];
    assert_eq!(told, [100, 1_000], "once a minute, with all that came since");
    let more = tokio::time::timeout(std::time::Duration::from_millis(20), events.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn an_unknown_id_gets_no_cookie_by_itself() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor { cookie: Some(STRANGE.to_owned()) };
    let answer = node.visit(&mut visitor, async |_| {}).await;
    assert!(answer.cookies.is_empty());
}

#[tokio::test]
async fn a_malformed_id_never_reaches_the_store() {
    let node = Node::new(SessionPolicy::user_default());
    for bad in ["x", "AAA.AAAA.AAAA", &STRANGE[26..STRANGE.len() - 1], &format!("{}=", &STRANGE[26..])] {
        let mut visitor = Visitor { cookie: Some(format!("__Host-Http-user_default={bad}")) };
        node.visit(&mut visitor, async |_| {}).await.commit.unwrap();
    }
    assert_eq!(node.store.take_counts().totals(), (0, 0));
}

#[tokio::test]
async fn one_policys_id_opens_no_other_policys_session() {
    let node = Node::new(SessionPolicy::user_default());
    let other = node.twin(SessionPolicy::for_web_users().named("other").build().unwrap());
    let visitor = node.logged_in("ada").await;
    let value = visitor.cookie.as_deref().unwrap().split_once('=').unwrap().1;
    let renamed = Visitor { cookie: Some(format!("__Host-Http-other={value}")) };
    assert_eq!(other.who(&renamed).await, None);
}

#[tokio::test]
async fn a_changed_secret_opens_nothing_and_ends_nothing() {
    let node = Node::new(SessionPolicy::user_default());
    let visitor = node.logged_in("ada").await;
    let mut cookie = visitor.cookie.clone().unwrap();
    let last = cookie.len() - 5;
    let other = if &cookie[last..=last] == "A" { "B" } else { "A" };
    cookie.replace_range(last..=last, other);
    assert_eq!(node.who(&Visitor { cookie: Some(cookie) }).await, None);
    assert_eq!(node.who(&visitor).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_stolen_dump_opens_no_session() {
    let node = Node::new(SessionPolicy::for_web_users().rotating_on_use().build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    let mut secrets = Vec::new();
    for _ in 0..3 {
        let cookie = visitor.cookie.clone().unwrap();
        secrets.push(cookie.rsplit('.').next().unwrap().to_owned());
        node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    }
    for record in node.store.records() {
        let text = String::from_utf8_lossy(&record);
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())));
    }
}

#[derive(Debug)]
struct Broken;

impl Entropy for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError(None))
    }
}

#[tokio::test]
async fn a_failing_generator_stops_issuing() {
    let node = Node::with_entropy(SessionPolicy::user_default(), Broken);
    let mut visitor = Visitor::default();
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    let error = answer.commit.unwrap_err();
    assert_eq!((error.fault(), error.status().as_u16()), (Fault::RotationFailed, 503));
    assert!(answer.cookies.is_empty());
    assert_eq!(node.store.take_counts().writes(), 0);
}

#[derive(Debug)]
struct Repeating;

impl Entropy for Repeating {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.fill(7);
        Ok(())
    }
}

#[tokio::test]
async fn an_id_that_is_taken_is_never_taken_over() {
    let node = Node::with_entropy(SessionPolicy::user_default(), Repeating);
    let mut first = Visitor::default();
    node.visit(&mut first, async |session| session.set("mine", 1)).await.commit.unwrap();
    let mut second = Visitor::default();
    let answer = node.visit(&mut second, async |session| session.set("mine", 2)).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::RotationFailed);
    let read = node.visit(&mut first, async |session| session.get::<u8>("mine").unwrap()).await;
    assert_eq!(read.value, Some(1));
}

#[tokio::test]
async fn different_ids_for_one_policy_are_no_session_and_cost_no_read() {
    let node = Node::new(SessionPolicy::user_default());
    let (one, two) = (node.logged_in("ada").await, node.logged_in("eve").await);
    node.store.take_counts();
    let both = format!("{}; {}", one.cookie.unwrap(), two.cookie.unwrap());
    let mut visitor = Visitor { cookie: Some(both) };
    let answer = node.visit(&mut visitor, async |session| session.is_authenticated()).await;
    assert!(!answer.value && answer.cookies.is_empty());
    assert_eq!(node.store.take_counts().reads(), 0);
}

#[tokio::test]
async fn no_id_stands_in_a_debug_text_or_an_event() {
    let node = Node::new(SessionPolicy::user_default());
    let (sender, events) = std::sync::mpsc::channel();
    node.engine.on_event(move |event| {
        let _ = sender.send(format!("{event:?}"));
    });
    let mut visitor = node.logged_in("ada").await;
    let cookie = visitor.cookie.clone().unwrap();
    let secret = cookie.rsplit('.').next().unwrap().to_owned();
    let answer =
        node.visit(&mut visitor, async |session| format!("{session:?} {:?}", session.untyped())).await;
    let mut texts = vec![answer.value, format!("{node:?}")];
    while let Ok(event) = events.recv_timeout(std::time::Duration::from_millis(200)) {
        texts.push(event);
    }
    assert!(texts.len() > 3, "{texts:?}");
    assert!(texts.iter().any(|text| text.contains(&format!("{:?}", EventKind::Authenticated))));
    for text in texts {
        assert!(!text.contains(&secret), "{text}");
    }
}
