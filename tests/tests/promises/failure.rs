//! A store that fails gives an error, never a guess.

use sessions::{EventKind, Fault, SessionPolicy, testing::Operation};
use sessions_tests::{Node, Visitor, second, user};

#[tokio::test]
async fn a_store_that_is_down_is_never_taken_for_absence() {
    let node = Node::new(SessionPolicy::user_default());
    let visitor = node.logged_in("ada").await;
    node.store.set_down(true);
    let error = node.engine.resolve(&visitor.request()).await.unwrap_err();
    assert_eq!((error.fault(), error.status().as_u16()), (Fault::StoreUnavailable, 503));
    assert!(error.retry_after().is_some());
    node.store.set_down(false);
    assert!(node.who(&visitor).await.is_some(), "and nothing was lost");
}

#[tokio::test]
async fn a_failed_commit_is_an_error_without_a_cookie() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    let answer = node
        .visit(&mut visitor, async |session| {
            session.mark_authenticated(user("ada"));
            node.store.set_down(true);
        })
        .await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::StoreUnavailable);
    assert!(answer.cookies.is_empty());
}

#[tokio::test]
async fn a_logout_that_the_store_did_not_take_is_an_error() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.store.fail_next(Operation::End);
    let answer = node
        .visit(&mut visitor, async |session| {
            session.clear_authentication();
            session.clear_data();
        })
        .await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::StoreUnavailable);
    assert!(answer.cookies.is_empty());
    assert!(node.who(&visitor).await.is_some());
}

#[tokio::test]
async fn a_login_whose_visitor_could_not_be_sealed_leaves_no_session_and_takes_nothing_away() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", 1)).await.commit.unwrap();
    node.store.fail_next(Operation::Cas);
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::StoreUnavailable);
    assert!(answer.cookies.is_empty());
    assert!(node.engine.sessions_of(&user("ada")).await.unwrap().is_empty());
    assert!(node.visit(&mut visitor, async |session| session.contains("cart")).await.value);
}

#[tokio::test]
async fn a_login_that_could_not_end_the_session_before_leaves_no_second_one() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", 1)).await.commit.unwrap();
    node.store.fail_next(Operation::End);
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::StoreUnavailable);
    assert!(answer.cookies.is_empty());
    assert!(node.engine.sessions_of(&user("ada")).await.unwrap().is_empty());
    node.clock.advance(second(31));
    let read = node.visit(&mut visitor, async |session| session.contains("cart")).await;
    assert!(read.value, "the seal runs out, and the visitor has lost nothing");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_counts_as_absent_and_is_told() {
    let node = Node::new(SessionPolicy::user_default());
    let (sender, events) = std::sync::mpsc::channel();
    node.engine.on_event(move |event| {
        let _ = sender.send(event.kind);
    });
    let mut visitor = node.logged_in("ada").await;
    node.store.set_corrupt(true);
    let answer = node.visit(&mut visitor, async |session| session.is_authenticated()).await;
    assert!(!answer.value && answer.cookies.is_empty());
    assert!(
        std::iter::from_fn(|| events.recv_timeout(second(1)).ok()).any(|kind| kind == EventKind::Corrupted)
    );
}

#[tokio::test]
async fn a_use_that_could_not_be_noted_does_not_fail_the_request() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(120));
    let answer = node.visit(&mut visitor, async |session| {
        node.store.set_down(true);
        session.is_authenticated()
    });
    let answer = answer.await;
    answer.commit.unwrap();
    assert!(answer.value);
}

#[tokio::test]
async fn a_login_whose_client_hangs_up_is_all_or_nothing() {
    for yields in 0..12 {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = Visitor::default();
        node.visit(&mut visitor, async |session| session.set("cart", 1)).await.commit.unwrap();
        node.store.set_slow(true);
        let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
        session.mark_authenticated(user("ada"));
        let mut response = http::Response::new(());
        {
            let mut commit = std::pin::pin!(node.engine.commit(&session, &mut response));
            let mut left = yields;
            std::future::poll_fn(|cx| {
                if left == 0 || commit.as_mut().poll(cx).is_ready() {
                    return std::task::Poll::Ready(());
                }
                left -= 1;
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
        }
        node.at_rest().await;
        let sessions = node.engine.sessions_of(&user("ada")).await.unwrap().len();
        let still_anonymous = node.visit(&mut visitor, async |session| session.contains("cart")).await.value;
        assert_ne!(sessions == 1, still_anonymous, "after {yields} polls: moved, or not at all");
    }
}

#[tokio::test]
async fn a_login_whose_store_panics_fails_and_leaves_the_visitor_as_it_was() {
    for slow in [false, true] {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = Visitor::default();
        node.visit(&mut visitor, async |session| session.set("cart", 1)).await.commit.unwrap();
        node.store.set_slow(slow);
        node.store.set_panicking(true);
        let login = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
        assert_eq!(login.commit.unwrap_err().fault(), Fault::StoreUnavailable, "slow: {slow}");
        node.store.set_panicking(false);
        let visit = node.visit(&mut visitor, async |session| session.contains("cart")).await;
        assert!(visit.value, "slow: {slow}");
    }
}
