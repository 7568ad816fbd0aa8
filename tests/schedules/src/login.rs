//! Logins that meet each other, the limit, writers and revocations.

use std::{cell::Cell, rc::Rc};

use sessions::{BehaviorOnLimit, Fault, Session, SessionPolicy};

use crate::world::{Node, Visitor, all, at_once, explore, user};

fn at_most(max: u32, behavior: BehaviorOnLimit) -> SessionPolicy {
    SessionPolicy::for_web_users().max_concurrent(max, behavior).build().unwrap()
}

/// Three logins at a limit of two, and someone who looks all the time.
async fn simultaneous_logins(behavior: BehaviorOnLimit) {
    let node = Node::new(at_most(2, behavior));
    let twin = node.twin();
    let tasks = (0..3).map(|number| {
        let node = node.either(&twin, number);
        at_once(async move {
            let mut visitor = Visitor::default();
            let fault = node.log_in(&mut visitor, "ada").await;
            (fault, visitor)
        })
    });
    let tasks = tasks.collect();
    let looks = at_once({
        let node = node.clone();
        async move {
            for _ in 0..4 {
                assert!(node.listed("ada").await <= 2, "the limit is exceeded");
            }
        }
    });
    let (mut live, mut refused) = (0, 0);
    for (fault, visitor) in all(tasks).await {
        live += usize::from(node.knows(&visitor).await);
        refused += usize::from(fault == Some(Fault::ConcurrencyViolation));
        assert!(matches!(fault, None | Some(Fault::ConcurrencyViolation)), "{fault:?}");
    }
    looks.await.unwrap();
    assert_eq!(live, node.listed("ada").await, "the index names what lives");
    match behavior {
        BehaviorOnLimit::Reject => assert_eq!((live, refused), (2, 1)),
        BehaviorOnLimit::EvictOldest => assert_eq!((live, refused), (2, 0)),
        _ => assert_eq!((live, refused), (1, 0)),
    }
}

#[test]
fn simultaneous_logins_are_refused_beyond_the_limit() {
    explore(1_000, || simultaneous_logins(BehaviorOnLimit::Reject));
}

#[test]
fn simultaneous_logins_evict_the_oldest_beyond_the_limit() {
    explore(1_000, || simultaneous_logins(BehaviorOnLimit::EvictOldest));
}

#[test]
fn simultaneous_logins_evict_all_beyond_the_limit() {
    explore(1_000, || simultaneous_logins(BehaviorOnLimit::EvictAll));
}

#[test]
fn a_login_and_a_logout_at_the_limit_keep_it() {
    explore(2_000, || async {
        let node = Node::new(at_most(1, BehaviorOnLimit::Reject));
        let twin = node.twin();
        let first = node.logged_in("ada").await;
        let leaves = at_once({
            let (node, mut first) = (node.clone(), first.clone());
            async move { node.log_out(&mut first).await }
        });
        let arrives = at_once(async move {
            let mut visitor = Visitor::default();
            let fault = twin.log_in(&mut visitor, "ada").await;
            (fault, visitor)
        });
        assert_eq!(leaves.await.unwrap(), None);
        let (fault, second) = arrives.await.unwrap();
        assert!(matches!(fault, None | Some(Fault::ConcurrencyViolation)), "{fault:?}");
        assert!(!node.knows(&first).await);
        assert_eq!(node.knows(&second).await, fault.is_none());
        assert_eq!(node.listed("ada").await, usize::from(fault.is_none()));
    });
}

#[test]
fn a_login_carries_over_every_write_that_was_acknowledged() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let mut visitor = Visitor::default();
        node.visit(&mut visitor, async |session| session.set("cart", 1)).await.0.unwrap();
        let login = at_once({
            let (node, mut visitor) = (node.clone(), visitor.clone());
            async move {
                assert_eq!(node.log_in(&mut visitor, "ada").await, None);
                visitor
            }
        });
        let writers = (0..3).map(|number| {
            let (node, visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let session = node.engine.resolve(&visitor.request()).await.unwrap();
                // A request that came after the login sees no session, and what it records goes nowhere.
                let here = session.contains("cart");
                let written = session.update("n", |n: &mut u64| *n += 1).await;
                assert!(written.is_ok() || written.is_err_and(|error| error.fault() == Fault::Gone) || !here);
                here && session.get::<u64>("n").unwrap().is_some()
            })
        });
        let acknowledged = all(writers.collect()).await.into_iter().filter(|written| *written).count();
        let new = login.await.unwrap();
        assert_eq!(node.value(&new, "cart").await, Some(1));
        assert_eq!(node.value(&new, "n").await.unwrap_or(0), acknowledged as u64);
        assert_eq!(node.value(&visitor, "cart").await, None, "the visitor's id opens nothing any more");
        assert_eq!(node.listed("ada").await, 1);
    });
}

#[test]
fn a_login_submitted_twice_carries_the_cart_to_one() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let mut visitor = Visitor::default();
        node.visit(&mut visitor, async |session| session.set("cart", 1)).await.0.unwrap();
        let tasks = (0..2).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                assert_eq!(node.log_in(&mut visitor, "ada").await, None);
                visitor
            })
        });
        let mut carts = 0;
        for cookie in all(tasks.collect()).await {
            assert!(node.knows(&cookie).await);
            carts += node.value(&cookie, "cart").await.unwrap_or(0);
        }
        assert_eq!((carts, node.listed("ada").await), (1, 2));
        assert_eq!(node.value(&visitor, "cart").await, None);
    });
}

#[test]
fn a_refused_login_gives_the_session_back_to_its_writers() {
    explore(2_000, || async {
        let node = Node::new(at_most(1, BehaviorOnLimit::Reject));
        let twin = node.twin();
        node.logged_in("ada").await;
        let mut visitor = Visitor::default();
        node.visit(&mut visitor, async |session| session.set("cart", 1)).await.0.unwrap();
        let login = at_once({
            let (node, mut visitor) = (node.clone(), visitor.clone());
            async move { node.log_in(&mut visitor, "ada").await }
        });
        let writer = at_once({
            let mut visitor = visitor.clone();
            async move { twin.visit(&mut visitor, async |session| session.set("k", 1)).await.1 }
        });
        assert_eq!(login.await.unwrap(), Some(Fault::ConcurrencyViolation));
        let written = writer.await.unwrap();
        assert!(matches!(written, None | Some(Fault::Gone)), "{written:?}");
        assert_eq!(node.value(&visitor, "cart").await, Some(1), "the seal is taken back");
        assert_eq!(node.value(&visitor, "k").await.is_some(), written.is_none());
        assert_eq!(node.listed("ada").await, 1);
    });
}

#[test]
fn a_login_that_began_before_a_revocation_of_all_dies() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let turn = Rc::new(Cell::new(0));
        let next = |turn: &Cell<u32>| turn.replace(turn.get() + 1);
        let login = at_once({
            let (node, turn) = (node.clone(), Rc::clone(&turn));
            async move {
                let mut visitor = Visitor::default();
                let began = async |session: &mut Session| {
                    session.mark_authenticated(user("ada"));
                    next(&turn)
                };
                let (began, fault) = node.visit(&mut visitor, began).await;
                (began, fault, visitor)
            }
        });
        let revoked = at_once(async move {
            let began = next(&turn);
            twin.engine.revoke_all(&user("ada")).await.unwrap();
            began
        });
        let ((began, fault, visitor), revoked) = (login.await.unwrap(), revoked.await.unwrap());
        let lives = node.knows(&visitor).await;
        assert!(!(began < revoked && lives), "the login began before the revocation");
        assert!(matches!(fault, None | Some(Fault::Gone)), "{fault:?}");
        assert_eq!(node.listed("ada").await, usize::from(lives));
    });
}

#[test]
fn a_change_of_principal_leaves_one_session_however_it_meets_a_logout() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let mut visitor = node.logged_in("ada").await;
        node.visit(&mut visitor, async |session| session.set("secret", 1)).await.0.unwrap();
        let change = at_once({
            let (node, mut visitor) = (node.clone(), visitor.clone());
            async move {
                let fault = node.log_in(&mut visitor, "eve").await;
                (fault, visitor)
            }
        });
        let logout = at_once({
            let mut visitor = visitor.clone();
            async move { twin.log_out(&mut visitor).await }
        });
        let ((fault, eve), logout) = (change.await.unwrap(), logout.await.unwrap());
        assert!(matches!(logout, None | Some(Fault::Gone)), "{logout:?}");
        assert_eq!(fault, None, "a login that finds its visitor's session ended is one all the same");
        assert!(node.knows(&eve).await && !node.knows(&visitor).await);
        assert_eq!(node.value(&eve, "secret").await, None, "another principal's data is never seen");
        assert_eq!((node.listed("ada").await, node.listed("eve").await), (0, 1));
    });
}
