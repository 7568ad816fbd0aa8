//! A change of id under parallel requests: one successor, no one refused within the grace, no grace where privilege
//! changed.

use std::{cell::Cell, collections::BTreeSet, rc::Rc};

use sessions::{Fault, Session, SessionPolicy};

use crate::world::{Node, OVER_AN_HOUR, all, at_once, explore, hourly, user};

#[test]
fn parallel_requests_converge_on_one_successor_and_lose_nothing() {
    explore(2_000, || async {
        let node = Node::new(hourly());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        node.clock.advance(OVER_AN_HOUR);
        let tasks = (0..4).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let handler = async |session: &mut Session| {
                    if number < 2 {
                        session.set(&format!("k{number}"), number).unwrap();
                    }
                    session.is_authenticated()
                };
                assert_eq!(node.visit(&mut visitor, handler).await, (true, None));
                visitor
            })
        });
        let successors: BTreeSet<_> = all(tasks.collect()).await.into_iter().collect();
        assert_eq!(successors.len(), 1, "each response carries the one successor");
        let successor = successors.into_iter().next().unwrap();
        assert_ne!(successor, visitor);
        assert_eq!(node.value(&successor, "k0").await, Some(0));
        assert_eq!(node.value(&successor, "k1").await, Some(1));
    });
}

#[test]
fn a_successor_in_use_shuts_no_one_out_within_the_grace() {
    explore(2_000, || async {
        let node = Node::new(hourly());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        node.clock.advance(OVER_AN_HOUR);
        let tasks = (0..3).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                for _ in 0..2 {
                    let read = node.visit(&mut visitor, async |session| session.is_authenticated()).await;
                    assert_eq!(read, (true, None));
                }
                visitor
            })
        });
        let successors: BTreeSet<_> = all(tasks.collect()).await.into_iter().collect();
        assert_eq!(successors.len(), 1);
        assert!(node.knows(&visitor).await, "the grace is not over");
    });
}

#[test]
fn a_lost_response_that_many_repeat_leaves_one_successor() {
    explore(2_000, || async {
        let node = Node::new(hourly());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        node.clock.advance(OVER_AN_HOUR);
        node.visit(&mut visitor.clone(), async |_| ()).await;
        node.clock.advance(OVER_AN_HOUR);
        let tasks = (0..3).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let read = node.visit(&mut visitor, async |session| session.is_authenticated()).await;
                assert_eq!(read, (true, None));
                visitor
            })
        });
        let successors: BTreeSet<_> = all(tasks.collect()).await.into_iter().collect();
        assert_eq!(successors.len(), 1);
        assert!(node.knows(successors.first().unwrap()).await);
    });
}

#[test]
fn two_changes_of_privilege_leave_one_id() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        let tasks = (0..2).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let step_up = async |session: &mut Session| match number {
                    0 => session.rotate(),
                    _ => session.mark_authenticated(user("ada").role("admin")),
                };
                let fault = node.visit(&mut visitor, step_up).await.1;
                (fault, visitor)
            })
        });
        let mut works = 0;
        for (fault, cookie) in all(tasks.collect()).await {
            assert!(matches!(fault, None | Some(Fault::Gone)), "{fault:?}");
            works += usize::from(node.knows(&cookie).await);
        }
        // Who came after the rotation was an anonymous visitor, and logged in anew.
        assert_eq!(works, node.listed("ada").await);
        assert!((1..=2).contains(&works));
        assert!(!node.knows(&visitor).await);
    });
}

#[test]
fn at_no_instant_do_both_ids_work_after_a_change_of_privilege() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let old = node.logged_in("ada").await;
        let done = Rc::new(Cell::new(false));
        let rotates = at_once({
            let (node, mut visitor, done) = (node.clone(), old.clone(), Rc::clone(&done));
            async move {
                assert_eq!(node.visit(&mut visitor, async |session| session.rotate()).await.1, None);
                done.set(true);
                visitor
            }
        });
        let write = at_once({
            let (node, mut visitor, done) = (node.clone(), old.clone(), Rc::clone(&done));
            async move {
                let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
                let found = session.is_authenticated();
                session.set("k", 1).unwrap();
                let too_late = found && done.get();
                let fault = node.finish(&session, &mut visitor).await;
                assert!(!(too_late && fault.is_none()), "a request in flight outlives the old id");
                (fault, visitor)
            }
        });
        let looks = at_once({
            let old = old.clone();
            async move {
                for _ in 0..4 {
                    let before = done.get();
                    let works = twin.knows(&old).await;
                    assert!(!(before && works), "the old id works after the change was told");
                }
            }
        });
        let new = rotates.await.unwrap();
        let (fault, writer) = write.await.unwrap();
        looks.await.unwrap();
        assert_eq!(node.value(&new, "k").await.is_some(), fault.is_none() && writer == old);
        assert!(node.knows(&new).await && !node.knows(&old).await);
    });
}
