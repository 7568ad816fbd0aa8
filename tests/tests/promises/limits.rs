//! A limit holds under simultaneous logins.

use std::time::Duration;

use sessions::{BehaviorOnLimit, Fault, SessionPolicy, SessionPrincipal};
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
