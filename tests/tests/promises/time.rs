//! Lifetimes are judged from the record, to the millisecond.

use std::time::Duration;

use sessions::SessionPolicy;
use sessions_tests::{Node, second};

const MILLI: Duration = Duration::from_millis(1);

/// A millisecond less than so many seconds.
fn just_below(seconds: u64) -> Duration {
    Duration::from_millis(seconds * 1_000 - 1)
}

#[tokio::test]
async fn idle_ends_a_session_exactly() {
    let node = Node::new(SessionPolicy::user_default());
    let visitor = node.logged_in("ada").await;
    node.clock.advance(just_below(1800));
    assert!(node.who(&visitor).await.is_some());
    node.clock.advance(MILLI);
    assert_eq!(node.who(&visitor).await, None);
}

#[tokio::test]
async fn use_extends_idle_and_never_the_end() {
    let node = Node::new(SessionPolicy::for_web_users().lasting(second(3600)).build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    for minute in 1..60 {
        node.clock.advance(second(60));
        let answer = node.visit(&mut visitor, async |session| session.is_authenticated()).await;
        assert!(answer.value, "minute {minute}");
    }
    node.clock.advance(just_below(60));
    assert!(node.who(&visitor).await.is_some());
    node.clock.advance(MILLI);
    assert_eq!(node.who(&visitor).await, None);
}

#[tokio::test]
async fn sliding_renews_up_to_the_absolute_end() {
    let policy = SessionPolicy::for_web_users()
        .no_idle_timeout()
        .lasting(second(600))
        .absolute_timeout(second(3600))
        .sliding();
    let node = Node::new(policy.build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    for _ in 0..7 {
        node.clock.advance(second(500));
        assert!(node.visit(&mut visitor, async |session| session.is_authenticated()).await.value);
    }
    node.clock.advance(just_below(100));
    assert!(node.who(&visitor).await.is_some());
    node.clock.advance(MILLI);
    assert_eq!(node.who(&visitor).await, None);
}

#[tokio::test]
async fn rotation_moves_no_end() {
    let policy = SessionPolicy::for_web_users()
        .no_idle_timeout()
        .lasting(second(3600))
        .rotating_every(second(60), second(10));
    let node = Node::new(policy.build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    for _ in 0..59 {
        node.clock.advance(second(60));
        assert!(
            node.visit(&mut visitor, async |session| {
                session.rotate();
                session.is_authenticated()
            })
            .await
            .value
        );
    }
    node.clock.advance(second(60));
    assert_eq!(node.who(&visitor).await, None);
}

#[tokio::test]
async fn the_noted_use_may_shorten_idle_and_never_lengthens_it() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(59));
    node.visit(&mut visitor, async |_| {}).await;
    node.clock.advance(just_below(1741));
    assert!(node.who(&visitor).await.is_some());
    node.clock.advance(MILLI);
    assert_eq!(
        node.who(&visitor).await,
        None,
        "the use at 59 s was not noted, so idle counts from the login"
    );
}

#[tokio::test]
async fn a_clock_that_steps_back_revives_nothing() {
    let node = Node::new(SessionPolicy::user_default());
    let visitor = node.logged_in("ada").await;
    node.clock.advance(second(1800));
    node.logged_in("eve").await;
    node.clock.step_back(second(3600));
    assert_eq!(node.who(&visitor).await, None, "the node has seen a later time");
}

#[tokio::test]
async fn a_shortened_policy_applies_to_living_sessions() {
    let node = Node::new(SessionPolicy::user_default());
    let visitor = node.logged_in("ada").await;
    let shorter = node.twin(SessionPolicy::for_web_users().idle_timeout(second(60)).build().unwrap());
    node.clock.advance(second(60));
    assert!(node.who(&visitor).await.is_some());
    assert_eq!(shorter.who(&visitor).await, None);
}

#[tokio::test]
async fn a_lengthened_policy_breaks_no_promised_end() {
    let short = SessionPolicy::for_web_users().no_idle_timeout().lasting(second(60)).build().unwrap();
    let node = Node::new(short);
    let visitor = node.logged_in("ada").await;
    let longer = node.twin(SessionPolicy::for_web_users().no_idle_timeout().build().unwrap());
    node.clock.advance(second(60));
    assert_eq!(longer.who(&visitor).await, None);
}

#[tokio::test]
async fn use_prolongs_a_cookie_that_the_client_keeps() {
    let policy = SessionPolicy::for_devices().no_idle_timeout().lasting(second(1_000)).sliding();
    let node = Node::new(policy.absolute_timeout(second(100_000)).build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    let soon = node.visit(&mut visitor, async |_| {}).await;
    assert!(soon.cookies.is_empty(), "a use that is not noted prolongs nothing");
    node.clock.advance(second(500));
    let later = node.visit(&mut visitor, async |_| {}).await;
    assert_eq!(later.cookies.len(), 1);
    assert!(later.cookies[0].contains("Max-Age=1000"), "{:?}", later.cookies);
}
