//! What a handler did is there afterwards: each way of changing, from each state, also when something comes between.

use std::{collections::BTreeMap, pin::pin, task::Poll};

use http::StatusCode;
use sessions::{Session, SessionPolicy};
use sessions_tests::{Node, Visitor, user};

const KEYS: [&str; 2] = ["a", "b"];

/// What a session holds, as a map is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Data {
    values: BTreeMap<&'static str, u64>,
    flashes: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Set,
    Remove,
    Update,
    Take,
    Flash,
    Flashes,
    Clear,
    Rotate,
    Commit,
}

const CHANGES: [Change; 9] = [
    Change::Set,
    Change::Remove,
    Change::Update,
    Change::Take,
    Change::Flash,
    Change::Flashes,
    Change::Clear,
    Change::Rotate,
    Change::Commit,
];

/// Does the same to both.
async fn change(session: &mut Session, data: &mut Data, change: Change, key: &'static str, value: u64) {
    match change {
        Change::Set => {
            session.set(key, value).unwrap();
            data.values.insert(key, value);
        }
        Change::Remove => {
            session.remove(key).unwrap();
            data.values.remove(key);
        }
        Change::Update => {
            let now = session.update(key, |n: &mut u64| {
                *n += value;
                *n
            });
            let now = now.await.unwrap();
            let due = data.values.entry(key).or_default();
            *due += value;
            assert_eq!(now, *due);
        }
        Change::Take => {
            assert_eq!(session.take::<u64>(key).await.unwrap(), data.values.remove(key));
        }
        Change::Flash => {
            session.flash(value).unwrap();
            data.flashes.push(value);
        }
        Change::Flashes => {
            assert_eq!(session.flashes::<u64>().await.unwrap(), std::mem::take(&mut data.flashes));
        }
        Change::Clear => {
            session.clear_data();
            *data = Data::default();
        }
        Change::Rotate => session.rotate(),
        Change::Commit => session.commit().await.unwrap(),
    }
}

fn values(session: &Session) -> BTreeMap<&'static str, u64> {
    let value = |key| Some((key, session.get::<u64>(key).unwrap()?));
    KEYS.into_iter().filter_map(value).collect()
}

#[tokio::test]
async fn every_change_from_every_state_is_read_and_stored() {
    // Each change after each other one, in one request and in two, with each of the keys.
    let node = Node::new(SessionPolicy::user_default());
    let (mut visitor, mut data, mut value) = (node.logged_in("ada").await, Data::default(), 0);
    for (first, second) in CHANGES.into_iter().flat_map(|first| CHANGES.map(|second| (first, second))) {
        for (requests, key) in [(1, "a"), (2, "a"), (1, "b"), (2, "b")] {
            value += 1;
            for changes in [&[first, second][..2 / requests], &[first, second][2 / requests..]] {
                let answer = node.visit(&mut visitor, async |session| {
                    for step in changes {
                        change(session, &mut data, *step, key, value).await;
                        assert_eq!(values(session), data.values, "read after {first:?}, {second:?}");
                    }
                });
                answer.await.commit.unwrap();
                let stored = node.visit(&mut visitor, async |session| values(session)).await.value;
                assert_eq!(stored, data.values, "stored after {first:?}, {second:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_rotation_that_did_not_reach_the_client_locks_no_one_out() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let rotate = async |session: &mut Session| session.rotate();
    let failed = node.visit_answering(&mut visitor, StatusCode::INTERNAL_SERVER_ERROR, rotate).await;
    failed.commit.unwrap();
    assert!(node.who(&visitor).await.is_some(), "after a server error");
    let mut panicked = node.engine.resolve(&visitor.request()).await.unwrap();
    panicked.rotate();
    drop(panicked);
    assert!(node.who(&visitor).await.is_some(), "after a handler that did not come to its end");
}

#[tokio::test]
async fn a_logout_on_one_node_is_one_on_all() {
    let node = Node::new(SessionPolicy::user_default());
    let twin = node.twin(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let before = visitor.clone();
    assert!(twin.who(&before).await.is_some(), "the other node has seen it alive");
    node.visit(&mut visitor, log_out).await.commit.unwrap();
    assert_eq!((twin.who(&before).await, node.who(&before).await), (None, None));
}

async fn log_out(session: &mut Session) {
    session.clear_authentication();
    session.clear_data();
}

#[tokio::test]
async fn a_logout_stands_over_a_request_whose_client_hung_up() {
    for polls in 0..10 {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor: Visitor = node.logged_in("ada").await;
        let before = visitor.clone();
        node.store.set_slow(true);
        let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
        session.set("late", 1).unwrap();
        let mut response = http::Response::new(());
        {
            let mut commit = pin!(node.engine.commit(&session, &mut response));
            let mut left = polls;
            std::future::poll_fn(|cx| {
                if left == 0 || commit.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                left -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        node.visit(&mut visitor, log_out).await.commit.unwrap();
        node.at_rest().await;
        assert_eq!((node.who(&before).await, node.stored().await), (None, 0), "after {polls} polls");
        assert!(node.engine.sessions_of(&user("ada")).await.unwrap().is_empty(), "after {polls} polls");
    }
}
