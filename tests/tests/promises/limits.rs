//! A limit holds under simultaneous logins.

use std::{num::NonZeroU32, time::Duration};

use sessions::{
    BehaviorOnLimit, Fault, PrincipalLimit, SessionEngine, SessionPolicy, SessionPrincipal, SharedStore,
};
use sessions_tests::{Node, Visitor, second, user};

fn policy(most: u32, behavior: BehaviorOnLimit) -> SessionPolicy {
    SessionPolicy::for_web_users().max_concurrent(most, behavior).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_simultaneous_logins_on_two_nodes_leave_exactly_the_limit() {
    for behavior in [BehaviorOnLimit::EvictOldest, BehaviorOnLimit::Reject] {
        let node = Node::new(policy(3, behavior));
        let nodes = [node.clone(), node.twin(policy(3, behavior))];
        node.store.set_slow(true);
        let logins: Vec<_> = (0..50)
            .map(|n| {
                let node = nodes[n % 2].clone();
                tokio::spawn(async move {
                    let mut visitor = Visitor::default();
                    let answer = node
                        .visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
                        .await;
                    (answer.commit.map_err(|error| error.fault()), visitor)
                })
            })
            .collect();
        let mut done = Vec::new();
        for login in logins {
            done.push(login.await.unwrap());
        }
        let (mut live, mut refused) = (0, 0);
        for (result, visitor) in done {
            refused += u32::from(result == Err(Fault::ConcurrencyViolation));
            live += u32::from(node.who(&visitor).await.is_some());
        }
        assert_eq!(live, 3, "{behavior:?}");
        assert_eq!(refused, if behavior == BehaviorOnLimit::Reject { 47 } else { 0 });
    }
}

#[tokio::test]
async fn the_oldest_login_is_evicted_and_never_the_current_one() {
    let node = Node::new(policy(2, BehaviorOnLimit::EvictOldest));
    let mut visitors = Vec::new();
    for _ in 0..4 {
        visitors.push(node.logged_in("ada").await);
        node.clock.advance(second(1));
    }
    let mut live = Vec::new();
    for visitor in &visitors {
        live.push(node.who(visitor).await.is_some());
    }
    assert_eq!(live, [false, false, true, true]);
}

#[tokio::test]
async fn evict_all_leaves_the_new_one_alone() {
    let node = Node::new(policy(2, BehaviorOnLimit::EvictAll));
    let (one, two) = (node.logged_in("ada").await, node.logged_in("ada").await);
    let three = node.logged_in("ada").await;
    assert_eq!((node.who(&one).await, node.who(&two).await), (None, None));
    assert!(node.who(&three).await.is_some());
}

#[tokio::test]
async fn a_refused_login_changes_nothing() {
    let node = Node::new(policy(1, BehaviorOnLimit::Reject));
    let first = node.logged_in("ada").await;
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", "tea")).await.commit.unwrap();
    let before = visitor.clone();
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::ConcurrencyViolation);
    assert_eq!((answer.cookies.len(), &visitor.cookie), (0, &before.cookie));
    let read = node.visit(&mut visitor, async |session| session.get::<String>("cart").unwrap()).await;
    assert_eq!(read.value.as_deref(), Some("tea"), "the visitor goes on as before");
    node.visit(&mut visitor, async |session| session.set("cart", "milk")).await.commit.unwrap();
    assert!(node.who(&first).await.is_some());
}

#[tokio::test]
async fn a_refused_login_on_a_slow_store_leaves_the_visitor_as_it_was() {
    let node = Node::new(policy(1, BehaviorOnLimit::Reject));
    node.logged_in("ada").await;
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", "tea")).await.commit.unwrap();
    // Seal and refusal together take longer than one call of the store may.
    node.store.set_lag(&node.clock, Duration::from_millis(1_200));
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::ConcurrencyViolation);
    let read = node.visit(&mut visitor, async |session| session.get::<String>("cart").unwrap()).await;
    assert_eq!(read.value.as_deref(), Some("tea"), "the seal is gone at once");
}

#[tokio::test]
async fn expired_sessions_do_not_count() {
    let node = Node::new(policy(1, BehaviorOnLimit::Reject));
    node.logged_in("ada").await;
    node.clock.advance(second(31 * 60));
    node.logged_in("ada").await;
}

#[tokio::test]
async fn a_login_in_the_same_session_does_not_count() {
    let node = Node::new(policy(1, BehaviorOnLimit::Reject));
    let mut visitor = node.logged_in("ada").await;
    for _ in 0..3 {
        node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
            .await
            .commit
            .unwrap();
    }
}

#[tokio::test]
async fn kinds_and_policies_have_limits_of_their_own() {
    let node = Node::new(policy(1, BehaviorOnLimit::Reject));
    node.logged_in("7").await;
    let mut service = Visitor::default();
    node.visit(&mut service, async |session| session.mark_authenticated(SessionPrincipal::service("7")))
        .await
        .commit
        .unwrap();
    let other = SessionPolicy::for_web_users().named("other").max_concurrent(1, BehaviorOnLimit::Reject);
    node.twin(other.build().unwrap()).logged_in("7").await;
}

#[tokio::test]
async fn a_logout_makes_room() {
    let node = Node::new(policy(1, BehaviorOnLimit::Reject));
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| {
        session.clear_authentication();
        session.clear_data();
    })
    .await
    .commit
    .unwrap();
    node.logged_in("ada").await;
}

/// The policy allows two, `plan = "family"` three, `plan = "shared"` any number.
fn by_plan(principal: &SessionPrincipal) -> PrincipalLimit {
    match principal.get_attribute("plan").and_then(|plan| plan.as_str()) {
        Some("family") => NonZeroU32::new(3).map_or(PrincipalLimit::OfPolicy, PrincipalLimit::AtMost),
        Some("shared") => PrincipalLimit::Unlimited,
        _ => PrincipalLimit::OfPolicy,
    }
}

fn planned(node: &Node, behavior: BehaviorOnLimit) -> Node {
    let store = SharedStore::new(node.store.clone());
    let engine = SessionEngine::builder(policy(2, behavior)).store(store).clock(node.clock.shared());
    Node { engine: engine.limit(by_plan).build(), ..node.clone() }
}

async fn log_in(node: &Node, principal: SessionPrincipal) -> (Result<(), Fault>, Visitor) {
    let mut visitor = Visitor::default();
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(principal)).await;
    (answer.commit.map_err(|error| error.fault()), visitor)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_logins_leave_what_the_principals_own_limit_says() {
    for behavior in [BehaviorOnLimit::EvictOldest, BehaviorOnLimit::Reject, BehaviorOnLimit::EvictAll] {
        let node = Node::new(policy(2, behavior));
        let nodes = [planned(&node, behavior), planned(&node, behavior)];
        node.store.set_slow(true);
        for (plan, most) in [("none", 2), ("family", 3), ("shared", 30)] {
            let logins: Vec<_> = (0..30)
                .map(|n| {
                    let node = nodes[n % 2].clone();
                    let principal = user(plan).with("plan", plan);
                    tokio::spawn(async move { log_in(&node, principal).await })
                })
                .collect();
            let (mut stored, mut live) = (0, 0);
            for (result, visitor) in
                futures_util::future::join_all(logins).await.into_iter().map(Result::unwrap)
            {
                stored += usize::from(result.is_ok());
                live += usize::from(node.who(&visitor).await.is_some());
            }
            match behavior {
                BehaviorOnLimit::EvictAll if most < 30 => {
                    assert!((1..=most).contains(&live), "{plan}: {live}");
                }
                _ => assert_eq!(live, most, "{plan} {behavior:?}"),
            }
            assert_eq!(stored, if behavior == BehaviorOnLimit::Reject { most } else { 30 }, "{plan}");
            assert_eq!(nodes[0].engine.sessions_of(&user(plan)).await.unwrap().len(), live);
        }
    }
}

#[tokio::test]
async fn a_smaller_plan_holds_from_the_next_login_on() {
    let node = planned(&Node::new(policy(2, BehaviorOnLimit::EvictOldest)), BehaviorOnLimit::EvictOldest);
    for _ in 0..5 {
        log_in(&node, user("ada").with("plan", "shared")).await.0.unwrap();
    }
    assert_eq!(node.engine.sessions_of(&user("ada")).await.unwrap().len(), 5);
    log_in(&node, user("ada")).await.0.unwrap();
    assert_eq!(node.engine.sessions_of(&user("ada")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_limit_that_panics_fails_the_login_and_leaves_the_visitor_as_it_was() {
    let node = Node::new(policy(2, BehaviorOnLimit::EvictOldest));
    let store = SharedStore::new(node.store.clone());
    let engine = SessionEngine::builder(node.engine.policy().clone()).store(store).clock(node.clock.shared());
    let node = Node { engine: engine.limit(|_| panic!("in an application")).build(), ..node };
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", "tea")).await.commit.unwrap();
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::StoreUnavailable);
    let read = node.visit(&mut visitor, async |session| session.get::<String>("cart").unwrap()).await;
    assert_eq!(read.value.as_deref(), Some("tea"));
}
