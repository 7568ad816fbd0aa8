//! What happens while a request is under way: every answer, cookie and event is right all the same.

use sessions::{BehaviorOnLimit, EventKind, Fault, Session, SessionPolicy};
use sessions_tests::{Node, Visitor, second, user};
use std::time::Duration;

async fn finish(node: &Node, session: &Session) -> (Option<Fault>, Vec<String>) {
    let mut response = http::Response::new(());
    let result = node.engine.commit(session, &mut response).await;
    let cookies =
        response.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap().to_owned()).collect();
    (result.err().map(|e| e.fault()), cookies)
}
async fn log_out(node: &Node, visitor: &mut Visitor) {
    node.visit(visitor, async |s| {
        s.clear_authentication();
        s.clear_data();
    })
    .await
    .commit
    .unwrap();
}
fn listen(node: &Node) -> std::sync::mpsc::Receiver<sessions::SessionEvent> {
    let (tx, rx) = std::sync::mpsc::channel();
    node.engine.on_event(move |e| {
        let _ = tx.send(e.clone());
    });
    rx
}
fn drain(rx: &std::sync::mpsc::Receiver<sessions::SessionEvent>) -> Vec<sessions::SessionEvent> {
    std::iter::from_fn(|| rx.recv_timeout(Duration::from_millis(300)).ok()).collect()
}
#[test]
fn an_update_may_read_the_session_also_when_it_is_new() {
    let (tx, rx) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        rt.block_on(async {
            let node = Node::new(SessionPolicy::user_default());
            let session = node.engine.resolve(&Visitor::default().request()).await.unwrap();
            let n = session
                .update("n", |n: &mut u64| {
                    *n += session.get::<u64>("step").unwrap().unwrap_or(1);
                    *n
                })
                .await
                .unwrap();
            let _ = tx.send(n);
        });
    });
    assert_eq!(rx.recv_timeout(Duration::from_secs(3)), Ok(1), "deadlock");
}
#[tokio::test]
async fn a_change_recorded_during_an_update_does_not_undo_it() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |s| s.set("a", 1)).await.commit.unwrap();
    node.store.set_slow(true);
    let session = node.engine.resolve(&visitor.request()).await.unwrap();
    let mut other = session.untyped();
    let (updated, ()) = tokio::join!(
        session.update("a", |n: &mut u64| {
            *n += 41;
            *n
        }),
        async {
            other.set("b", 1).unwrap();
        }
    );
    assert_eq!(updated.unwrap(), 42);
    assert_eq!(session.get::<u64>("a").unwrap(), Some(42), "as the handler sees it");
    assert_eq!(finish(&node, &session).await.0, None);
    let v = node.visit(&mut visitor, async |s| s.get::<u64>("a").unwrap()).await.value;
    assert_eq!(v, Some(42));
}
#[tokio::test]
async fn a_write_after_a_gone_update_is_refused_without_a_cookie() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    node.visit(&mut visitor, async |s| s.rotate()).await.commit.unwrap();
    assert_eq!(slow.update("n", |n: &mut u8| *n += 1).await.unwrap_err().fault(), Fault::Gone);
    slow.set("late", 1).unwrap();
    assert_eq!(finish(&node, &slow).await, (Some(Fault::Gone), vec![]));
}
#[tokio::test]
async fn a_login_that_revokes_the_others_is_not_one_of_them() {
    let node = Node::new(SessionPolicy::user_default());
    let other = node.logged_in("ada").await;
    let mut visitor = Visitor::default();
    let answer = node
        .visit(&mut visitor, async |s| {
            s.mark_authenticated(user("ada"));
            s.revoke_others().await.unwrap()
        })
        .await;
    answer.commit.unwrap();
    assert_eq!(node.who(&other).await, None);
    assert_eq!(node.who(&visitor).await.as_deref(), Some("ada"));
}
#[tokio::test]
async fn a_login_copies_nothing_of_a_session_that_has_ended() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |s| s.set("cart", "tea")).await.commit.unwrap();
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    slow.set("last_login", 1).unwrap();
    slow.mark_authenticated(user("ada"));
    let mut v2 = visitor.clone();
    node.visit(&mut v2, async |s| s.clear_data()).await.commit.unwrap();
    let mut response = http::Response::new(());
    node.engine.commit(&slow, &mut response).await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut after = Visitor { cookie: Some(cookie) };
    let keys = node.visit(&mut after, async |s| s.keys()).await.value;
    assert_eq!(keys, ["last_login"], "the cart was cleared before the login");
}

fn device() -> SessionPolicy {
    SessionPolicy::for_devices()
        .sliding()
        .absolute_timeout(second(300 * 86_400))
        .via_cookie()
        .touching_every(second(60))
        .named("device")
        .build()
        .unwrap()
}
#[tokio::test]
async fn a_late_read_sends_no_cookie_of_an_ended_session() {
    let node = Node::new(device());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(7200));
    let slow = node.engine.resolve(&visitor.request()).await.unwrap();
    log_out(&node, &mut visitor).await;
    assert_eq!(finish(&node, &slow).await, (None, vec![]));
}
#[tokio::test]
async fn a_late_read_sends_no_superseded_cookie() {
    let node = Node::new(device());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(7200));
    let slow = node.engine.resolve(&visitor.request()).await.unwrap();
    node.visit(&mut visitor, async |s| s.rotate()).await.commit.unwrap();
    node.clock.advance(second(7200));
    assert_eq!(finish(&node, &slow).await, (None, vec![]));
}
#[tokio::test]
async fn a_login_that_conflicts_changes_nothing() {
    let node = Node::new(SessionPolicy::for_web_users().set("on_conflict", "reject").build().unwrap());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |s| s.set("k", 0)).await.commit.unwrap();
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    slow.set("k", 1).unwrap();
    slow.mark_authenticated(user("ada"));
    node.visit(&mut visitor, async |s| s.set("k", 2)).await.commit.unwrap();
    assert_eq!(finish(&node, &slow).await.0, Some(Fault::Conflict));
    let k = node.visit(&mut visitor, async |s| s.get::<u8>("k").unwrap()).await;
    assert_eq!(k.value, Some(2), "the visitor's session is sealed for 30 s");
}
#[tokio::test]
async fn events_of_endings_name_the_session_by_its_handle() {
    for way in 0..5 {
        let policy =
            SessionPolicy::for_web_users().max_concurrent(1, BehaviorOnLimit::EvictOldest).build().unwrap();
        let node = Node::new(policy);
        let rx = listen(&node);
        let mut visitor = Visitor::default();
        node.visit(&mut visitor, async |s| s.set("cart", 1)).await.commit.unwrap();
        node.visit(&mut visitor, async |s| s.mark_authenticated(user("ada"))).await.commit.unwrap();
        let handle = node.visit(&mut visitor, async |s| s.handle().unwrap()).await.value;
        drain(&rx);
        let kind = match way {
            0 => {
                node.engine.revoke(&user("ada"), handle).await.unwrap();
                EventKind::Revoked
            }
            1 => {
                node.engine.revoke_all(&user("ada")).await.unwrap();
                EventKind::Revoked
            }
            2 => {
                node.logged_in("ada").await;
                EventKind::Evicted
            }
            3 => {
                node.engine.revoke_all(&user("ada")).await.unwrap();
                node.who(&visitor).await;
                EventKind::Ended
            }
            _ => {
                node.clock.advance(second(1801));
                node.who(&visitor).await;
                EventKind::Ended
            }
        };
        let got: Vec<_> = drain(&rx).iter().filter(|e| e.kind == kind).map(|e| e.handle).collect();
        println!("way {way}: same = {:?}", got == vec![Some(handle)]);
        if way < 3 {
            assert_eq!(got, vec![Some(handle)], "way {way}");
        }
    }
}
#[tokio::test]
async fn an_idle_end_is_told_as_one() {
    let node = Node::new(SessionPolicy::user_default());
    let rx = listen(&node);
    let visitor = node.logged_in("ada").await;
    node.clock.advance(second(1801));
    node.who(&visitor).await;
    let kinds: Vec<_> = drain(&rx).iter().map(|e| e.kind).collect();
    assert!(kinds.contains(&EventKind::IdleTimeout) || kinds.contains(&EventKind::Expired), "{kinds:?}");
}
#[tokio::test]
async fn a_change_while_the_commit_is_under_way_is_written_or_refused() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.store.set_slow(true);
    let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
    session.set("a", 1).unwrap();
    let mut other = session.untyped();
    let ((fault, _), late) = tokio::join!(finish(&node, &session), async {
        tokio::task::yield_now().await;
        other.set("b", 1).map_err(|e| e.fault())
    });
    assert_eq!(fault, None);
    let there = node.visit(&mut visitor, async |s| s.contains("b")).await.value;
    assert_eq!(late.is_ok(), there, "{late:?}");
}
#[tokio::test]
async fn a_logout_that_would_keep_too_much_changes_nothing() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |s| s.set("k", 1)).await.commit.unwrap();
    node.store.take_counts();
    let a = node
        .visit(&mut visitor, async |s| {
            s.set("big", "x".repeat(70_000)).unwrap();
            s.clear_authentication();
        })
        .await;
    assert_eq!(a.commit.unwrap_err().fault(), Fault::TooLarge);
    assert_eq!(node.store.take_counts().writes(), 0);
}
#[tokio::test]
async fn a_late_revocation_of_all_sends_no_cookie_over_anothers() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let slow = node.engine.resolve(&visitor.request()).await.unwrap();
    node.visit(&mut visitor, async |s| s.mark_authenticated(user("eve"))).await.commit.unwrap();
    slow.revoke_all().await.unwrap();
    assert_eq!(finish(&node, &slow).await, (None, vec![]));
}
#[tokio::test]
async fn remembering_without_lifetimes_is_a_policy_violation() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    let a = node
        .visit(&mut visitor, async |s| {
            s.set("a", 1).unwrap();
            s.remember(true);
        })
        .await;
    assert_eq!(a.commit.unwrap_err().fault(), Fault::PolicyViolation);
}
#[tokio::test]
async fn a_lowered_size_does_not_refuse_reads() {
    let p = |max: &str| {
        SessionPolicy::for_web_users()
            .no_idle_timeout()
            .rotating_every(second(3600), second(30))
            .set("max_size", max.to_owned())
            .build()
            .unwrap()
    };
    let node = Node::new(p("64KiB"));
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |s| s.set("k", "x".repeat(5000))).await.commit.unwrap();
    let node = node.twin(p("1KiB"));
    node.clock.advance(second(3601));
    let a = node.visit(&mut visitor, async |s| s.is_authenticated()).await;
    assert!(a.commit.is_ok(), "{:?}", a.commit);
}
#[tokio::test]
async fn another_policys_id_is_unknown_and_not_corrupted() {
    let node = Node::new(SessionPolicy::user_default());
    let api = node.twin(SessionPolicy::for_web_users().named("other").build().unwrap());
    let visitor = node.logged_in("ada").await;
    let rx = listen(&api);
    let text = visitor.cookie.unwrap().split_once('=').unwrap().1.to_owned();
    let forged = Visitor { cookie: Some(format!("__Host-Http-other={text}")) };
    api.who(&forged).await;
    let kinds: Vec<_> = drain(&rx).iter().map(|e| e.kind).collect();
    assert!(!kinds.contains(&EventKind::Corrupted), "{kinds:?}");
}
#[tokio::test]
async fn an_ending_stands_on_a_server_error_even_before_a_login() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let before = visitor.clone();
    let _ = node
        .visit_answering(&mut visitor, http::StatusCode::INTERNAL_SERVER_ERROR, async |s| {
            s.clear_authentication();
            s.clear_data();
            s.mark_authenticated(user("eve"));
        })
        .await;
    assert_eq!(node.who(&before).await, None);
}
#[tokio::test]
async fn an_early_logout_stands() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let a = node
        .visit_answering(&mut visitor, http::StatusCode::INTERNAL_SERVER_ERROR, async |s| {
            s.clear_authentication();
            s.clear_data();
            s.commit().await.unwrap();
        })
        .await;
    a.commit.unwrap();
    assert_eq!((visitor.cookie, node.stored().await), (None, 0));
}
#[tokio::test]
async fn a_listener_may_add_a_listener() {
    let node = Node::new(SessionPolicy::user_default());
    let (tx, rx) = std::sync::mpsc::channel();
    let engine = node.engine.clone();
    let once = std::sync::Once::new();
    node.engine.on_event(move |e| {
        let _ = tx.send(e.kind);
        once.call_once(|| engine.on_event(|_| {}));
    });
    node.logged_in("ada").await;
    rx.recv_timeout(second(1)).unwrap();
    assert!(rx.recv_timeout(second(2)).is_ok(), "the event thread hangs");
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_update_a_thousand_times() {
    let node = Node::patient(SessionPolicy::user_default());
    let twin = node.twin(SessionPolicy::user_default());
    let visitor = node.logged_in("ada").await;
    node.store.set_slow(true);
    let mut tasks = Vec::new();
    for n in 0..1000 {
        let (node, visitor) = (if n % 2 == 0 { node.clone() } else { twin.clone() }, visitor.clone());
        tasks.push(tokio::spawn(async move {
            let s = node.engine.resolve(&visitor.request()).await.unwrap();
            s.update("n", |n: &mut u64| {
                *n += 1;
                *n
            })
            .await
        }));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut failed = 0;
    for t in tasks {
        match t.await.unwrap() {
            Ok(n) => {
                assert!(seen.insert(n));
            }
            Err(_) => failed += 1,
        }
    }
    assert_eq!((seen.len(), failed), (1000, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_of_all_beats_what_is_under_way_on_two_nodes() {
    for round in 0..60_u64 {
        let policy =
            || SessionPolicy::for_web_users().rotating_on_use().set("rotation_grace", "5s").build().unwrap();
        let node = Node::new(policy());
        let twin = node.twin(policy());
        let visitor = node.logged_in("ada").await;
        node.store.set_slow(true);
        let tasks: Vec<_> = (0..8_u64)
            .map(|n| {
                let (node, mut visitor) =
                    (if n % 2 == 0 { node.clone() } else { twin.clone() }, visitor.clone());
                tokio::spawn(async move {
                    for _ in 0..(round + n) % 7 {
                        tokio::task::yield_now().await;
                    }
                    let _ = node
                        .visit(&mut visitor, async |s| match n % 4 {
                            0 => {
                                let _ = s.update("n", |n: &mut u64| *n += 1).await;
                            }
                            1 => s.set("k", n).unwrap(),
                            2 => s.mark_authenticated(user("ada")),
                            _ => {}
                        })
                        .await;
                    visitor
                })
            })
            .collect();
        for _ in 0..round % 11 {
            tokio::task::yield_now().await;
        }
        twin.engine.revoke_all(&user("ada")).await.unwrap();
        for t in tasks {
            let v = t.await.unwrap();
            let _ = node.who(&v).await;
        }
        // only logins begun after the revocation may live: those are of requests that found no session
        let live = node.engine.sessions_of(&user("ada")).await.unwrap();
        assert!(live.len() <= 2, "{live:?}");
    }
}

mod late {
    use axum::{Router, body::Body, extract::FromRequestParts, http::Request, routing::post};
    use sessions::Session;
    use tower::ServiceExt;
    sessions::policies! { late: { extends: "user_default" } }
    #[tokio::test]
    async fn a_session_opened_after_the_response_is_refused() {
        let (tx, rx) = tokio::sync::oneshot::channel();
        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let slot = std::sync::Arc::new(std::sync::Mutex::new(Some((tx, gate))));
        let handler = move |request: Request<Body>| async move {
            let (mut parts, _) = request.into_parts();
            let (tx, gate) = slot.lock().unwrap().take().unwrap();
            tokio::spawn(async move {
                gate.await.unwrap();
                let late = match Session::<policies::Late>::from_request_parts(&mut parts, &()).await {
                    Ok(mut session) => session.set("a", 1).is_ok(),
                    Err(_) => false,
                };
                let _ = tx.send(late);
            });
            "ok"
        };
        let registry = policies::Registry::builder().with_settings(None, []).load().await.unwrap();
        let router = Router::new().route("/", post(handler)).layer(registry.layer());
        let _ = router.oneshot(Request::post("/").body(Body::empty()).unwrap()).await.unwrap();
        go.send(()).unwrap();
        assert!(!rx.await.unwrap(), "recorded, and never written");
    }
}
#[tokio::test]
async fn a_read_whose_session_ends_meanwhile_answers_alike_whether_or_not_a_rotation_was_due() {
    for due in [false, true] {
        let node = Node::new(
            SessionPolicy::for_web_users()
                .no_idle_timeout()
                .rotating_every(second(3600), second(30))
                .build()
                .unwrap(),
        );
        let mut visitor = node.logged_in("ada").await;
        node.clock.advance(second(if due { 3601 } else { 100 }));
        let slow = node.engine.resolve(&visitor.request()).await.unwrap();
        log_out(&node, &mut visitor).await;
        assert_eq!(finish(&node, &slow).await, (None, vec![]), "due: {due}");
    }
}
#[tokio::test]
async fn a_login_after_a_principal_switch_tells_of_the_end_of_the_first() {
    let node = Node::new(SessionPolicy::user_default());
    let rx = listen(&node);
    let mut visitor = node.logged_in("ada").await;
    drain(&rx);
    node.visit(&mut visitor, async |s| s.mark_authenticated(user("eve"))).await.commit.unwrap();
    let kinds: Vec<_> = drain(&rx).iter().map(|e| e.kind).collect();
    assert!(kinds.contains(&EventKind::LoggedOut), "{kinds:?}");
}
