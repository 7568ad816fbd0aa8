//! No update is lost, whatever runs at the same time.

use std::collections::BTreeSet;

use sessions::{EventKind, Fault, SessionPolicy};
use sessions_tests::{Node, Visitor, second};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_updates_make_a_thousand_each_with_its_own_answer() {
    let node = Node::patient(SessionPolicy::user_default());
    let nodes = [node.clone(), node.twin(SessionPolicy::user_default())];
    let visitor = node.logged_in("ada").await;
    for slow in [false, true] {
        node.store.set_slow(slow);
        let requests: Vec<_> = (0..1_000)
            .map(|n| {
                let (node, mut visitor) = (nodes[n % 2].clone(), visitor.clone());
                tokio::spawn(async move {
                    let answer = node
                        .visit(&mut visitor, async |session| {
                            session
                                .update("n", |n: &mut u64| {
                                    *n += 1;
                                    *n
                                })
                                .await
                                .unwrap()
                        })
                        .await;
                    answer.commit.unwrap();
                    answer.value
                })
            })
            .collect();
        let mut answers = BTreeSet::new();
        for request in requests {
            answers.insert(request.await.unwrap());
        }
        assert_eq!(answers.len(), 1_000, "each answer once");
        let most = answers.last().copied().unwrap();
        assert_eq!(most, if slow { 2_000 } else { 1_000 });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_set_different_keys_all_win() {
    let node = Node::new(SessionPolicy::user_default());
    let nodes = [node.clone(), node.twin(SessionPolicy::user_default())];
    let mut visitor = node.logged_in("ada").await;
    node.store.set_slow(true);
    let requests: Vec<_> = (0..100)
        .map(|n| {
            let (node, mut visitor) = (nodes[n % 2].clone(), visitor.clone());
            tokio::spawn(async move {
                node.visit(&mut visitor, async |session| session.set(&format!("k{n}"), n))
                    .await
                    .commit
                    .unwrap();
            })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    let read = node.visit(&mut visitor, async |session| session.keys().len()).await;
    assert_eq!(read.value, 100);
}

/// Two requests that both read, then both write.
async fn overlap(node: &Node, visitor: &Visitor) -> (Result<(), Fault>, Result<(), Fault>) {
    let mut one = node.engine.resolve(&visitor.request()).await.unwrap();
    let mut two = node.engine.resolve(&visitor.request()).await.unwrap();
    one.set("key", "one").unwrap();
    two.set("key", "two").unwrap();
    let mut response = http::Response::new(());
    let one = node.engine.commit(&one, &mut response).await.map_err(|error| error.fault());
    let two = node.engine.commit(&two, &mut response).await.map_err(|error| error.fault());
    (one, two)
}

#[tokio::test]
async fn the_last_write_of_one_key_wins_and_an_event_says_so() {
    let node = Node::new(SessionPolicy::user_default());
    let (sender, events) = std::sync::mpsc::channel();
    node.engine.on_event(move |event| {
        let _ = sender.send(event.kind);
    });
    let mut visitor = node.logged_in("ada").await;
    assert_eq!(overlap(&node, &visitor).await, (Ok(()), Ok(())));
    let read = node.visit(&mut visitor, async |session| session.get::<String>("key").unwrap()).await;
    assert_eq!(read.value.as_deref(), Some("two"));
    assert!(
        std::iter::from_fn(|| events.recv_timeout(second(1)).ok()).any(|kind| kind == EventKind::Overwritten)
    );
}

#[tokio::test]
async fn the_last_write_of_one_key_is_refused_where_the_policy_says_so() {
    let node = Node::new(SessionPolicy::for_web_users().set("on_conflict", "reject").build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    assert_eq!(overlap(&node, &visitor).await, (Ok(()), Err(Fault::Conflict)));
    let read = node.visit(&mut visitor, async |session| session.get::<String>("key").unwrap()).await;
    assert_eq!(read.value.as_deref(), Some("one"));
}

#[tokio::test]
async fn an_update_writes_what_was_recorded_before_it() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.store.take_counts();
    node.visit(&mut visitor, async |session| {
        session.set("before", 1).unwrap();
        session.update("n", |n: &mut u8| *n += 1).await.unwrap();
    })
    .await
    .commit
    .unwrap();
    assert_eq!(node.store.take_counts().writes(), 1, "one step, and nothing left for the commit");
    let read = node.visit(&mut visitor, async |session| session.keys()).await;
    assert_eq!(read.value, ["before", "n"]);
}

#[tokio::test]
async fn an_update_on_a_session_that_no_one_knows_sends_nothing_before_the_commit() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    let answer = node
        .visit(&mut visitor, async |session| {
            session.update("n", |n: &mut u8| *n += 1).await.unwrap();
            session.update("n", |n: &mut u8| *n += 1).await.unwrap();
            node.store.take_counts().writes()
        })
        .await;
    assert_eq!(answer.value, 0);
    let read = node.visit(&mut visitor, async |session| session.get::<u8>("n").unwrap()).await;
    assert_eq!(read.value, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_outlasts_another_process_that_writes_without_a_pause() {
    let here = Node::patient(SessionPolicy::user_default());
    let there = here.twin(SessionPolicy::user_default());
    let mut ada = here.logged_in("ada").await;
    let (mut rival, mut rivals_turns) = (ada.clone(), 100);
    let answer = here
        .visit(&mut ada, async |session| {
            let one_more = |n: &mut u32| {
                *n += 1;
                if rivals_turns > 0 {
                    rivals_turns -= 1;
                    let write = there.visit(&mut rival, async |session| session.set("rival", rivals_turns));
                    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(write))
                        .commit
                        .unwrap();
                }
                *n
            };
            session.update("n", one_more).await.unwrap()
        })
        .await;
    assert_eq!((answer.value, rivals_turns), (1, 0));
}

#[tokio::test]
async fn of_all_that_take_a_value_one_gets_it() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| {
        session.set("ticket", 7).unwrap();
        session.flash("saved").unwrap();
        session.flash("twice").unwrap();
    })
    .await
    .commit
    .unwrap();
    node.store.set_slow(true);
    let takers: Vec<_> = (0..20)
        .map(|_| {
            let (node, mut visitor) = (node.clone(), visitor.clone());
            tokio::spawn(async move {
                node.visit(&mut visitor, async |session| {
                    (session.take::<u8>("ticket").await.unwrap(), session.flashes::<String>().await.unwrap())
                })
                .await
                .value
            })
        })
        .collect();
    let (mut tickets, mut messages) = (Vec::new(), Vec::new());
    for taker in takers {
        let (ticket, flashes) = taker.await.unwrap();
        tickets.extend(ticket);
        messages.extend(flashes);
    }
    assert_eq!((tickets, messages), (vec![7], vec!["saved".to_owned(), "twice".to_owned()]));
}

#[tokio::test]
async fn an_unreadable_value_is_that_keys_error_alone() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| {
        session.set("text", "abc").unwrap();
        session.set("number", 1).unwrap();
    })
    .await
    .commit
    .unwrap();
    node.visit(&mut visitor, async |session| {
        assert_eq!(session.get::<u8>("text").unwrap_err().fault(), Fault::StoreCorrupted);
        assert_eq!(
            session.update("text", |n: &mut u8| *n += 1).await.unwrap_err().fault(),
            Fault::StoreCorrupted
        );
        assert_eq!(session.get::<u8>("number").unwrap(), Some(1));
    })
    .await
    .commit
    .unwrap();
}

#[tokio::test]
async fn a_failed_update_keeps_what_was_recorded_for_the_commit() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let answer = node
        .visit(&mut visitor, async |session| {
            session.set("kept", 1).unwrap();
            node.store.set_down(true);
            let error = session.update("n", |n: &mut u8| *n += 1).await.unwrap_err();
            node.store.set_down(false);
            error.fault()
        })
        .await;
    assert_eq!(answer.value, Fault::StoreUnavailable);
    answer.commit.unwrap();
    let read = node.visit(&mut visitor, async |session| session.keys()).await;
    assert_eq!(read.value, ["kept"]);
}

#[tokio::test]
async fn updates_of_one_request_on_several_threads_all_count() {
    let node = Node::new(SessionPolicy::user_default());
    let session = node.engine.resolve(&Visitor::default().request()).await.unwrap();
    let other = session.untyped();
    let elsewhere = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(other.update("n", |n: &mut u64| *n += 1)).unwrap();
    };
    let mut meets = true;
    let n = session
        .update("n", |n: &mut u64| {
            if std::mem::take(&mut meets) {
                std::thread::scope(|threads| threads.spawn(elsewhere).join().unwrap());
            }
            *n += 1;
            *n
        })
        .await
        .unwrap();
    assert_eq!((n, session.get::<u64>("n").unwrap()), (2, Some(2)));
}

#[tokio::test]
async fn an_update_sees_what_an_early_commit_is_writing() {
    let node = Node::new(SessionPolicy::user_default());
    node.store.set_slow(true);
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| {
        session.set("n", 5).unwrap();
        let (committed, updated) = tokio::join!(
            session.commit(),
            session.update("n", |n: &mut u64| {
                *n += 1;
                *n
            })
        );
        committed.unwrap();
        assert_eq!(updated.unwrap(), 6);
    })
    .await
    .commit
    .unwrap();
    let read = node.visit(&mut visitor, async |session| session.get::<u64>("n").unwrap()).await;
    assert_eq!(read.value, Some(6));
}
