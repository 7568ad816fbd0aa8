//! What a login carries over, discards and starts anew.

use sessions::{EventKind, SessionPolicy};
use sessions_tests::{Node, Visitor, second, user};

#[tokio::test]
async fn anonymous_data_is_carried_over() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", "tea")).await.commit.unwrap();
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    let read = node.visit(&mut visitor, async |session| session.get::<String>("cart").unwrap()).await;
    assert_eq!(read.value.as_deref(), Some("tea"));
    assert_eq!(node.stored().await, 1);
}

#[tokio::test]
async fn a_list_carries_over_what_it_names_and_nothing_else() {
    let node = Node::new(SessionPolicy::for_web_users().carrying_over(["cart"]).build().unwrap());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| {
        session.set("cart", 1).unwrap();
        session.set("role", "admin").unwrap();
    })
    .await
    .commit
    .unwrap();
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    let read = node.visit(&mut visitor, async |session| session.keys()).await;
    assert_eq!(read.value, ["cart"]);
}

#[tokio::test]
async fn another_principals_data_is_discarded_first() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| session.set("secret", 1)).await.commit.unwrap();
    let ada = visitor.clone();
    let answer = node
        .visit(&mut visitor, async |session| {
            session.set("before", 1).unwrap();
            session.mark_authenticated(user("eve"));
            session.set("after", 1).unwrap();
            session.keys()
        })
        .await;
    answer.commit.unwrap();
    assert_eq!(answer.value, ["after"]);
    let read = node.visit(&mut visitor, async |session| session.keys()).await;
    assert_eq!(read.value, ["after"]);
    assert_eq!(node.who(&ada).await, None);
    assert_eq!(node.stored().await, 1);
}

#[tokio::test]
async fn a_logout_in_the_same_handler_hides_no_ones_data() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| session.set("secret", 1)).await.commit.unwrap();
    node.visit(&mut visitor, async |session| {
        session.clear_authentication();
        session.mark_authenticated(user("eve"));
    })
    .await
    .commit
    .unwrap();
    let read = node.visit(&mut visitor, async |session| session.keys()).await;
    assert!(read.value.is_empty());
    assert_eq!(node.who(&visitor).await.as_deref(), Some("eve"));
}

#[tokio::test]
async fn confirming_keeps_data_and_handle_and_starts_lifetimes_anew() {
    let node =
        Node::new(SessionPolicy::for_web_users().no_idle_timeout().lasting(second(100)).build().unwrap());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    let before = node.visit(&mut visitor, async |session| session.handle()).await.value;
    node.clock.advance(second(90));
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    node.clock.advance(second(90));
    let after =
        node.visit(&mut visitor, async |session| (session.handle(), session.get::<u8>("a").unwrap())).await;
    assert_eq!(after.value, (before, Some(1)));
}

#[tokio::test]
async fn freshness_counts_from_the_last_confirmation() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(301));
    let fresh = async |session: &mut sessions::Session| session.is_fresh(second(300));
    assert!(!node.visit(&mut visitor, fresh).await.value);
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    assert!(node.visit(&mut visitor, fresh).await.value);
}

#[tokio::test]
async fn a_login_submitted_several_times_gives_each_a_session_and_the_cart_to_one() {
    let node = Node::new(SessionPolicy::user_default());
    let mut anonymous = Visitor::default();
    node.visit(&mut anonymous, async |session| session.set("cart", "tea")).await.commit.unwrap();
    node.store.set_slow(true);
    let logins: Vec<_> = (0..4)
        .map(|_| {
            let (node, mut visitor) = (node.clone(), anonymous.clone());
            tokio::spawn(async move {
                node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
                    .await
                    .commit
                    .unwrap();
                visitor
            })
        })
        .collect();
    let (mut carried, mut live) = (0, 0);
    for login in logins {
        let mut visitor = login.await.unwrap();
        let read = node
            .visit(&mut visitor, async |session| (session.is_authenticated(), session.contains("cart")))
            .await;
        live += u32::from(read.value.0);
        carried += u32::from(read.value.1);
    }
    assert_eq!((live, carried), (4, 1), "each has a session of its own, and one has the cart");
    assert_eq!(node.who(&anonymous).await, None);
}

#[tokio::test]
async fn what_was_written_after_a_login_was_read_is_in_it() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", 1)).await.commit.unwrap();
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    slow.set("own", 1).unwrap();
    slow.mark_authenticated(user("ada"));
    node.visit(&mut visitor, async |session| session.set("late", 1)).await.commit.unwrap();
    let mut response = http::Response::new(());
    node.engine.commit(&slow, &mut response).await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut person = Visitor { cookie: Some(cookie) };
    let mut keys = node.visit(&mut person, async |session| session.keys()).await.value;
    keys.sort();
    assert_eq!(keys, ["cart", "late", "own"]);
    assert_eq!(node.engine.sessions_of(&user("ada")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_acknowledged_before_a_login_is_in_it() {
    for round in 0..20 {
        let node = Node::new(SessionPolicy::user_default());
        let mut anonymous = Visitor::default();
        node.visit(&mut anonymous, async |session| session.set("start", 1)).await.commit.unwrap();
        node.store.set_slow(true);
        let writers: Vec<_> = (0..10)
            .map(|n| {
                let (node, mut visitor) = (node.clone(), anonymous.clone());
                tokio::spawn(async move {
                    for _ in 0..round {
                        tokio::task::yield_now().await;
                    }
                    let answer =
                        node.visit(&mut visitor, async |session| session.set(&format!("k{n}"), n)).await;
                    (format!("k{n}"), answer.commit.is_ok() && visitor.cookie.is_some(), visitor)
                })
            })
            .collect();
        let mut visitor = anonymous.clone();
        node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
            .await
            .commit
            .unwrap();
        let keys = node.visit(&mut visitor, async |session| session.keys()).await.value;
        for writer in writers {
            let (key, acknowledged, writer) = writer.await.unwrap();
            let own = writer.cookie != anonymous.cookie;
            assert!(!acknowledged || own || keys.contains(&key), "round {round}: `{key}` is missing");
        }
    }
}

#[tokio::test]
async fn a_remembered_session_has_lifetimes_and_a_cookie_of_its_own() {
    let policy = SessionPolicy::for_web_users().remember(second(30 * 86_400), None).build().unwrap();
    let node = Node::new(policy);
    let mut visitor = Visitor::default();
    let answer = node
        .visit(&mut visitor, async |session| {
            session.mark_authenticated(user("ada"));
            session.remember(true);
        })
        .await;
    assert!(answer.cookies[0].contains("Max-Age=2592000"), "{:?}", answer.cookies);
    node.clock.advance(second(20 * 86_400));
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    assert_eq!(node.who(&visitor).await.as_deref(), Some("ada"), "a later write does not shorten it");
    node.clock.advance(second(10 * 86_400));
    assert_eq!(node.who(&visitor).await, None);
}

#[tokio::test]
async fn a_login_is_told_with_its_principal() {
    let node = Node::new(SessionPolicy::user_default());
    let (sender, events) = std::sync::mpsc::channel();
    node.engine.on_event(move |event| {
        let _ = sender.send(event.clone());
    });
    node.logged_in("ada").await;
    let login = std::iter::from_fn(|| events.recv_timeout(second(2)).ok())
        .find(|event| event.kind == EventKind::Authenticated)
        .unwrap();
    assert_eq!((login.principal_kind.as_deref(), login.principal_id.as_deref()), (Some("user"), Some("ada")));
    assert!(login.handle.is_some());
}
