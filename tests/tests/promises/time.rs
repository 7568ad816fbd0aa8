//! Lifetimes are judged from the record, to the millisecond.

use std::time::Duration;

use sessions::SessionPolicy;
use sessions_tests::{Node, Visitor, second, user};

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
async fn a_write_moves_the_last_use_as_seldom_as_a_use_does() {
    let policy = SessionPolicy::for_web_users().idle_timeout(second(100)).build().unwrap();
    let node = Node::new(policy);
    let mut visitor = node.logged_in("ada").await;
    let began = node.last_seen(&visitor).await;
    for (seconds, moved) in [(9, 0), (1, 10), (9, 10), (2, 21)] {
        node.clock.advance(second(seconds));
        node.visit(&mut visitor, async |session| session.set("at", seconds)).await.commit.unwrap();
        assert_eq!(node.last_seen(&visitor).await - began, chrono::TimeDelta::seconds(moved), "{seconds}");
    }
    // Where no use prolongs the session, each write is told.
    let node = Node::new(SessionPolicy::for_web_users().no_idle_timeout().build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    let began = node.last_seen(&visitor).await;
    node.clock.advance(second(1));
    node.visit(&mut visitor, async |session| session.set("at", 1)).await.commit.unwrap();
    assert_eq!(node.last_seen(&visitor).await - began, chrono::TimeDelta::seconds(1));
}

#[tokio::test]
async fn a_confirmation_is_a_use_in_any_case() {
    let node = Node::new(SessionPolicy::for_web_users().idle_timeout(second(100)).build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    let began = node.last_seen(&visitor).await;
    node.clock.advance(second(5));
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    assert_eq!(node.last_seen(&visitor).await - began, chrono::TimeDelta::seconds(5));
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

#[tokio::test]
async fn where_only_a_change_is_activity_a_page_that_polls_keeps_no_session_alive() {
    for policy in [
        SessionPolicy::for_web_users().idle_timeout(second(600)),
        SessionPolicy::for_web_users()
            .no_idle_timeout()
            .lasting(second(600))
            .sliding()
            .absolute_timeout(second(100_000)),
        SessionPolicy::for_web_users().idle_timeout(second(600)).rotating_every(second(150), second(10)),
        SessionPolicy::for_web_users().idle_timeout(second(600)).one_request_at_a_time(second(1), second(30)),
    ] {
        let node = Node::new(policy.active_by_change().build().unwrap());
        let mut visitor = node.logged_in("ada").await;
        for n in 0..5 {
            node.clock.advance(second(400));
            node.visit(&mut visitor, async |session| session.set("n", n)).await.commit.unwrap();
        }
        for _ in 0..5 {
            node.clock.advance(second(100));
            let polled = node.visit(&mut visitor, async |session| session.is_authenticated()).await;
            polled.commit.unwrap();
            assert!(polled.value);
        }
        node.clock.advance(just_below(100));
        assert!(node.who(&visitor).await.is_some());
        node.clock.advance(MILLI);
        assert_eq!(node.who(&visitor).await, None, "600 s after the last change");
    }
}

#[tokio::test]
async fn where_only_a_change_is_activity_every_kind_of_change_is() {
    let policy =
        || SessionPolicy::for_web_users().idle_timeout(second(600)).active_by_change().build().unwrap();
    let node = Node::new(policy());
    let mut visitor = node.logged_in("ada").await;
    for way in 0..6 {
        node.clock.advance(second(500));
        let change = async |session: &mut sessions::Session| match way {
            0 => session.set("n", 1).unwrap(),
            1 => session.remove("n").unwrap(),
            2 => session.update("n", |n: &mut u8| *n += 1).await.unwrap(),
            3 => session.rotate(),
            4 => session.mark_authenticated(user("ada")),
            _ => session.flash("seen").unwrap(),
        };
        node.visit(&mut visitor, change).await.commit.unwrap();
    }
    node.clock.advance(just_below(600));
    assert!(node.who(&visitor).await.is_some());
    node.store.take_counts();
    node.visit(&mut visitor, async |session| session.keys()).await.commit.unwrap();
    assert_eq!(node.store.take_counts().writes(), 0, "a read is not noted");
}

#[tokio::test]
async fn the_absolute_end_holds_whatever_a_session_does() {
    for sliding in [false, true] {
        let policy = SessionPolicy::for_web_users()
            .lasting(second(1_800))
            .absolute_timeout(second(3_600))
            .idle_timeout(second(1_800));
        let policy = if sliding { policy.sliding() } else { policy.lasting(second(3_600)) };
        let node = Node::new(policy.build().unwrap());
        let mut visitor = node.logged_in("ada").await;
        for n in 1..12_u64 {
            node.clock.advance(second(300));
            let answer = node
                .visit(&mut visitor, async |session| {
                    session.set("n", n).unwrap();
                    session.rotate();
                })
                .await;
            answer.commit.unwrap();
        }
        node.clock.advance(just_below(300));
        assert!(node.who(&visitor).await.is_some());
        node.clock.advance(MILLI);
        assert_eq!(node.who(&visitor).await, None, "sliding: {sliding}");
    }
}

#[tokio::test]
async fn ttl_counts_from_creation_and_anew_from_each_login() {
    let policy = SessionPolicy::for_web_users().no_idle_timeout().lasting(second(1_000));
    let node = Node::new(policy.build().unwrap());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", 1)).await.commit.unwrap();
    for _ in 0..3 {
        node.clock.advance(second(900));
        node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
            .await
            .commit
            .unwrap();
    }
    node.clock.advance(just_below(1_000));
    let cart = node.visit(&mut visitor, async |session| session.get::<u8>("cart").unwrap()).await.value;
    assert_eq!(cart, Some(1));
    node.clock.advance(MILLI);
    assert_eq!(node.who(&visitor).await, None);
}

/// Remembered for thirty days, ten of them idle; else half an hour idle, and half a day at most.
fn remembering() -> sessions::SessionPolicyBuilder {
    SessionPolicy::for_web_users()
        .lasting(second(43_200))
        .absolute_timeout(second(43_200))
        .remember(second(30 * 86_400), Some(second(10 * 86_400)))
}

async fn remembered(node: &Node) -> Visitor {
    let mut visitor = Visitor::default();
    let login = async |session: &mut sessions::Session| {
        session.mark_authenticated(user("ada"));
        session.remember(true);
    };
    node.visit(&mut visitor, login).await.commit.unwrap();
    visitor
}

#[tokio::test]
async fn a_remembered_session_idles_and_ends_by_lifetimes_of_its_own() {
    let node = Node::new(remembering().build().unwrap());
    let idle = remembered(&node).await;
    let mut used = remembered(&node).await;
    node.clock.advance(just_below(10 * 86_400));
    assert!(node.who(&idle).await.is_some(), "neither idle nor absolute of others");
    node.visit(&mut used, async |_| {}).await.commit.unwrap();
    node.clock.advance(MILLI);
    assert_eq!(node.who(&idle).await, None);
    for _ in 0..2 {
        node.clock.advance(second(9 * 86_400));
        assert!(node.visit(&mut used, async |session| session.is_authenticated()).await.value);
    }
    node.clock.advance(just_below(2 * 86_400));
    assert!(node.who(&used).await.is_some());
    node.clock.advance(MILLI);
    assert_eq!(node.who(&used).await, None, "thirty days after the login");
}

#[tokio::test]
async fn a_session_that_is_remembered_no_more_ends_as_others_do() {
    // Before a use would be noted, too.
    for after in [59, 3_600] {
        let node = Node::new(remembering().build().unwrap());
        let mut visitor = remembered(&node).await;
        node.clock.advance(second(after));
        node.visit(&mut visitor, async |session| session.remember(false)).await.commit.unwrap();
        node.clock.advance(just_below(1_800));
        assert!(node.who(&visitor).await.is_some(), "{after}");
        node.clock.advance(MILLI);
        assert_eq!(node.who(&visitor).await, None, "{after}");
    }
}

#[tokio::test]
async fn a_use_is_noted_when_it_is_due_to_the_millisecond() {
    let policy = SessionPolicy::for_web_users().idle_timeout(second(1_000)).touching_every(second(100));
    let node = Node::new(policy.build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    let mut writes = async |after: Duration| {
        node.clock.advance(after);
        node.store.take_counts();
        node.visit(&mut visitor, async |_| {}).await.commit.unwrap();
        node.store.take_counts().writes()
    };
    assert_eq!(writes(just_below(100)).await, 0);
    assert_eq!(writes(MILLI).await, 1);
    assert_eq!(writes(just_below(100)).await, 0);
    assert_eq!(writes(MILLI).await, 1);
}

#[tokio::test]
async fn every_lifetime_that_a_policy_shortens_holds_for_living_sessions() {
    let node = Node::new(remembering().no_idle_timeout().build().unwrap());
    let (visitor, long) = (node.logged_in("ada").await, remembered(&node).await);
    let shorter = |policy: sessions::SessionPolicyBuilder| node.twin(policy.build().unwrap());
    let ttl = shorter(remembering().no_idle_timeout().lasting(second(100)));
    let absolute = shorter(remembering().no_idle_timeout().absolute_timeout(second(100)));
    let remember = shorter(remembering().remember(second(86_400), None));
    node.clock.advance(just_below(100));
    assert!(ttl.who(&visitor).await.is_some() && absolute.who(&visitor).await.is_some());
    node.clock.advance(MILLI);
    assert_eq!((ttl.who(&visitor).await, absolute.who(&visitor).await), (None, None));
    assert!(node.who(&visitor).await.is_some(), "the judgement of a node, until it writes");
    assert!(ttl.who(&long).await.is_some(), "a remembered one goes by its own");
    node.clock.advance(second(86_400));
    assert_eq!(remember.who(&long).await, None);
}

#[tokio::test]
async fn a_clock_that_jumps_forth_and_back_ends_what_is_over_and_revives_nothing() {
    let node = Node::new(SessionPolicy::user_default());
    let visitor = node.logged_in("ada").await;
    node.clock.advance(second(86_400));
    assert_eq!(node.who(&visitor).await, None);
    node.clock.step_back(second(86_400));
    assert_eq!(node.who(&visitor).await, None);
    let after = node.logged_in("ada").await;
    assert!(node.who(&after).await.is_some(), "who logs in now is in");
}

#[tokio::test]
async fn a_node_whose_clock_is_behind_takes_no_time_from_a_session() {
    let node = Node::new(SessionPolicy::user_default());
    let ahead = sessions::testing::ManualClock::default();
    ahead.advance(second(300));
    let ahead = Node::on(SessionPolicy::user_default(), node.store.clone(), ahead);
    let mut visitor = node.logged_in("ada").await;
    ahead.visit(&mut visitor, async |session| session.set("ahead", 1)).await.commit.unwrap();
    node.visit(&mut visitor, async |session| session.set("behind", 1)).await.commit.unwrap();
    ahead.clock.advance(just_below(1_800));
    assert!(ahead.who(&visitor).await.is_some(), "idle counts from the later use");
    ahead.clock.advance(MILLI);
    assert_eq!(ahead.who(&visitor).await, None);
}

#[tokio::test]
async fn a_restart_under_a_clock_that_is_behind_gives_no_old_id_and_no_old_login_more_time() {
    let policy = SessionPolicy::for_web_users().rotating_every(second(600), second(30)).build().unwrap();
    let node = Node::new(policy.clone());
    let mut visitor = node.logged_in("ada").await;
    let old = visitor.clone();
    node.clock.advance(second(601));
    for _ in 0..6 {
        assert!(node.visit(&mut visitor, async |session| session.is_authenticated()).await.value);
        node.clock.advance(second(61));
    }
    node.clock.step_back(second(900));
    let node = node.twin(policy);
    let fresh = node.visit(&mut visitor, async |session| session.is_fresh(second(300))).await.value;
    assert!(!fresh, "the login is a quarter of an hour old");
    assert_eq!(node.who(&old).await, None, "the old id was out of use long before");
}
