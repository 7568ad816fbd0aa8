//! Watches: whatever ends a session ends what is served on it, wherever it was ended, and nothing else does.

use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt as _, stream};
use sessions::{
    BehaviorOnLimit, Fault, SessionEnding, SessionPolicy, SessionPolicyBuilder, SessionWatch, SocketActivity,
    testing::Operation,
};
use sessions_tests::{Node, Visitor, second, user};
use tokio::time::{sleep, timeout};

/// Sooner than any look would find it.
const AT_ONCE: Duration = Duration::from_millis(300);
/// As soon as it has to be over all nodes.
const PROMPT: Duration = Duration::from_millis(1_000);

async fn watch(node: &Node, visitor: &mut Visitor) -> SessionWatch {
    node.visit(visitor, async |session| session.watch().await.unwrap()).await.value
}

async fn ended(watch: &SessionWatch, within: Duration) -> Option<SessionEnding> {
    timeout(within, watch.ended()).await.ok()
}

fn node_of(policy: SessionPolicyBuilder) -> Node {
    Node::new(policy.build().unwrap())
}

#[tokio::test]
async fn every_ending_in_the_process_is_heard_at_once() {
    use SessionEnding::{Evicted, LoggedOut, Revoked, Superseded};
    let limited = SessionPolicy::for_web_users().max_concurrent(1, BehaviorOnLimit::EvictOldest);
    for how in [LoggedOut, Revoked, Evicted, Superseded] {
        let node = node_of(limited.clone());
        let mut ada = node.logged_in("ada").await;
        let watch = watch(&node, &mut ada).await;
        match how {
            LoggedOut => {
                node.visit(&mut ada, async |session| {
                    session.clear_authentication();
                    session.clear_data();
                })
                .await
                .commit
                .unwrap();
            }
            Revoked => drop(node.engine.revoke_all(&user("ada")).await.unwrap()),
            Evicted => drop(node.logged_in("ada").await),
            _ => node.visit(&mut ada, async |session| session.rotate()).await.commit.unwrap(),
        }
        assert_eq!(ended(&watch, AT_ONCE).await, Some(how));
        assert_eq!(watch.ending(), Some(how));
    }
}

#[tokio::test]
async fn every_way_to_change_privileges_supersedes_it_and_every_way_to_leave_ends_it() {
    let node = Node::new(SessionPolicy::user_default());
    let confirm = async |ada: &mut Visitor| {
        node.visit(ada, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    };
    let change_user = async |ada: &mut Visitor| {
        node.visit(ada, async |session| session.mark_authenticated(user("eve"))).await.commit.unwrap();
    };
    let credentials = async |ada: &mut Visitor| {
        node.visit(ada, async |session| session.credentials_changed().await.unwrap()).await.commit.unwrap();
    };
    let keep_data = async |ada: &mut Visitor| {
        node.visit(ada, async |session| {
            session.set("colour", "blue").unwrap();
            session.clear_authentication();
        })
        .await
        .commit
        .unwrap();
    };
    let mut ada = node.logged_in("ada").await;
    let first = watch(&node, &mut ada).await;
    confirm(&mut ada).await;
    assert_eq!(ended(&first, AT_ONCE).await, Some(SessionEnding::Superseded));
    let second = watch(&node, &mut ada).await;
    change_user(&mut ada).await;
    assert_eq!(ended(&second, AT_ONCE).await, Some(SessionEnding::Superseded));

    let mut ada = node.logged_in("ada").await;
    let (own, mut other) = (watch(&node, &mut ada).await, node.logged_in("ada").await);
    let others = watch(&node, &mut other).await;
    credentials(&mut ada).await;
    assert_eq!(ended(&own, AT_ONCE).await, Some(SessionEnding::Superseded));
    assert_eq!(ended(&others, AT_ONCE).await, Some(SessionEnding::Revoked));

    let kept = watch(&node, &mut ada).await;
    keep_data(&mut ada).await;
    assert_eq!(ended(&kept, AT_ONCE).await, Some(SessionEnding::LoggedOut));
}

#[tokio::test]
async fn what_another_node_does_is_heard_within_a_second() {
    let here = Node::new(SessionPolicy::user_default());
    let there = here.twin(SessionPolicy::user_default());
    let mut ada = here.logged_in("ada").await;
    let first = watch(&here, &mut ada).await;
    there.visit(&mut ada, async |session| session.rotate()).await.commit.unwrap();
    assert_eq!(ended(&first, PROMPT).await, Some(SessionEnding::Superseded));
    let second = watch(&here, &mut ada).await;
    there.engine.revoke_all(&user("ada")).await.unwrap();
    assert_eq!(ended(&second, PROMPT).await, Some(SessionEnding::Revoked));
}

#[tokio::test]
async fn a_change_of_privilege_is_told_from_any_number_of_rotations_by_time() {
    let often = SessionPolicy::for_web_users().rotating_every(second(60), second(1));
    let here = node_of(often.clone());
    let there = here.twin(often.build().unwrap());
    let mut ada = here.logged_in("ada").await;
    let mut rotate = async |times| {
        for _ in 0..times {
            here.clock.advance(second(61));
            there.visit(&mut ada, async |_| ()).await.commit.unwrap();
        }
        ada.clone()
    };
    let mut now = rotate(1).await;
    let watch = watch(&here, &mut now).await;
    let now = rotate(20).await;
    assert_eq!(ended(&watch, PROMPT).await, None, "more of them than a record remembers");
    let mut now = now;
    there.visit(&mut now, async |session| session.rotate()).await.commit.unwrap();
    for _ in 0..3 {
        here.clock.advance(second(61));
        there.visit(&mut now, async |_| ()).await.commit.unwrap();
    }
    assert_eq!(ended(&watch, PROMPT).await, Some(SessionEnding::Superseded));
}

#[tokio::test]
async fn lifetimes_end_a_watch_that_nobody_uses() {
    let policy = || SessionPolicy::for_web_users().lasting(second(600)).idle_timeout(second(60));
    let node = node_of(policy());
    let mut ada = node.logged_in("ada").await;
    let idle = watch(&node, &mut ada).await;
    node.clock.advance(second(59));
    assert_eq!(ended(&idle, PROMPT).await, None);
    node.clock.advance(second(1));
    assert_eq!(ended(&idle, PROMPT).await, Some(SessionEnding::IdleTimeout));

    let node = node_of(policy());
    let mut ada = node.logged_in("ada").await;
    let used = watch(&node, &mut ada).await;
    for _ in 0..12 {
        node.clock.advance(second(50));
        if node.who(&ada).await.is_none() {
            break;
        }
        node.visit(&mut ada, async |_| ()).await.commit.unwrap();
    }
    assert_eq!(ended(&used, PROMPT).await, Some(SessionEnding::Expired));
}

#[tokio::test]
async fn requests_elsewhere_keep_a_watched_session_alive() {
    let policy = || SessionPolicy::for_web_users().idle_timeout(second(60)).build().unwrap();
    let here = Node::new(policy());
    let there = here.twin(policy());
    let mut ada = here.logged_in("ada").await;
    let watch = watch(&here, &mut ada).await;
    for _ in 0..3 {
        here.clock.advance(second(50));
        there.visit(&mut ada, async |_| ()).await.commit.unwrap();
        assert_eq!(ended(&watch, PROMPT).await, None);
    }
    here.clock.advance(second(61));
    assert_eq!(ended(&watch, PROMPT).await, Some(SessionEnding::IdleTimeout));
}

#[tokio::test]
async fn the_policy_says_what_of_a_socket_is_activity() {
    for (activity, stays) in
        [(SocketActivity::Message, true), (SocketActivity::None, false), (SocketActivity::Connected, true)]
    {
        let allowed = SessionPolicy::for_web_users().idle_timeout(second(60)).socket_activity(activity);
        let node = node_of(allowed);
        let mut ada = node.logged_in("ada").await;
        let watch = watch(&node, &mut ada).await;
        for _ in 0..3 {
            node.clock.advance(second(40));
            if activity != SocketActivity::Connected {
                watch.note_activity();
            }
            sleep(Duration::from_millis(900)).await;
        }
        assert_eq!(watch.ending().is_none(), stays, "{activity}: {:?}", watch.ending());
        assert_eq!(node.who(&ada).await.is_some(), stays, "{activity}");
    }
}

#[tokio::test]
async fn messages_are_noted_as_seldom_as_requests() {
    let node = Node::new(SessionPolicy::user_default());
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    node.clock.advance(second(61));
    node.store.take_counts();
    for _ in 0..10_000 {
        watch.note_activity();
    }
    sleep(Duration::from_millis(900)).await;
    for _ in 0..10_000 {
        watch.note_activity();
    }
    sleep(Duration::from_millis(900)).await;
    assert_eq!(node.store.take_counts().of(Operation::Touch), 1);
}

#[tokio::test]
async fn a_session_that_ended_before_it_was_registered_is_not_served() {
    let here = Node::new(SessionPolicy::user_default());
    let there = here.twin(SessionPolicy::user_default());
    let mut ada = here.logged_in("ada").await;
    let opened = here
        .visit(&mut ada, async |session| {
            there.engine.revoke_all(&user("ada")).await.unwrap();
            session.watch().await.map(drop)
        })
        .await;
    assert_eq!(opened.value.unwrap_err().fault(), Fault::Gone);
    let mut eve = here.logged_in("eve").await;
    let opened = here
        .visit(&mut eve.clone(), async |session| {
            there.visit(&mut eve, async |session| session.rotate()).await.commit.unwrap();
            session.watch().await.map(drop)
        })
        .await;
    assert_eq!(opened.value.unwrap_err().fault(), Fault::Gone);
    assert_eq!(here.engine.open_watches(), 0);
}

#[tokio::test]
async fn no_revocation_falls_between_the_handshake_and_the_registration() {
    for delay in 0..16 {
        let node = Node::new(SessionPolicy::user_default());
        let ada = node.logged_in("ada").await;
        let session = node.engine.resolve(&ada.request()).await.unwrap();
        node.store.set_slow(true);
        let revoke = async {
            for _ in 0..delay {
                tokio::task::yield_now().await;
            }
            node.engine.revoke_all(&user("ada")).await.unwrap();
        };
        let (opened, ()) = tokio::join!(session.watch(), revoke);
        if let Ok(watch) = opened {
            assert!(ended(&watch, AT_ONCE).await.is_some(), "served on, {delay} steps later");
        }
    }
}

#[tokio::test]
async fn a_login_that_is_refused_leaves_the_visitors_socket_open() {
    let policy = SessionPolicy::for_web_users().max_concurrent(1, BehaviorOnLimit::Reject);
    let node = node_of(policy);
    let _taken = node.logged_in("ada").await;
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("colour", "blue").unwrap()).await.commit.unwrap();
    let watch = watch(&node, &mut visitor).await;
    let refused = node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
    assert_eq!(refused.commit.unwrap_err().fault(), Fault::ConcurrencyViolation);
    assert_eq!(ended(&watch, PROMPT).await, None);
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("eve"))).await.commit.unwrap();
    assert_eq!(ended(&watch, AT_ONCE).await, Some(SessionEnding::Superseded));
}

fn patient(outage: u64) -> Node {
    node_of(SessionPolicy::for_web_users().socket_outage(second(outage)))
}

#[tokio::test]
async fn a_store_that_stays_away_ends_a_watch_after_the_bound_and_not_before() {
    for hangs in [false, true] {
        let node = patient(2);
        let mut ada = node.logged_in("ada").await;
        let watch = watch(&node, &mut ada).await;
        let began = Instant::now();
        if hangs {
            node.store.set_hanging(true)
        } else {
            node.store.set_down(true)
        }
        let ending = ended(&watch, second(5)).await;
        assert_eq!(ending, Some(SessionEnding::StoreUnavailable));
        let after = began.elapsed();
        assert!(after >= second(2) && after < Duration::from_millis(3_300), "{after:?}, hanging: {hangs}");
    }
}

#[tokio::test]
async fn a_short_outage_costs_no_one_their_socket() {
    let node = patient(2);
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    for _ in 0..3 {
        node.store.set_down(true);
        sleep(Duration::from_millis(1_200)).await;
        node.store.set_down(false);
        sleep(Duration::from_millis(1_000)).await;
    }
    assert_eq!(watch.ending(), None);
    node.engine.revoke_all(&user("ada")).await.unwrap();
    assert_eq!(ended(&watch, AT_ONCE).await, Some(SessionEnding::Revoked));
}

#[tokio::test]
async fn the_end_itself_waits_for_no_store() {
    let node = node_of(SessionPolicy::for_web_users().lasting(second(600)).socket_outage(second(30)));
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    node.store.set_hanging(true);
    node.clock.advance(second(600));
    assert_eq!(ended(&watch, PROMPT).await, Some(SessionEnding::Expired));
}

#[tokio::test]
async fn a_revocation_whose_answer_is_lost_is_looked_for_at_once() {
    let node = Node::new(SessionPolicy::user_default());
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    sleep(Duration::from_millis(50)).await;
    // Applied by another hand in the same moment, and the answer of this one fails.
    node.twin(SessionPolicy::user_default()).engine.revoke_all(&user("ada")).await.unwrap();
    node.store.fail_next(Operation::End);
    node.engine.revoke_all(&user("ada")).await.unwrap_err();
    assert_eq!(ended(&watch, AT_ONCE).await, Some(SessionEnding::Revoked));
}

#[tokio::test]
async fn a_process_that_stops_ends_them_all_and_begins_none() {
    let node = Node::new(SessionPolicy::user_default());
    let mut ada = node.logged_in("ada").await;
    let open = watch(&node, &mut ada).await;
    let ending = tokio::spawn(async move { open.ended().await });
    node.engine.close_watches(second(2)).await;
    assert_eq!(node.engine.open_watches(), 0);
    assert_eq!(ending.await.unwrap(), SessionEnding::ShuttingDown);
    let refused = node.visit(&mut ada, async |session| session.watch().await.map(drop)).await;
    assert_eq!(refused.value.unwrap_err().fault(), Fault::StoreUnavailable);
}

#[tokio::test]
async fn a_guarded_stream_ends_with_the_session() {
    let node = Node::new(SessionPolicy::user_default());
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    let mut ready = watch.guard(stream::iter(0..));
    let mut silent = Box::pin(watch.guard(stream::pending::<u8>()));
    assert_eq!((ready.next().await, ready.next().await), (Some(0), Some(1)));
    assert!(timeout(Duration::from_millis(50), silent.next()).await.is_err());
    node.engine.revoke_all(&user("ada")).await.unwrap();
    assert_eq!(ready.next().await, None, "what was ready is not given any more");
    assert_eq!(timeout(AT_ONCE, silent.next()).await.unwrap(), None);
    assert_eq!(silent.size_hint(), (0, Some(0)));
    drop((ready, silent, watch));
    assert_eq!(node.engine.open_watches(), 0);
    let mut short = stream::iter([1]);
    assert_eq!(short.next().await, Some(1));
}

#[tokio::test]
async fn a_request_without_a_socket_pays_nothing_for_those_of_others() {
    let node = Node::new(SessionPolicy::user_default());
    let (mut ada, mut eve) = (node.logged_in("ada").await, node.logged_in("eve").await);
    let _watch = watch(&node, &mut ada).await;
    sleep(Duration::from_millis(20)).await;
    node.store.take_counts();
    node.visit(&mut eve, async |session| session.set("a", 1).unwrap()).await.commit.unwrap();
    assert_eq!(node.store.take_counts().totals(), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_sockets_cost_one_batched_check_a_tick() {
    const SOCKETS: usize = 10_000;
    let node = Node::new(SessionPolicy::user_default());
    let mut watches = Vec::with_capacity(SOCKETS);
    for id in 0..SOCKETS {
        let mut visitor = node.logged_in(&format!("user {id}")).await;
        watches.push(watch(&node, &mut visitor).await);
    }
    assert_eq!(node.engine.open_watches(), SOCKETS);
    sleep(Duration::from_millis(1_500)).await;
    node.store.take_counts();
    let began = Instant::now();
    sleep(second(6)).await;
    let (counts, took) = (node.store.take_counts(), began.elapsed());
    let batches = counts.of(Operation::LoadMany);
    // A tick is 600 to 750 ms, and a batch has 1,024 sessions.
    let ticks = took.as_secs_f64() / 0.6;
    println!("{SOCKETS} idle sockets, {took:?}: {batches} calls of the store, {:?}", counts.totals());
    #[expect(clippy::cast_precision_loss, reason = "a few calls")]
    let calls = batches as f64;
    assert!(calls <= (ticks + 1.0) * 10.0, "{batches} batches");
    assert!(batches >= 60, "they are looked at: {batches} batches");
    assert_eq!(counts.totals(), (batches, 0), "and nothing else is asked");
    node.engine.revoke_all(&user("user 7777")).await.unwrap();
    assert_eq!(ended(&watches[7_777], AT_ONCE).await, Some(SessionEnding::Revoked));
    assert!(watches.iter().filter(|watch| watch.ending().is_some()).count() == 1);
}

fn _a_guarded_stream_is_a_stream(watch: &SessionWatch) -> impl Stream<Item = u8> + Send + use<> {
    watch.guard(stream::pending())
}
