//! Logout against everything that is under way: it is never undone.

use sessions::{Fault, SessionPolicy};

use crate::world::{Node, OVER_AN_HOUR, Visitor, all, at_once, explore, hourly, user};

/// Nobody is logged in, by whichever cookie, and the index says the same.
async fn assert_out(node: &Node, cookies: &[Visitor]) {
    for cookie in cookies {
        assert!(!node.knows(cookie).await);
    }
    assert_eq!(node.listed("ada").await, 0);
}

#[test]
fn a_logout_survives_writers() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        let tasks = (0..3).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let fault = match number {
                    0 => node.log_out(&mut visitor).await,
                    1 => node.visit(&mut visitor, async |session| session.set("k", 1)).await.1,
                    _ => {
                        let count = async |session: &mut sessions::Session| {
                            session.update("n", |n: &mut u64| *n += 1).await.err().map(|error| error.fault())
                        };
                        let (fault, at_the_end) = node.visit(&mut visitor, count).await;
                        fault.or(at_the_end)
                    }
                };
                assert!(matches!(fault, None | Some(Fault::Gone)), "{fault:?}");
                visitor
            })
        });
        let mut cookies = all(tasks.collect()).await;
        cookies.push(visitor);
        assert_out(&node, &cookies).await;
    });
}

#[test]
fn a_logout_survives_a_rotation_that_is_due() {
    explore(2_000, || async {
        let node = Node::new(hourly());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        node.clock.advance(OVER_AN_HOUR);
        let tasks = (0..3).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                if number == 0 {
                    assert_eq!(node.log_out(&mut visitor).await, None);
                } else {
                    let ((), fault) = node.visit(&mut visitor, async |_| ()).await;
                    assert_eq!(fault, None, "a request that only reads is not refused");
                }
                visitor
            })
        });
        let mut cookies = all(tasks.collect()).await;
        cookies.push(visitor);
        assert_out(&node, &cookies).await;
    });
}

#[test]
fn a_logout_survives_a_rotation_of_privilege_or_comes_too_late_for_it() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        let (mut leaves, mut stays) = (visitor.clone(), visitor.clone());
        let logout = at_once({
            let node = node.clone();
            async move {
                let fault = node.log_out(&mut leaves).await;
                (fault, leaves)
            }
        });
        let rotation = at_once(async move {
            let fault = twin.visit(&mut stays, async |session| session.rotate()).await.1;
            (fault, stays)
        });
        let ((logout, left), (rotation, rotated)) = (logout.await.unwrap(), rotation.await.unwrap());
        assert!(matches!(logout, None | Some(Fault::Gone)), "{logout:?}");
        assert!(matches!(rotation, None | Some(Fault::Gone)), "{rotation:?}");
        assert!(!node.knows(&visitor).await, "the id before works for no one");
        // A logout ends what it knew. Where it met an id that was superseded before, it ended nothing.
        let lives = node.knows(&rotated).await;
        assert_eq!(node.listed("ada").await, usize::from(lives));
        assert!(!lives || rotation.is_none());
        assert!(!node.knows(&left).await);
    });
}

#[test]
fn revoking_all_survives_whatever_is_under_way() {
    explore(2_000, || async {
        let node = Node::new(hourly());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        node.clock.advance(OVER_AN_HOUR);
        let tasks = (0..3).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                match number {
                    0 => drop(node.engine.revoke_all(&user("ada")).await.unwrap()),
                    1 => drop(node.visit(&mut visitor, async |session| session.set("k", 1)).await),
                    _ => drop(node.visit(&mut visitor, async |session| session.rotate()).await),
                }
                visitor
            })
        });
        let mut cookies = all(tasks.collect()).await;
        cookies.push(visitor);
        assert_out(&node, &cookies).await;
    });
}
