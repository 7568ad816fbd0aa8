//! A principal's sessions: listed and revoked, and a revocation beats the logins that are under way.

use std::{collections::BTreeSet, time::Duration};

use sessions::{EventKind, Fault, Peer, Session, SessionCursor, SessionPolicy, SessionPrincipal};
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

/// Logs in from a peer that says it speaks for another, and gives what the list of devices then says.
async fn address_of_a_login(policy: SessionPolicy, peer: [u8; 4]) -> Option<String> {
    let node = Node::new(policy);
    let mut request = http::Request::builder().header("x-forwarded-for", "198.51.100.1").body(()).unwrap();
    request.extensions_mut().insert(Peer(peer.into()));
    let mut session = node.engine.resolve(&request).await.unwrap();
    session.mark_authenticated(user("ada"));
    node.engine.commit(&session, &mut http::Response::new(())).await.unwrap();
    let listed = node.engine.sessions_of(&user("ada")).await.unwrap();
    assert_eq!(listed.len(), 1);
    listed[0].address.map(|address| address.to_string())
}

#[tokio::test]
async fn a_login_notes_the_address_that_its_peer_or_a_listed_proxy_tells() {
    let noting = || SessionPolicy::for_web_users().noting_client_address();
    let behind = || noting().trusting_proxies(["10.0.0.0/8"]).build().unwrap();
    let address = async |policy, peer| address_of_a_login(policy, peer).await;
    assert_eq!(address(behind(), [10, 0, 0, 7]).await.as_deref(), Some("198.51.100.1"));
    assert_eq!(address(behind(), [203, 0, 113, 9]).await.as_deref(), Some("203.0.113.9"), "not a listed one");
    assert_eq!(address(noting().build().unwrap(), [10, 0, 0, 7]).await.as_deref(), Some("10.0.0.7"));
    assert_eq!(address(SessionPolicy::user_default(), [10, 0, 0, 7]).await, None, "it is personal data");
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

sessions::policies! {
    web: { extends: "user_default", concurrency: { max_sessions_per_principal: 10_000 } },
    desk: { extends: "user_default", concurrency: { max_sessions_per_principal: 10_000 } },
}

/// A registry of two policies, and a node for each.
async fn two_policies() -> (policies::Registry, Node, Node) {
    let base = Node::new(SessionPolicy::user_default());
    let file = "[stores.main]\nkind = \"custom\"\n";
    let builder = policies::Registry::builder().clock(base.clock.shared()).with_settings(Some(file), []);
    let registry = builder.store("main", base.store.clone()).load().await.unwrap();
    let node = |engine| Node { engine, ..base.clone() };
    let (web, desk) = (node(registry.engine::<policies::Web>()), node(registry.engine::<policies::Desk>()));
    (registry, web, desk)
}

#[tokio::test]
async fn a_changed_password_puts_every_other_device_out_at_once_and_keeps_this_one() {
    let (registry, web, desk) = two_policies().await;
    let (sender, events) = std::sync::mpsc::channel();
    registry.on_event(move |event| {
        let _ = sender.send(event.clone());
    });
    let (mut ada, other, office) =
        (web.logged_in("ada").await, web.logged_in("ada").await, desk.logged_in("ada").await);
    let eve = web.logged_in("eve").await;
    web.visit(&mut ada, async |session| session.set("draft", 1)).await.commit.unwrap();
    let copied = ada.clone();
    let answer = web
        .visit(&mut ada, async |session| {
            session.set("step", 2).unwrap();
            let handle = session.handle();
            let ended = session.credentials_changed().await.unwrap();
            let out = (web.who(&other).await, desk.who(&office).await, web.who(&copied).await);
            assert_eq!(out, (None, None, None), "before the response");
            (ended, handle, session.handle(), session.is_authenticated())
        })
        .await;
    answer.commit.unwrap();
    let (ended, before, after, authenticated) = answer.value;
    assert_eq!((ended, before == after, authenticated, answer.cookies.len()), (2, true, true, 1));
    assert!(web.who(&eve).await.is_some());
    let kept = web.visit(&mut ada, async |session| (session.keys(), session.is_authenticated())).await.value;
    assert_eq!(kept, (vec!["draft".to_owned(), "step".to_owned()], true));
    let told = std::iter::from_fn(|| events.recv_timeout(second(1)).ok());
    let told: Vec<_> = told.filter(|event| event.kind == EventKind::CredentialsChanged).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].handle, told[0].count), (after, 2));
    assert_eq!(told[0].principal_id.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_login_under_way_with_the_old_password_is_refused() {
    let (registry, web, desk) = two_policies().await;
    let mut ada = web.logged_in("ada").await;
    for operator in [false, true] {
        let mut racing = desk.engine.resolve(&Visitor::default().request()).await.unwrap();
        racing.mark_authenticated(user("ada"));
        if operator {
            registry.credentials_changed(&user("ada")).await.unwrap();
        } else {
            let change = async |session: &mut Session| session.credentials_changed().await.unwrap();
            web.visit(&mut ada, change).await.commit.unwrap();
        }
        let mut response = http::Response::new(());
        let error = desk.engine.commit(&racing, &mut response).await.unwrap_err();
        assert_eq!((error.fault(), response.headers().contains_key("set-cookie")), (Fault::Gone, false));
        assert!(desk.who(&desk.logged_in("ada").await).await.is_some(), "with the new one it is not");
    }
}

#[tokio::test]
async fn an_operator_who_sets_a_password_ends_every_session() {
    let (registry, web, desk) = two_policies().await;
    let visitors = [web.logged_in("ada").await, web.logged_in("ada").await];
    let office = desk.logged_in("ada").await;
    assert_eq!(registry.credentials_changed(&user("ada")).await.unwrap(), 3);
    assert_eq!((web.who(&visitors[0]).await, web.who(&visitors[1]).await), (None, None));
    assert_eq!(desk.who(&office).await, None);
    assert_eq!(registry.credentials_changed(&SessionPrincipal::service("ada")).await.unwrap(), 0);
}

#[tokio::test]
async fn a_reset_password_and_the_login_after_it_may_be_one_request() {
    let node = Node::new(SessionPolicy::user_default());
    let other = node.logged_in("ada").await;
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("cart", "tea")).await.commit.unwrap();
    let answer = node
        .visit(&mut visitor, async |session| {
            session.mark_authenticated(user("ada"));
            session.credentials_changed().await.unwrap()
        })
        .await;
    answer.commit.unwrap();
    assert_eq!((answer.value, node.who(&other).await), (1, None));
    let kept = node.visit(&mut visitor, async |session| session.get::<String>("cart").unwrap()).await;
    assert_eq!((kept.value.as_deref(), node.who(&visitor).await.as_deref()), (Some("tea"), Some("ada")));
}

#[tokio::test]
async fn a_changed_password_survives_a_handler_that_fails_after_it() {
    let node = Node::new(SessionPolicy::user_default());
    let (mut ada, other) = (node.logged_in("ada").await, node.logged_in("ada").await);
    let copied = ada.clone();
    let failing = http::StatusCode::INTERNAL_SERVER_ERROR;
    let change = async |session: &mut Session| session.credentials_changed().await.unwrap();
    let answer = node.visit_answering(&mut ada, failing, change).await;
    assert_eq!(answer.cookies.len(), 1, "the new id reaches its owner");
    assert_eq!((node.who(&other).await, node.who(&copied).await), (None, None));
    assert_eq!(node.who(&ada).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_thousand_sessions_are_listed_page_by_page_each_once() {
    let (_registry, web, desk) = two_policies().await;
    let mut own = web.logged_in("ada").await;
    for n in 0..1_000 {
        let node = if n % 2 == 0 { &web } else { &desk };
        node.logged_in("ada").await;
        node.clock.advance(Duration::from_millis(1));
    }
    let (mut seen, mut pages, mut after) = (Vec::new(), 0, None::<SessionCursor>);
    loop {
        let page = web.engine.sessions_page(&user("ada"), after.as_ref(), 64).await.unwrap();
        assert!(page.sessions.len() <= 64);
        pages += 1;
        seen.extend(page.sessions);
        // As it comes back from a client.
        let Some(next) = page.next else { break };
        after = Some(next.to_string().parse().unwrap());
    }
    assert!((16..=18).contains(&pages), "{pages}");
    let handles: BTreeSet<_> = seen.iter().map(|info| info.handle).collect();
    assert_eq!((seen.len(), handles.len()), (1_001, 1_001));
    let of_web: Vec<_> =
        seen.iter().filter(|info| info.policy == "web").map(|info| info.created_at).collect();
    assert!(of_web.is_sorted(), "oldest first");
    let whole = web.engine.sessions_of(&user("ada")).await.unwrap();
    assert_eq!(whole.len(), 1_001);
    let page = web.visit(&mut own, async |session| session.sessions_page(None, 3).await.unwrap()).await.value;
    assert_eq!(page.sessions.iter().map(|info| info.current).collect::<Vec<_>>(), [true, false, false]);
}

#[tokio::test]
async fn a_page_leaves_no_one_out_whose_neighbours_end_meanwhile() {
    let node = Node::new(SessionPolicy::for_web_users().unlimited_concurrent().build().unwrap());
    for _ in 0..20 {
        node.logged_in("ada").await;
    }
    let all = node.engine.sessions_of(&user("ada")).await.unwrap();
    let first = node.engine.sessions_page(&user("ada"), None, 5).await.unwrap();
    for ended in [3, 4, 7] {
        assert!(node.engine.revoke(&user("ada"), all[ended].handle).await.unwrap());
    }
    let mut seen: BTreeSet<_> = first.sessions.iter().map(|info| info.handle).collect();
    let mut after = first.next;
    while let Some(cursor) = after {
        let page = node.engine.sessions_page(&user("ada"), Some(&cursor), 5).await.unwrap();
        seen.extend(page.sessions.iter().map(|info| info.handle));
        after = page.next;
    }
    let left = node.engine.sessions_of(&user("ada")).await.unwrap();
    assert_eq!(left.len(), 17);
    assert!(left.iter().all(|info| seen.contains(&info.handle)));
}

#[test]
fn what_is_no_cursor_is_refused() {
    for text in [
        "",
        ".",
        "Web",
        "web.",
        "web.1",
        "web.70000.AAAAAAAAAAAAAAAAAAAAAA",
        "web.1.AAAA",
        "web.1.AAAAAAAAAAAAAAAAAAAAAA.x",
    ] {
        assert!(text.parse::<SessionCursor>().is_err(), "{text}");
    }
    for text in ["web", "web.1.AAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(text.parse::<SessionCursor>().unwrap().to_string(), text);
    }
}
