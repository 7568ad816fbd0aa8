//! Writers of one session: nothing is lost, everyone gets its own answer, and no one waits for ever.

use sessions::{SessionPolicy, SessionStore};

use crate::world::{Node, Visitor, all, at_once, explore, user};

#[test]
fn each_update_counts_once_and_gets_its_own_answer() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        let tasks = (0..4).map(|number| {
            let (node, visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let session = node.engine.resolve(&visitor.request()).await.unwrap();
                let count = |n: &mut u64| {
                    *n += 1;
                    *n
                };
                [session.update("n", count).await.unwrap(), session.update("n", count).await.unwrap()]
            })
        });
        let mut answers = all(tasks.collect()).await.concat();
        answers.sort_unstable();
        assert!(answers.into_iter().eq(1..=8));
        assert_eq!(node.value(&visitor, "n").await, Some(8));
    });
}

#[test]
fn requests_that_set_different_keys_all_win() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let visitor = node.logged_in("ada").await;
        let tasks = (0..4).map(|number| {
            let (node, mut visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let set = async |session: &mut sessions::Session| session.set(&format!("k{number}"), number);
                node.visit(&mut visitor, set).await.1
            })
        });
        assert_eq!(all(tasks.collect()).await, [None; 4]);
        for number in 0..4 {
            assert_eq!(node.value(&visitor, &format!("k{number}")).await, Some(number));
        }
    });
}

#[test]
fn one_request_at_a_time_loses_nothing_to_a_plain_set() {
    explore(2_000, || async {
        let policy = SessionPolicy::for_web_users().set("on_conflict", "serial").build().unwrap();
        let node = Node::new(policy);
        let visitor = node.logged_in("ada").await;
        let tasks = (0..3).map(|_| {
            let (node, mut visitor) = (node.clone(), visitor.clone());
            at_once(async move {
                let count = async |session: &mut sessions::Session| {
                    let n: u64 = session.get("n").unwrap().unwrap_or(0);
                    session.set("n", n + 1).unwrap();
                };
                assert_eq!(node.visit(&mut visitor, count).await.1, None);
            })
        });
        all(tasks.collect()).await;
        assert_eq!(node.value(&visitor, "n").await, Some(3));
    });
}

#[test]
fn what_is_taken_is_taken_once() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let twin = node.twin();
        let mut visitor = node.logged_in("ada").await;
        node.visit(&mut visitor, async |session| session.set("once", 7)).await.0.unwrap();
        let tasks = (0..3).map(|number| {
            let (node, visitor) = (node.either(&twin, number), visitor.clone());
            at_once(async move {
                let session = node.engine.resolve(&visitor.request()).await.unwrap();
                session.take::<u64>("once").await.unwrap()
            })
        });
        let taken: Vec<_> = all(tasks.collect()).await.into_iter().flatten().collect();
        assert_eq!(taken, [7]);
    });
}

#[test]
fn extractors_of_one_request_lose_nothing_to_each_other() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = node.logged_in("ada").await;
        let session = node.engine.resolve(&visitor.request()).await.unwrap();
        let mut tasks: Vec<_> = (0..2)
            .map(|_| {
                let session = session.untyped();
                at_once(async move { session.update("n", |n: &mut u64| *n += 1).await.unwrap() })
            })
            .collect();
        let mut other = session.untyped();
        tasks.push(at_once(async move { other.set("k", 1).unwrap() }));
        all(tasks).await;
        assert_eq!(session.get::<u64>("n").unwrap(), Some(2), "as the handler sees it");
        assert_eq!(node.finish(&session, &mut visitor).await, None);
        assert_eq!((node.value(&visitor, "n").await, node.value(&visitor, "k").await), (Some(2), Some(1)));
    });
}

#[test]
fn a_writer_that_gives_up_holds_no_one_up() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let visitor = node.logged_in("ada").await;
        let update = |node: &Node| {
            let (node, visitor) = (node.clone(), visitor.clone());
            at_once(async move {
                let session = node.engine.resolve(&visitor.request()).await.unwrap();
                session.update("n", |n: &mut u64| *n += 1).await.unwrap();
            })
        };
        let (gives_up, stay) = (update(&node), (0..3).map(|_| update(&node)).collect());
        let stops = at_once(async move { gives_up.abort() });
        all(stay).await;
        stops.await.unwrap();
        let n = node.value(&visitor, "n").await.unwrap();
        assert!((3..=4).contains(&n), "{n} of three that stayed and one that gave up");
    });
}

#[test]
fn an_update_beside_a_change_of_privilege_keeps_the_new_id() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = node.logged_in("ada").await;
        let session = node.engine.resolve(&visitor.request()).await.unwrap();
        let update = at_once({
            let session = session.untyped();
            async move { session.update("n", |n: &mut u64| *n += 1).await.is_ok() }
        });
        let rotation = at_once({
            let mut session = session.untyped();
            async move {
                session.rotate();
                session.commit().await.is_ok()
            }
        });
        let (counted, rotated) = (update.await.unwrap(), rotation.await.unwrap());
        let fault = node.finish(&session, &mut visitor).await;
        assert!(node.knows(&visitor).await, "counted: {counted}, rotated: {rotated}, at the end: {fault:?}");
        assert_eq!(node.value(&visitor, "n").await.is_some(), counted);
    });
}

#[test]
fn early_commits_of_a_new_session_lose_nothing_to_each_other() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = Visitor::default();
        let session = node.engine.resolve(&visitor.request()).await.unwrap();
        let tasks = (0..2).map(|number| {
            let mut session = session.untyped();
            at_once(async move {
                session.set(&format!("k{number}"), number).unwrap();
                session.commit().await.unwrap();
            })
        });
        all(tasks.collect()).await;
        assert_eq!(node.finish(&session, &mut visitor).await, None);
        assert_eq!((node.value(&visitor, "k0").await, node.value(&visitor, "k1").await), (Some(0), Some(1)));
        assert_eq!(node.store.stats().await.unwrap().sessions, 1);
    });
}

#[test]
fn an_early_login_beside_another_early_commit_carries_everything() {
    explore(2_000, || async {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = Visitor::default();
        let session = node.engine.resolve(&visitor.request()).await.unwrap();
        let tasks = (0..2).map(|number| {
            let mut session = session.untyped();
            at_once(async move {
                session.set(&format!("k{number}"), number).unwrap();
                if number == 0 {
                    session.mark_authenticated(user("ada"));
                }
                session.commit().await.unwrap();
            })
        });
        all(tasks.collect()).await;
        assert_eq!(node.finish(&session, &mut visitor).await, None);
        assert!(node.knows(&visitor).await);
        assert_eq!((node.value(&visitor, "k0").await, node.value(&visitor, "k1").await), (Some(0), Some(1)));
        assert_eq!(node.store.stats().await.unwrap().sessions, 1);
    });
}
