//! The dead stay dead: an ending beats every request that is under way.

use sessions::{Fault, Session, SessionPolicy};
use sessions_tests::{Node, Visitor, second, user};

async fn log_out(node: &Node, visitor: &mut Visitor) {
    node.visit(visitor, async |session| {
        session.clear_authentication();
        session.clear_data();
    })
    .await
    .commit
    .unwrap();
}

/// Commits a request that began before, and tells what came of it and how many cookies it sent.
async fn finish(node: &Node, session: &Session) -> (Option<Fault>, usize) {
    let mut response = http::Response::new(());
    let result = node.engine.commit(session, &mut response).await;
    (result.err().map(|error| error.fault()), response.headers().get_all("set-cookie").iter().count())
}

#[tokio::test]
async fn a_logout_survives_a_slow_request() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let before = visitor.clone();
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    slow.set("late", 1).unwrap();
    log_out(&node, &mut visitor).await;
    assert_eq!(finish(&node, &slow).await, (Some(Fault::Gone), 0));
    assert_eq!((node.who(&before).await, node.stored().await), (None, 0));
}

#[tokio::test]
async fn every_way_of_writing_meets_an_ended_session() {
    type Write = fn(&mut Session);
    let ways: [Write; 4] = [
        |session| session.rotate(),
        |session| session.mark_authenticated(user("ada")),
        |session| session.clear_data(),
        |session| session.flash("hello").unwrap(),
    ];
    for (number, write) in ways.into_iter().enumerate() {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = node.logged_in("ada").await;
        let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
        write(&mut slow);
        log_out(&node, &mut visitor).await;
        assert_eq!(finish(&node, &slow).await, (Some(Fault::Gone), 0), "way {number}");
        assert_eq!(node.stored().await, 0, "way {number}");
    }
}

#[tokio::test]
async fn an_update_in_flight_meets_an_ended_session() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let slow = node.engine.resolve(&visitor.request()).await.unwrap();
    log_out(&node, &mut visitor).await;
    assert_eq!(slow.update("n", |n: &mut u8| *n += 1).await.unwrap_err().fault(), Fault::Gone);
    assert_eq!(node.stored().await, 0);
}

#[tokio::test]
async fn a_use_that_is_noted_late_revives_nothing() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(120));
    let slow = node.engine.resolve(&visitor.request()).await.unwrap();
    log_out(&node, &mut visitor).await;
    assert_eq!(finish(&node, &slow).await, (None, 0));
    assert_eq!(node.stored().await, 0);
}

#[tokio::test]
async fn a_second_logout_sends_no_cookie_and_is_no_error() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    slow.clear_authentication();
    slow.clear_data();
    log_out(&node, &mut visitor).await;
    assert_eq!(finish(&node, &slow).await, (None, 0), "only the request that ended it removes the cookie");
}

#[tokio::test]
async fn a_write_under_a_superseded_id_is_refused_without_a_cookie() {
    let node = Node::new(SessionPolicy::user_default());
    let mut anonymous = Visitor::default();
    node.visit(&mut anonymous, async |session| session.set("a", 1)).await.commit.unwrap();
    let mut visitor = anonymous.clone();
    let mut slow = node.engine.resolve(&anonymous.request()).await.unwrap();
    slow.set("late", 1).unwrap();
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    assert_eq!(finish(&node, &slow).await, (Some(Fault::Gone), 0));
    let mut stale = node.engine.resolve(&anonymous.request()).await.unwrap();
    assert!(!stale.is_authenticated() && !stale.contains("a"), "reads see an anonymous visitor");
    stale.set("late", 1).unwrap();
    assert_eq!(finish(&node, &stale).await, (Some(Fault::Gone), 0));
    let rotated = visitor.clone();
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    let mut stale = node.engine.resolve(&rotated.request()).await.unwrap();
    stale.set("late", 1).unwrap();
    assert_eq!(finish(&node, &stale).await, (Some(Fault::Gone), 0));
    assert_eq!(node.stored().await, 1);
}

#[tokio::test]
async fn a_write_under_an_ended_id_starts_a_fresh_session() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let mut stale = visitor.clone();
    log_out(&node, &mut visitor).await;
    node.visit(&mut stale, async |session| session.set("new", 1)).await.commit.unwrap();
    let read =
        node.visit(&mut stale, async |session| (session.is_authenticated(), session.contains("new"))).await;
    assert_eq!(read.value, (false, true));
}

#[tokio::test]
async fn a_request_in_flight_does_not_survive_a_rotation_of_privilege() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    slow.set("late", 1).unwrap();
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    assert_eq!(finish(&node, &slow).await, (Some(Fault::Gone), 0));
    assert_eq!(node.who(&visitor).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_rotation_under_a_superseded_id_is_refused() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let old = visitor.clone();
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    let mut stale = node.engine.resolve(&old.request()).await.unwrap();
    stale.rotate();
    assert_eq!(finish(&node, &stale).await, (Some(Fault::Gone), 0));
}

#[tokio::test]
async fn a_logout_that_keeps_data_ends_the_session_whatever_became_of_its_id() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let mut leaving = node.engine.resolve(&visitor.request()).await.unwrap();
    leaving.set("left", 1).unwrap();
    leaving.clear_authentication();
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    assert_eq!(finish(&node, &leaving).await, (Some(Fault::Gone), 0), "the data could not be kept");
    assert_eq!(node.who(&visitor).await, None, "who has logged out is not logged in");
}
