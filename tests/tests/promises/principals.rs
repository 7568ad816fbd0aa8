//! A principal's sessions: listed and revoked, and a revocation beats the logins that are under way.

use sessions::{Fault, SessionPolicy};
use sessions_tests::{Node, Visitor, second, user};

#[tokio::test]
async fn sessions_are_listed_with_their_handles_and_the_current_one_is_marked() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(5));
    node.logged_in("ada").await;
    node.logged_in("eve").await;
    let listed = node.visit(&mut visitor, async |session| session.sessions().await.unwrap()).await.value;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed.iter().filter(|info| info.current).count(), 1);
    let handle = node.visit(&mut visitor, async |session| session.handle()).await.value;
    assert_eq!(listed.iter().find(|info| info.current).map(|info| info.handle), handle);
    assert_eq!((listed[1].created_at - listed[0].created_at).num_seconds(), 5);
}

#[tokio::test]
async fn one_session_is_revoked_by_its_handle_and_another_principals_is_not() {
    let node = Node::new(SessionPolicy::user_default());
    let (mut ada, other, eve) =
        (node.logged_in("ada").await, node.logged_in("ada").await, node.logged_in("eve").await);
    let handle = |visitor: &Visitor| {
        let (node, mut visitor) = (node.clone(), visitor.clone());
        async move { node.visit(&mut visitor, async |session| session.handle().unwrap()).await.value }
    };
    let (others, eves) = (handle(&other).await, handle(&eve).await);
    let answer = node
        .visit(&mut ada, async |session| {
            (session.revoke(others).await.unwrap(), session.revoke(eves).await.unwrap())
        })
        .await;
    assert_eq!((answer.value, answer.cookies.len()), ((true, false), 0));
    assert_eq!((node.who(&other).await, node.who(&eve).await.as_deref()), (None, Some("eve")));
    assert!(node.who(&ada).await.is_some());
}

#[tokio::test]
async fn revoking_the_others_keeps_this_one_and_revoking_all_keeps_none() {
    let node = Node::new(SessionPolicy::user_default());
    let (mut ada, other) = (node.logged_in("ada").await, node.logged_in("ada").await);
    let eve = node.logged_in("eve").await;
    let answer = node.visit(&mut ada, async |session| session.revoke_others().await.unwrap()).await;
    assert_eq!((answer.value, node.who(&other).await), (1, None));
    assert!(node.who(&ada).await.is_some());
    let answer = node.visit(&mut ada, async |session| session.revoke_all().await.unwrap()).await;
    assert_eq!((answer.value, answer.cookies.len()), (1, 1));
    assert_eq!(ada.cookie, None, "the request that ended its own session removes the cookie");
    assert!(node.who(&eve).await.is_some());
}

#[tokio::test]
async fn a_handle_is_no_credential() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let handle = node.visit(&mut visitor, async |session| session.handle().unwrap()).await.value;
    let forged = Visitor { cookie: Some(format!("__Host-Http-user_default={handle}")) };
    assert_eq!(node.who(&forged).await, None);
}

#[tokio::test]
async fn a_login_that_began_before_a_revocation_of_all_dies_and_one_after_it_lives() {
    let node = Node::new(SessionPolicy::user_default());
    let mut racing = node.engine.resolve(&Visitor::default().request()).await.unwrap();
    racing.mark_authenticated(user("ada"));
    node.engine.revoke_all(&user("ada")).await.unwrap();
    let mut response = http::Response::new(());
    let error = node.engine.commit(&racing, &mut response).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Gone);
    assert!(response.headers().get("set-cookie").is_none());
    let after = node.logged_in("ada").await;
    assert!(node.who(&after).await.is_some());
}

#[tokio::test]
async fn no_one_logged_in_lists_and_revokes_nothing() {
    let node = Node::new(SessionPolicy::user_default());
    let session = node.engine.resolve(&Visitor::default().request()).await.unwrap();
    assert_eq!(session.sessions().await.unwrap_err().fault(), Fault::Required);
    assert_eq!(session.revoke_all().await.unwrap_err().fault(), Fault::Required);
}
