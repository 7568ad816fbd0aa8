//! Requests of one session take turns where the policy says so: in a process, over nodes, and whatever ends a request.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    routing::post,
};
use futures_util::FutureExt;
use sessions::{EventKind, Fault, Session, SessionError, SessionPolicy, session};
use sessions_tests::{Fate, Node, Spy, Visitor, second, stored, user};
use tower::ServiceExt;

/// Waits of 200 ms and leases of 30 s.
fn policy() -> SessionPolicy {
    let turns = SessionPolicy::for_web_users().one_request_at_a_time(Duration::from_millis(200), second(30));
    turns.build().unwrap()
}

/// Waits that nothing outlasts.
fn patient() -> SessionPolicy {
    SessionPolicy::for_web_users().one_request_at_a_time(second(60), second(30)).build().unwrap()
}

/// Opens the visitor's session.
async fn open(node: &Node, visitor: &Visitor) -> Result<Session, Fault> {
    node.engine.resolve(&visitor.request()).await.map_err(|error| error.fault())
}

async fn finish(node: &Node, session: &Session) -> Result<(), Fault> {
    let mut response = http::Response::new(());
    node.engine.commit(session, &mut response).await.map_err(|error| error.fault())
}

/// A number that a visitor's requests read and then set, as a handler does that knows of no other.
async fn count(node: &Node, visitor: &Visitor, inside: &AtomicUsize) -> Result<u64, Fault> {
    let mut session = open(node, visitor).await?;
    assert_eq!(inside.fetch_add(1, SeqCst), 0, "two requests have the session at once");
    let n = session.get::<u64>("n").unwrap().unwrap_or(0) + 1;
    tokio::task::yield_now().await;
    session.set("n", n).unwrap();
    inside.fetch_sub(1, SeqCst);
    finish(node, &session).await?;
    Ok(n)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_one_session_run_one_after_another_on_two_nodes() {
    let node = Node::new(patient());
    let nodes = [node.clone(), node.twin(patient())];
    let visitor = node.logged_in("ada").await;
    for slow in [false, true] {
        node.store.set_slow(slow);
        let inside = Arc::new(AtomicUsize::new(0));
        let requests: Vec<_> = (0..60)
            .map(|n| {
                let (node, visitor, inside) = (nodes[n % 2].clone(), visitor.clone(), Arc::clone(&inside));
                tokio::spawn(async move { count(&node, &visitor, &inside).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for request in requests {
            answers.push(request.await.unwrap());
        }
        answers.sort_unstable();
        let first = if slow { 61 } else { 1 };
        assert_eq!(answers, (first..first + 60).collect::<Vec<_>>(), "each number once");
    }
}

#[tokio::test]
async fn in_a_process_the_first_to_come_is_the_first_to_be_served() {
    let node = Node::new(patient());
    let visitor = node.logged_in("ada").await;
    let holder = open(&node, &visitor).await.unwrap();
    let served = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut requests = Vec::new();
    for n in 0..5 {
        let (at, visitor, served) = (node.clone(), visitor.clone(), Arc::clone(&served));
        requests.push(tokio::spawn(async move {
            let session = open(&at, &visitor).await.unwrap();
            served.lock().unwrap().push(n);
            finish(&at, &session).await.unwrap();
        }));
        // It has read the session and waits.
        node.at_rest().await;
    }
    finish(&node, &holder).await.unwrap();
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(*served.lock().unwrap(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn who_waits_in_vain_is_told_and_changes_nothing() {
    let node = Node::new(policy());
    for waiting in [node.clone(), node.twin(policy())] {
        let (sender, events) = std::sync::mpsc::channel();
        waiting.engine.on_event(move |event| {
            let _ = sender.send(event.clone());
        });
        let visitor = node.logged_in("ada").await;
        let holder = open(&node, &visitor).await.unwrap();
        node.store.take_counts();
        let error = waiting.engine.resolve(&visitor.request()).await.unwrap_err();
        assert_eq!((error.fault(), error.status().as_u16()), (Fault::Locked, 423));
        assert_eq!(error.retry_after(), Some(second(1)));
        assert_eq!(error.into_http().headers()[header::RETRY_AFTER], "1");
        assert_eq!(node.store.take_counts().writes(), 0);
        let mut told = std::iter::from_fn(|| events.recv_timeout(second(1)).ok());
        let locked = told.find(|event| event.kind == EventKind::Locked).unwrap();
        assert_eq!((locked.handle, locked.fault), (holder.handle(), Some(Fault::Locked)));
        finish(&node, &holder).await.unwrap();
        let next = open(&waiting, &visitor).await.unwrap();
        finish(&waiting, &next).await.unwrap();
    }
}

#[tokio::test]
async fn the_commit_takes_the_lease_away_in_its_own_write() {
    let node = Node::new(policy());
    let mut visitor = node.logged_in("ada").await;
    node.store.take_counts();
    node.visit(&mut visitor, async |session| session.set("key", 1)).await.commit.unwrap();
    let counts = node.store.take_counts();
    assert_eq!((counts.reads(), counts.writes()), (1, 2), "the lease, and the change without it");
    node.visit(&mut visitor, async |_| {}).await.commit.unwrap();
    let counts = node.store.take_counts();
    assert_eq!((counts.reads(), counts.writes()), (1, 2), "the lease, and the record without it");
    assert!(open(&node.twin(policy()), &visitor).await.is_ok());
}

#[tokio::test]
async fn other_sessions_and_new_ones_wait_for_no_one() {
    let node = Node::new(policy());
    let (ada, eve) = (node.logged_in("ada").await, node.logged_in("eve").await);
    let holder = open(&node, &ada).await.unwrap();
    assert!(open(&node, &eve).await.is_ok());
    assert!(open(&node, &Visitor::default()).await.is_ok());
    finish(&node, &holder).await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_stands_in_no_ones_way() {
    let node = Node::new(policy());
    let visitor = node.logged_in("ada").await;
    let forged = Visitor {
        cookie: visitor.cookie.clone().map(|cookie| cookie[..cookie.len() - 4].to_owned() + "AAAA"),
    };
    node.store.take_counts();
    let _nobody = open(&node, &forged).await.unwrap();
    assert_eq!(node.store.take_counts().writes(), 0);
    assert!(open(&node, &visitor).await.is_ok());
}

#[tokio::test]
async fn a_request_that_is_dropped_or_panics_gives_the_session_back() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let visitor = node.logged_in("ada").await;
    for next in [&node, &twin] {
        let mut dropped = open(&node, &visitor).await.unwrap();
        dropped.set("lost", 1).unwrap();
        drop(dropped);
        assert!(!open(next, &visitor).await.unwrap().contains("lost"));
        let panicking = async {
            let _session = open(&node, &visitor).await.unwrap();
            panic!("in a handler");
        };
        assert!(std::panic::AssertUnwindSafe(panicking).catch_unwind().await.is_err());
        assert!(open(next, &visitor).await.is_ok());
    }
}

#[tokio::test]
async fn a_request_that_is_cancelled_at_any_await_gives_the_session_back() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let visitor = node.logged_in("ada").await;
    node.store.set_slow(true);
    let mut polls = 0;
    loop {
        polls += 1;
        let finished = {
            let mut left = polls;
            let mut visitor = visitor.clone();
            let node = &node;
            let mut request = pin!(async move {
                let handler = async |session: &mut Session| {
                    session.set("a", 1).unwrap();
                    session.update("n", |n: &mut u64| *n += 1).await
                };
                let answer = node.visit(&mut visitor, handler).await;
                answer.value.unwrap();
                answer.commit.unwrap();
            });
            poll_fn(|cx| {
                if request.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(true);
                }
                left -= 1;
                if left == 0 { Poll::Ready(false) } else { Poll::Pending }
            })
            .await
        };
        let next = if polls % 2 == 0 { &node } else { &twin };
        let session = open(next, &visitor).await;
        assert!(session.is_ok(), "locked after {polls} polls");
        finish(next, &session.unwrap()).await.unwrap();
        if finished {
            break;
        }
    }
    assert!(polls > 8, "{polls}");
}

#[tokio::test]
async fn a_lease_whose_answer_was_lost_holds_no_one_up() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let visitor = node.logged_in("ada").await;
    for fate in [Fate::Applied, Fate::AppliedLater(Duration::from_millis(100))] {
        node.store.lose_next_write(fate);
        assert_eq!(open(&node, &visitor).await.unwrap_err(), Fault::StoreUnavailable);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(open(&twin, &visitor).await.is_ok(), "{fate:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn after_a_crash_the_lease_runs_out() {
    let node = Node::new(policy());
    let visitor = node.logged_in("ada").await;
    let crashed = open(&node, &visitor).await.unwrap();
    std::mem::forget(crashed);
    let twin = node.twin(policy());
    node.clock.advance(Duration::from_millis(29_999));
    assert_eq!(open(&twin, &visitor).await.unwrap_err(), Fault::Locked);
    node.clock.advance(Duration::from_millis(1));
    assert!(open(&twin, &visitor).await.is_ok());
}

#[tokio::test]
async fn a_lease_of_a_clock_that_is_far_ahead_holds_no_one_up() {
    let node = Node::new(policy());
    let visitor = node.logged_in("ada").await;
    let ahead = sessions::testing::ManualClock::default();
    ahead.advance(second(1_000));
    let wrong = Node::on(policy(), node.store.clone(), ahead);
    std::mem::forget(open(&wrong, &visitor).await.unwrap());
    assert!(open(&node, &visitor).await.is_ok());
}

#[tokio::test]
async fn a_holder_whose_lease_ran_out_is_refused_once_another_has_followed() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let mut visitor = node.logged_in("ada").await;
    for follower_commits in [false, true] {
        let mut late = open(&node, &visitor).await.unwrap();
        late.set("late", 1).unwrap();
        node.clock.advance(second(30));
        let mut follower = open(&twin, &visitor).await.unwrap();
        follower.set("follower", 1).unwrap();
        if follower_commits {
            finish(&twin, &follower).await.unwrap();
        }
        assert_eq!(late.update("n", |n: &mut u8| *n += 1).await.unwrap_err().fault(), Fault::Conflict);
        assert_eq!(finish(&node, &late).await, Err(Fault::Conflict));
        drop(late);
        tokio::task::yield_now().await;
        if !follower_commits {
            assert_eq!(
                finish(&twin, &follower).await,
                Ok(()),
                "the late one takes nothing from who followed"
            );
        }
        let keys = node.visit(&mut visitor, async |session| session.keys()).await.value;
        assert_eq!(keys, ["follower"]);
    }
}

#[tokio::test]
async fn an_update_that_is_still_under_way_after_the_commit_disturbs_no_one_who_followed() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let visitor = node.logged_in("ada").await;
    let mut session = open(&node, &visitor).await.unwrap();
    node.store.set_slow(true);
    let left_running = session.untyped();
    let mut update = pin!(left_running.update("n", |n: &mut u8| *n += 1));
    assert!(update.as_mut().now_or_never().is_none());
    session.set("key", 1).unwrap();
    finish(&node, &session).await.unwrap();
    let mut follower = open(&twin, &visitor).await.unwrap();
    assert_eq!(update.await.unwrap_err().fault(), Fault::Conflict);
    follower.set("follower", 1).unwrap();
    assert_eq!(finish(&twin, &follower).await, Ok(()));
}

#[tokio::test]
async fn a_holder_whose_lease_ran_out_goes_on_where_no_one_has_followed() {
    let node = Node::new(policy());
    let mut visitor = node.logged_in("ada").await;
    let mut slow = open(&node, &visitor).await.unwrap();
    slow.set("slow", 1).unwrap();
    node.clock.advance(second(31));
    assert_eq!(finish(&node, &slow).await, Ok(()));
    drop(slow);
    assert_eq!(node.visit(&mut visitor, async |session| session.keys()).await.value, ["slow"]);
}

#[tokio::test]
async fn a_write_before_the_response_renews_the_lease() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let visitor = node.logged_in("ada").await;
    let mut session = open(&node, &visitor).await.unwrap();
    for n in 1..4_u8 {
        node.clock.advance(second(20));
        if n % 2 == 0 {
            session.set("n", n).unwrap();
            session.commit().await.unwrap();
        } else {
            assert_eq!(
                session
                    .update("n", |n: &mut u8| {
                        *n += 1;
                        *n
                    })
                    .await
                    .unwrap(),
                n
            );
        }
        assert_eq!(open(&twin, &visitor).await.unwrap_err(), Fault::Locked);
    }
    finish(&node, &session).await.unwrap();
    assert_eq!(open(&twin, &visitor).await.unwrap().get::<u8>("n").unwrap(), Some(3));
}

#[tokio::test]
async fn an_ending_waits_for_no_lease_and_beats_its_holder() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let other = node.logged_in("ada").await;
    for way in 0..4 {
        let visitor = node.logged_in("ada").await;
        let mut holder = open(&node, &visitor).await.unwrap();
        holder.set("late", 1).unwrap();
        let handle = holder.handle().unwrap();
        match way {
            0 => assert!(twin.engine.revoke(&user("ada"), handle).await.unwrap()),
            1 => assert_eq!(open(&twin, &other).await.unwrap().revoke_others().await.unwrap(), 1),
            2 => assert!(open(&twin, &other).await.unwrap().revoke(handle).await.unwrap()),
            _ => assert_eq!(twin.engine.revoke_all(&user("ada")).await.unwrap(), 2),
        }
        assert_eq!(finish(&node, &holder).await, Err(Fault::Gone), "way {way}");
        assert_eq!(node.who(&visitor).await, None);
    }
}

#[tokio::test]
async fn a_logout_whose_lease_ran_out_ends_the_session_all_the_same() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    for keeps_data in [false, true] {
        let visitor = node.logged_in("ada").await;
        let mut leaving = open(&node, &visitor).await.unwrap();
        leaving.clear_authentication();
        if keeps_data {
            leaving.set("cart", "tea").unwrap();
        } else {
            leaving.clear_data();
        }
        node.clock.advance(second(30));
        let mut follower = open(&twin, &visitor).await.unwrap();
        follower.set("late", 1).unwrap();
        assert_eq!(finish(&node, &leaving).await, Ok(()));
        assert_eq!(finish(&twin, &follower).await, Err(Fault::Gone));
        assert_eq!(node.who(&visitor).await, None);
    }
}

#[tokio::test]
async fn logins_logouts_and_rotations_give_the_session_back() {
    let node = Node::new(policy());
    let twin = node.twin(policy());
    let mut visitor = Visitor::default();
    for (n, next) in [&node, &twin, &node, &twin].into_iter().enumerate() {
        next.visit(&mut visitor, async |session| session.set("cart", n)).await.commit.unwrap();
        let login = next.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
        login.commit.unwrap();
        node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
            .await
            .commit
            .unwrap();
        twin.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
        let early = node
            .visit(&mut visitor, async |session| {
                session.mark_authenticated(user("eve"));
                session.commit().await.unwrap();
                session.update("n", |n: &mut u8| *n += 1).await
            })
            .await;
        early.value.unwrap();
        early.commit.unwrap();
        assert_eq!(twin.who(&visitor).await.as_deref(), Some("eve"));
        twin.visit(&mut visitor, async |session| session.clear_authentication()).await.commit.unwrap();
        assert_eq!(node.who(&visitor).await, None);
    }
}

#[tokio::test]
async fn a_refused_commit_gives_the_session_back() {
    let node = Node::new(policy());
    let mut visitor = node.logged_in("ada").await;
    let big = node.visit(&mut visitor, async |session| session.set("big", "x".repeat(70_000))).await;
    assert_eq!(big.commit.unwrap_err().fault(), Fault::TooLarge);
    let misused = node.visit(&mut visitor, async |session| session.remember(true)).await;
    assert_eq!(misused.commit.unwrap_err().fault(), Fault::PolicyViolation);
    assert!(open(&node.twin(policy()), &visitor).await.is_ok());
}

#[tokio::test]
async fn parallel_requests_converge_on_one_successor_in_their_turns() {
    let rotating = || {
        let policy = SessionPolicy::for_web_users().rotating_every(second(60), second(10));
        policy.one_request_at_a_time(second(60), second(30)).build().unwrap()
    };
    let node = Node::new(rotating());
    let nodes = [node.clone(), node.twin(rotating())];
    let visitor = node.logged_in("ada").await;
    node.clock.advance(second(61));
    node.store.set_slow(true);
    let requests = (0..10).map(|n| {
        let (node, mut visitor) = (nodes[n % 2].clone(), visitor.clone());
        async move {
            let answer = node.visit(&mut visitor, async |session| session.set(&format!("k{n}"), n)).await;
            answer.commit.unwrap();
            visitor.cookie.unwrap()
        }
    });
    let cookies = futures_util::future::join_all(requests).await;
    assert!(cookies.windows(2).all(|pair| pair[0] == pair[1]), "one successor for all");
    let mut successor = Visitor { cookie: Some(cookies[0].clone()) };
    assert_eq!(node.visit(&mut successor, async |session| session.keys().len()).await.value, 10);
}

#[tokio::test]
async fn a_node_whose_policy_knows_no_turns_carries_the_lease_through() {
    let node = Node::new(policy());
    let plain = node.twin(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let mut holder = open(&node, &visitor).await.unwrap();
    holder.set("holder", 1).unwrap();
    plain.visit(&mut visitor, async |session| session.set("plain", 1)).await.commit.unwrap();
    assert_eq!(open(&node.twin(policy()), &visitor).await.unwrap_err(), Fault::Locked);
    finish(&node, &holder).await.unwrap();
    assert_eq!(node.visit(&mut visitor, async |session| session.keys()).await.value, ["plain", "holder"]);
}

sessions::policies! {
    turns: {
        extends: "user_default",
        on_conflict: "serial",
        serial: { wait: "100ms" },
        persistence: { store_name: "main" },
    },
}

#[session(policy = "turns")]
async fn set(mut session: Session) -> Result<&'static str, SessionError> {
    session.set("key", 1)?;
    Ok("set")
}

#[session(policy = "turns")]
async fn twice(first: Session, mut second: Session, third: Option<Session>) -> Result<String, SessionError> {
    second.set("key", 7)?;
    Ok(format!("{:?} {}", first.get::<u8>("key")?, third.is_some()))
}

#[session(policy = "turns")]
async fn panicking(_session: Session) -> &'static str {
    panic!("in a handler")
}

#[session(policy = "turns")]
async fn hanging(session: Session) -> &'static str {
    let kept = session.untyped();
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(kept);
    });
    std::future::pending().await
}

#[session(policy = "turns", require = authenticated)]
async fn refused(_session: Session) -> &'static str {
    "never"
}

async fn leave(request: Request<Body>) -> Result<String, SessionError> {
    let (parts, _) = request.into_parts();
    Ok(Session::<policies::Turns>::end(&parts).await?.to_string())
}

async fn router(store: &Spy) -> Router {
    let file = "[stores.main]\nkind = \"custom\"\n";
    let registry =
        policies::Registry::builder().with_settings(Some(file), []).store("main", store.clone()).load().await;
    let open = sessions::require::<policies::Turns>(sessions::Requirements::none());
    Router::new()
        .route("/twice", post(twice))
        .route_layer(open)
        .route("/set", post(set))
        .route("/panic", post(panicking))
        .route("/hang", post(hanging))
        .route("/leave", post(leave))
        .route("/refused", post(refused))
        .layer(registry.unwrap().layer())
}

fn request(path: &str, cookie: Option<&str>) -> Request<Body> {
    let mut request = Request::post(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::empty()).unwrap()
}

async fn text(response: axum::response::Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn through_the_layer_a_request_has_one_turn_whatever_opens_the_session_and_ends_it() {
    let store = Spy::default();
    let (router, other) = (router(&store).await, router(&store).await);
    let first = router.clone().oneshot(request("/set", None)).await.unwrap();
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let cookie = Some(&*cookie);
    let shared = router.clone().oneshot(request("/twice", cookie)).await.unwrap();
    assert_eq!(shared.status(), StatusCode::OK);
    let refused = router.clone().oneshot(request("/refused", cookie)).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let panicked = std::panic::AssertUnwindSafe(router.clone().oneshot(request("/panic", cookie)));
    assert!(panicked.catch_unwind().await.is_err());
    assert_eq!(other.clone().oneshot(request("/set", cookie)).await.unwrap().status(), StatusCode::OK);

    let mut hanging = Box::pin(router.clone().oneshot(request("/hang", cookie)));
    let opened = tokio::time::timeout(Duration::from_millis(200), &mut hanging).await;
    assert!(opened.is_err(), "it has the turn and hangs");
    for router in [&router, &other] {
        let locked = router.clone().oneshot(request("/set", cookie)).await.unwrap();
        assert_eq!(
            (locked.status(), &locked.headers()[header::RETRY_AFTER]),
            (StatusCode::LOCKED, &"1".parse().unwrap())
        );
        assert!(!locked.headers().contains_key(header::SET_COOKIE));
    }
    drop(hanging);
    assert_eq!(other.clone().oneshot(request("/set", cookie)).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_logout_that_opens_nothing_waits_for_no_lease() {
    let store = Spy::default();
    let (router, other) = (router(&store).await, router(&store).await);
    let first = router.clone().oneshot(request("/set", None)).await.unwrap();
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut hanging = Box::pin(router.clone().oneshot(request("/hang", Some(&cookie))));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut hanging).await.is_err());
    let left = other.clone().oneshot(request("/leave", Some(&cookie))).await.unwrap();
    assert!(left.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!((text(left).await, stored(&store).await), ("true".to_owned(), 0));
    let again = other.clone().oneshot(request("/leave", Some(&cookie))).await.unwrap();
    assert!(!again.headers().contains_key(header::SET_COOKIE));
    assert_eq!(text(again).await, "false");
}

#[tokio::test]
async fn extractors_that_run_at_once_share_the_turn() {
    let store = Spy::default();
    let file = "[stores.main]\nkind = \"custom\"\n";
    let registry =
        policies::Registry::builder().with_settings(Some(file), []).store("main", store.clone()).load().await;
    let handler = tower::service_fn(|request: Request<Body>| async move {
        let (parts, _) = request.into_parts();
        let open = || Session::<policies::Turns>::open(&parts);
        let (one, two) = tokio::join!(open(), open());
        one.unwrap().set("key", 1).unwrap();
        assert!(two.unwrap().contains("key"));
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    });
    let service = tower_layer::Layer::layer(&registry.unwrap().layer(), handler);
    let first = service.clone().oneshot(request("/", None)).await.unwrap();
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    store.set_slow(true);
    assert_eq!(service.oneshot(request("/", Some(&cookie))).await.unwrap().status(), StatusCode::OK);
}
