//! Nothing is created, written or sent without a reason.

use http::StatusCode;
use sessions::{Fault, SessionPolicy};
use sessions_tests::{Node, Visitor, second, user};

fn node() -> Node {
    Node::new(SessionPolicy::user_default())
}

#[tokio::test]
async fn reading_never_creates_a_record_or_a_cookie() {
    let node = node();
    let mut visitor = Visitor::default();
    let answer = node.visit(&mut visitor, async |session| session.get::<u8>("a").unwrap()).await;
    assert_eq!((answer.value, answer.cookies.len()), (None, 0));
    assert_eq!(node.store.take_counts().totals(), (0, 0));
}

#[tokio::test]
async fn the_first_write_creates_exactly_one_record_and_one_cookie() {
    let node = node();
    let mut visitor = Visitor::default();
    let answer = node
        .visit(&mut visitor, async |session| {
            session.set("a", 1).unwrap();
            session.set("b", 2).unwrap();
        })
        .await;
    answer.commit.unwrap();
    assert_eq!(answer.cookies.len(), 1);
    assert_eq!(node.store.take_counts().totals(), (0, 1));
    assert_eq!(node.stored().await, 1);
}

#[tokio::test]
async fn a_read_is_one_read_and_a_write_is_one_read_and_one_write() {
    let node = node();
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    node.store.take_counts();
    let read = node.visit(&mut visitor, async |session| session.get::<u8>("a").unwrap()).await;
    assert_eq!((read.value, read.cookies.len()), (Some(1), 0));
    assert_eq!(node.store.take_counts().totals(), (1, 0));
    let write = node.visit(&mut visitor, async |session| session.set("a", 2)).await;
    assert_eq!(write.cookies.len(), 0, "the cookie has not changed");
    assert_eq!(node.store.take_counts().totals(), (1, 1));
}

#[tokio::test]
async fn a_use_is_noted_seldom() {
    let node = node();
    let mut visitor = node.logged_in("ada").await;
    node.store.take_counts();
    for _ in 0..10 {
        node.visit(&mut visitor, async |_| {}).await;
    }
    assert_eq!(node.store.take_counts().totals(), (10, 0));
    node.clock.advance(second(61));
    for _ in 0..10 {
        node.visit(&mut visitor, async |_| {}).await;
    }
    assert_eq!(node.store.take_counts().totals(), (10, 1));
}

#[tokio::test]
async fn a_server_error_drops_changes_and_keeps_them_where_the_policy_says_so() {
    let keep = SessionPolicy::for_web_users().set("on_server_error", "keep").build().unwrap();
    for (policy, expected) in [(SessionPolicy::user_default(), None), (keep, Some(1))] {
        let node = Node::new(policy);
        let mut visitor = node.logged_in("ada").await;
        let failed = StatusCode::INTERNAL_SERVER_ERROR;
        node.visit_answering(&mut visitor, failed, async |session| session.set("a", 1)).await.commit.unwrap();
        let read = node.visit(&mut visitor, async |session| session.get::<u8>("a").unwrap()).await;
        assert_eq!(read.value, expected);
    }
}

#[tokio::test]
async fn an_ending_stands_even_on_a_server_error() {
    let node = node();
    let mut visitor = node.logged_in("ada").await;
    let before = visitor.clone();
    let failed = StatusCode::INTERNAL_SERVER_ERROR;
    let answer = node
        .visit_answering(&mut visitor, failed, async |session| {
            session.clear_authentication();
            session.clear_data();
        })
        .await;
    answer.commit.unwrap();
    assert_eq!(node.who(&before).await, None);
    assert_eq!(node.stored().await, 0);
}

#[tokio::test]
async fn a_login_on_a_server_error_is_dropped() {
    let node = node();
    let mut visitor = Visitor::default();
    let failed = StatusCode::INTERNAL_SERVER_ERROR;
    node.visit_answering(&mut visitor, failed, async |session| session.mark_authenticated(user("ada"))).await;
    assert_eq!((visitor.cookie, node.stored().await), (None, 0));
}

#[tokio::test]
async fn what_update_wrote_stands_on_a_server_error() {
    let node = node();
    let mut visitor = node.logged_in("ada").await;
    let failed = StatusCode::INTERNAL_SERVER_ERROR;
    node.visit_answering(&mut visitor, failed, async |session| {
        session.update("n", |n: &mut u8| *n += 1).await.unwrap();
    })
    .await;
    let read = node.visit(&mut visitor, async |session| session.get::<u8>("n").unwrap()).await;
    assert_eq!(read.value, Some(1));
}

#[tokio::test]
async fn clearing_both_leaves_no_record_and_no_cookie() {
    let node = node();
    let mut visitor = node.logged_in("ada").await;
    let answer = node
        .visit(&mut visitor, async |session| {
            session.clear_authentication();
            session.clear_data();
        })
        .await;
    assert_eq!(answer.cookies.len(), 1);
    assert!(answer.cookies[0].contains("Max-Age=0"), "{:?}", answer.cookies);
    assert_eq!((visitor.cookie, node.stored().await), (None, 0));
}

#[tokio::test]
async fn an_anonymous_session_without_data_is_no_session() {
    let node = node();
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    node.visit(&mut visitor, async |session| session.clear_data()).await.commit.unwrap();
    assert_eq!((visitor.cookie, node.stored().await), (None, 0));
}

#[tokio::test]
async fn a_logout_that_keeps_data_goes_on_under_a_new_id() {
    let node = node();
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| session.set("colour", "blue")).await.commit.unwrap();
    let before = visitor.clone();
    node.visit(&mut visitor, async |session| session.clear_authentication()).await.commit.unwrap();
    assert_ne!(visitor.cookie, before.cookie);
    assert_eq!(node.who(&before).await, None);
    assert_eq!(node.who(&visitor).await, None);
    let read = node.visit(&mut visitor, async |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(read.value.as_deref(), Some("blue"));
    assert_eq!(node.stored().await, 1);
}

#[tokio::test]
async fn a_change_after_the_response_head_is_an_error() {
    let node = node();
    let visitor = node.logged_in("ada").await;
    let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
    let mut response = http::Response::new(());
    node.engine.commit(&session, &mut response).await.unwrap();
    assert_eq!(session.set("late", 1).unwrap_err().fault(), Fault::Unusable);
    assert_eq!(session.update("late", |n: &mut u8| *n += 1).await.unwrap_err().fault(), Fault::Unusable);
    assert_eq!(session.commit().await.unwrap_err().fault(), Fault::Unusable);
}

#[tokio::test]
async fn a_session_that_is_too_large_is_refused_before_any_write() {
    let node = node();
    let mut visitor = node.logged_in("ada").await;
    node.store.take_counts();
    let answer = node.visit(&mut visitor, async |session| session.set("big", "x".repeat(70_000))).await;
    assert_eq!(answer.commit.unwrap_err().fault(), Fault::TooLarge);
    assert_eq!(node.store.take_counts().writes(), 0);
}

#[tokio::test]
async fn an_ephemeral_session_lives_for_one_request() {
    let node = Node::new(SessionPolicy::ephemeral());
    let mut visitor = Visitor::default();
    for _ in 0..2 {
        let answer = node
            .visit(&mut visitor, async |session| {
                session
                    .update("hits", |n: &mut u8| {
                        *n += 1;
                        *n
                    })
                    .await
                    .unwrap()
            })
            .await;
        assert_eq!((answer.value, answer.cookies.len()), (1, 0));
    }
    assert_eq!(node.store.take_counts().totals(), (0, 0));
}

#[tokio::test]
async fn responses_that_a_session_shaped_are_kept_out_of_caches() {
    let node = node();
    let session = node.engine.resolve(&Visitor::default().request()).await.unwrap();
    let mut response = http::Response::new(());
    response.headers_mut().insert("cache-control", "public, max-age=600".parse().unwrap());
    response.headers_mut().insert("vary", "Accept".parse().unwrap());
    node.engine.commit(&session, &mut response).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let vary: Vec<_> =
        response.headers().get_all("vary").iter().map(|v| v.to_str().unwrap().to_lowercase()).collect();
    assert!(vary.join(",").contains("accept") && vary.join(",").contains("cookie"), "{vary:?}");
}

#[tokio::test]
async fn a_principal_counts_against_the_size_of_its_session() {
    let node = Node::new(SessionPolicy::user_default());
    let huge = "x".repeat(1 << 20);
    let mut visitor = Visitor::default();
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(user(&huge))).await;
    assert_eq!(answer.commit.map_err(|error| error.fault()), Err(Fault::TooLarge));
    assert_eq!((node.stored().await, answer.cookies.len()), (0, 0));
    let mut visitor = node.logged_in("ada").await;
    let again = user("ada").with("name", huge);
    let answer = node.visit(&mut visitor, async |session| session.mark_authenticated(again)).await;
    assert_eq!(answer.commit.map_err(|error| error.fault()), Err(Fault::TooLarge));
    assert_eq!(node.who(&visitor).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_session_is_committed_by_an_engine_of_its_policy_alone() {
    let node = Node::new(SessionPolicy::user_default());
    let other = node.twin(SessionPolicy::for_web_users().named("other").build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
    session.set("a", 1).unwrap();
    let mut response = http::Response::new(());
    let refused = other.engine.commit(&session, &mut response).await;
    assert_eq!(refused.map_err(|error| error.fault()), Err(Fault::Unusable));
    assert!(response.headers().is_empty());
    node.engine.commit(&session, &mut response).await.unwrap();
    let read = node.visit(&mut visitor, async |session| session.get::<u8>("a").unwrap()).await;
    assert_eq!(read.value, Some(1));
}
