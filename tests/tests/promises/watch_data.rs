//! What a socket reads and writes: the same session as requests have, by the same rules.

use std::time::Duration;

use sessions::{EventKind, Fault, SessionEnding, SessionPolicy, SessionWatch};
use sessions_tests::{Node, Visitor, second, user};
use tokio::time::{sleep, timeout};

async fn watch(node: &Node, visitor: &mut Visitor) -> SessionWatch {
    node.visit(visitor, async |session| session.watch().await.unwrap()).await.value
}

async fn visits(watch: &SessionWatch) -> u64 {
    let one_more = |visits: &mut u64| {
        *visits += 1;
        *visits
    };
    watch.update("visits", one_more).await.unwrap()
}

#[tokio::test]
async fn a_socket_reads_what_requests_write_and_they_read_what_it_writes() {
    let here = Node::new(SessionPolicy::user_default());
    let there = here.twin(SessionPolicy::user_default());
    let mut ada = here.logged_in("ada").await;
    let watch = watch(&here, &mut ada).await;
    assert_eq!(watch.get::<String>("colour").await.unwrap(), None);
    there.visit(&mut ada, async |session| session.set("colour", "blue").unwrap()).await.commit.unwrap();
    assert_eq!(watch.get::<String>("colour").await.unwrap().as_deref(), Some("blue"));
    watch.set("size", 3).unwrap();
    assert_eq!(watch.get::<u8>("size").await.unwrap(), Some(3), "what is recorded is seen");
    let read = async |session: &mut sessions::Session| (session.get::<u8>("size").unwrap(), session.keys());
    assert_eq!(there.visit(&mut ada, read).await.value.0, None, "and not written before the commit");
    watch.remove("colour").unwrap();
    watch.commit().await.unwrap();
    assert_eq!(there.visit(&mut ada, read).await.value, (Some(3), vec!["size".to_owned()]));
    assert_eq!(watch.keys().await.unwrap(), ["size"]);
    assert_eq!(watch.principal().unwrap().id(), "ada");
}

#[tokio::test]
async fn sockets_and_requests_of_two_nodes_lose_no_update() {
    let here = Node::patient(SessionPolicy::user_default());
    let there = here.twin(SessionPolicy::user_default());
    let ada = here.logged_in("ada").await;
    let mut tasks = tokio::task::JoinSet::new();
    for node in [&here, &there] {
        let (watch, node, mut ada) = (watch(node, &mut ada.clone()).await, node.clone(), ada.clone());
        for _ in 0..4 {
            let watch = watch.clone();
            tasks.spawn(async move {
                for _ in 0..25 {
                    visits(&watch).await;
                }
            });
        }
        tasks.spawn(async move {
            for _ in 0..25 {
                let one_more = |visits: &mut u64| *visits += 1;
                node.visit(&mut ada, async |session| session.update("visits", one_more).await.unwrap()).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let watch = watch(&here, &mut ada.clone()).await;
    assert_eq!(watch.get::<u64>("visits").await.unwrap(), Some(250));
}

#[tokio::test]
async fn nothing_is_written_to_a_session_that_has_ended() {
    let here = Node::new(SessionPolicy::user_default());
    let there = here.twin(SessionPolicy::user_default());
    let mut ada = here.logged_in("ada").await;
    let watch = watch(&here, &mut ada).await;
    watch.set("colour", "blue").unwrap();
    there.engine.revoke_all(&user("ada")).await.unwrap();
    assert_eq!(watch.commit().await.unwrap_err().fault(), Fault::Gone);
    let update = watch.update("visits", |visits: &mut u64| *visits += 1).await;
    assert_eq!(update.unwrap_err().fault(), Fault::Gone);
    // It tells why before any tick.
    let ending = timeout(Duration::from_millis(300), watch.ended()).await;
    assert_eq!(ending, Ok(SessionEnding::Revoked));
    assert_eq!(watch.set("colour", "red").unwrap_err().fault(), Fault::Gone);
    assert_eq!(watch.get::<u8>("colour").await.unwrap_err().fault(), Fault::Gone);
    assert_eq!(here.stored().await, 0);
}

#[tokio::test]
async fn a_write_of_a_socket_that_meets_a_change_of_privilege_is_refused() {
    let here = Node::new(SessionPolicy::user_default());
    let there = here.twin(SessionPolicy::user_default());
    let mut ada = here.logged_in("ada").await;
    let watch = watch(&here, &mut ada).await;
    there.visit(&mut ada, async |session| session.rotate()).await.commit.unwrap();
    let update = watch.update("visits", |visits: &mut u64| *visits += 1).await;
    assert_eq!(update.unwrap_err().fault(), Fault::Gone);
    assert_eq!(timeout(Duration::from_millis(300), watch.ended()).await, Ok(SessionEnding::Superseded));
    let read = async |session: &mut sessions::Session| session.get::<u64>("visits").unwrap();
    assert_eq!(there.visit(&mut ada, read).await.value, None);
}

#[tokio::test]
async fn a_write_that_meets_a_login_that_is_refused_can_be_tried_again() {
    let policy = SessionPolicy::for_web_users().max_concurrent(1, sessions::BehaviorOnLimit::Reject);
    let node = Node::new(policy.build().unwrap());
    let _taken = node.logged_in("ada").await;
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("colour", "blue").unwrap()).await.commit.unwrap();
    let watch = watch(&node, &mut visitor).await;
    let (mut written, mut met) = (0, 0);
    for delay in 0..24 {
        node.store.set_slow(true);
        let login = async {
            let mut visitor = visitor.clone();
            let refused =
                node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await;
            assert_eq!(refused.commit.unwrap_err().fault(), Fault::ConcurrencyViolation);
        };
        let write = async {
            // Far apart at the end: a store with threads or a network takes long.
            for _ in 0..delay * delay * delay / 8 {
                tokio::task::yield_now().await;
            }
            watch.update("visits", |visits: &mut u64| *visits += 1).await
        };
        match tokio::join!(login, write).1 {
            Ok(()) => written += 1,
            Err(error) => {
                assert_eq!(error.fault(), Fault::Gone);
                met += 1;
            }
        }
        node.store.set_slow(false);
        written += 1;
        assert_eq!(visits(&watch).await, written, "step {delay}");
    }
    assert!(met > 0, "some write met the login");
    assert_eq!(watch.ending(), None);
    watch.logout().await.unwrap();
    assert_eq!(node.stored().await, 1, "Ada's own");
}

#[tokio::test]
async fn a_socket_writes_on_over_rotations_by_time_and_makes_none() {
    let node =
        Node::new(SessionPolicy::for_web_users().rotating_every(second(60), second(5)).build().unwrap());
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    for round in 1..=20 {
        node.clock.advance(second(61));
        assert_eq!(visits(&watch).await, 2 * round - 1, "due, and not by the socket");
        let before = ada.cookie.clone();
        let lost = node.visit(&mut ada.clone(), async |_| ()).await;
        lost.commit.unwrap();
        assert_eq!(lost.cookies.len(), 1, "the request rotates");
        assert_eq!(visits(&watch).await, 2 * round);
        // The response was lost: that the socket wrote does not mean that its client has the successor.
        node.clock.advance(second(6));
        node.visit(&mut ada, async |session| assert!(session.is_authenticated())).await.commit.unwrap();
        assert_ne!(ada.cookie, before);
    }
    assert_eq!(watch.ending(), None);
}

#[tokio::test]
async fn a_conflict_is_judged_by_what_the_socket_has_read() {
    let node = Node::new(SessionPolicy::for_web_users().set("on_conflict", "reject").build().unwrap());
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    watch.set("colour", "blue").unwrap();
    node.visit(&mut ada, async |session| session.set("colour", "red").unwrap()).await.commit.unwrap();
    assert_eq!(watch.commit().await.unwrap_err().fault(), Fault::Conflict);
    assert_eq!(watch.ending(), None);
}

#[tokio::test]
async fn a_socket_waits_for_the_request_that_has_the_session_to_itself() {
    let policy =
        || SessionPolicy::for_web_users().one_request_at_a_time(second(5), second(30)).build().unwrap();
    let here = Node::new(policy());
    let there = here.twin(policy());
    let mut ada = here.logged_in("ada").await;
    let watch = watch(&here, &mut ada).await;
    let slow = async {
        there
            .visit(&mut ada, async |session| {
                let before = session.get::<u64>("visits").unwrap().unwrap_or(0);
                sleep(Duration::from_millis(150)).await;
                session.set("visits", before + 1).unwrap();
            })
            .await
            .commit
            .unwrap();
    };
    let socket = async {
        sleep(Duration::from_millis(50)).await;
        visits(&watch).await
    };
    assert_eq!(tokio::join!(slow, socket), ((), 2), "neither is lost, and neither is refused");
}

#[tokio::test]
async fn a_logout_on_a_socket_ends_record_and_sockets() {
    let node = Node::new(SessionPolicy::user_default());
    let (sender, events) = std::sync::mpsc::channel();
    node.engine.on_event(move |event| sender.send(event.kind).unwrap());
    let mut ada = node.logged_in("ada").await;
    let (one, two) = (watch(&node, &mut ada).await, watch(&node, &mut ada).await);
    one.set("colour", "blue").unwrap();
    one.logout().await.unwrap();
    assert_eq!(one.ended().await, SessionEnding::LoggedOut);
    assert_eq!(two.ended().await, SessionEnding::LoggedOut);
    assert_eq!((node.stored().await, node.who(&ada).await), (0, None));
    two.logout().await.unwrap();
    assert!(events.iter().any(|kind| kind == EventKind::LoggedOut));
}

#[tokio::test]
async fn a_socket_without_changes_writes_nothing() {
    let node = Node::new(SessionPolicy::user_default());
    let mut ada = node.logged_in("ada").await;
    let watch = watch(&node, &mut ada).await;
    node.clock.advance(second(120));
    sleep(Duration::from_millis(20)).await;
    node.store.take_counts();
    watch.commit().await.unwrap();
    assert_eq!(node.store.take_counts().writes(), 0);
}

#[tokio::test]
async fn what_nothing_is_stored_of_is_not_watched() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    let refused = node.visit(&mut visitor, async |session| session.watch().await.map(drop)).await;
    assert_eq!(refused.value.unwrap_err().fault(), Fault::Required);
}
