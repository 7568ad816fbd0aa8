//! An id changes without ever logging a parallel request out, and an old one that comes back is a sign of theft.

use sessions::{EventKind, SessionPolicy};
use sessions_tests::{Node, Visitor, second, user};

fn hourly() -> SessionPolicy {
    SessionPolicy::for_web_users().no_idle_timeout().rotating_every(second(3600), second(30)).build().unwrap()
}

async fn read(node: &Node, visitor: &mut Visitor) -> bool {
    let answer = node.visit(visitor, async |session| session.is_authenticated()).await;
    answer.commit.unwrap();
    answer.value
}

#[tokio::test]
async fn a_change_of_privilege_leaves_the_old_id_dead_at_once() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = Visitor::default();
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    let mut steps = vec![visitor.clone()];
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    steps.push(visitor.clone());
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    steps.push(visitor.clone());
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada").role("admin")))
        .await
        .commit
        .unwrap();
    for old in &steps {
        assert_ne!(old.cookie, visitor.cookie);
        let answer = node.visit(&mut old.clone(), async |session| session.get::<u8>("a").unwrap()).await;
        assert_eq!((answer.value, answer.cookies.len()), (None, 0));
    }
    assert_eq!(
        node.who(&visitor).await.as_deref(),
        Some("ada"),
        "an old id is of no use, and no one is logged out by it"
    );
}

#[tokio::test]
async fn an_explicit_rotation_keeps_data_and_handle() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    let look = async |session: &mut sessions::Session| (session.handle(), session.get::<u8>("a").unwrap());
    let before = node.visit(&mut visitor, look).await.value;
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    assert_eq!(node.visit(&mut visitor, look).await.value, before);
    assert_eq!(node.stored().await, 1);
}

#[tokio::test]
async fn parallel_requests_converge_on_one_successor() {
    let node = Node::new(hourly());
    let twin = node.twin(hourly());
    let visitor = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    node.store.set_slow(true);
    let clients: Vec<_> = (0..20)
        .map(|n| {
            let (node, mut visitor) = (if n % 2 == 0 { node.clone() } else { twin.clone() }, visitor.clone());
            tokio::spawn(async move {
                assert!(read(&node, &mut visitor).await);
                visitor.cookie
            })
        })
        .collect();
    let mut successors = std::collections::BTreeSet::new();
    for client in clients {
        successors.insert(client.await.unwrap());
    }
    assert_eq!(successors.len(), 1, "every response carries the one successor");
    assert!(!successors.contains(&visitor.cookie));
}

#[tokio::test]
async fn the_old_id_works_within_the_grace_and_its_response_carries_the_successor() {
    let node = Node::new(hourly());
    let old = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    let mut new = old.clone();
    assert!(read(&node, &mut new).await);
    assert_ne!(new.cookie, old.cookie);
    node.clock.advance(second(20));
    let mut late = old.clone();
    node.visit(&mut late, async |session| session.set("late", 1)).await.commit.unwrap();
    assert_eq!(late.cookie, new.cookie);
    let answer = node.visit(&mut new, async |session| session.get::<u8>("late").unwrap()).await;
    assert_eq!(answer.value, Some(1));
}

#[tokio::test]
async fn a_lost_response_locks_no_one_out() {
    let node = Node::new(hourly());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    let mut lost = visitor.clone();
    assert!(read(&node, &mut lost).await);
    node.clock.advance(second(600));
    let held = visitor.cookie.clone();
    assert!(read(&node, &mut visitor).await, "the successor never reached the client");
    assert_ne!(visitor.cookie, held);
    assert!(read(&node, &mut visitor).await);
    assert!(!read(&node, &mut lost).await, "the lost successor is void");
    assert!(!read(&node, &mut visitor).await, "and using it is a sign of theft");
}

#[tokio::test]
async fn an_old_id_after_its_successors_use_ends_the_session_and_says_so() {
    let node = Node::new(hourly());
    let (sender, events) = std::sync::mpsc::channel();
    node.engine.on_event(move |event| {
        let _ = sender.send(event.kind);
    });
    let mut thief = node.logged_in("ada").await;
    let mut visitor = thief.clone();
    node.clock.advance(second(3601));
    assert!(read(&node, &mut visitor).await);
    assert!(read(&node, &mut visitor).await);
    node.clock.advance(second(31));
    let answer = node.visit(&mut thief, async |session| session.is_authenticated()).await;
    assert!(!answer.value && answer.cookies.is_empty());
    assert!(!read(&node, &mut visitor).await, "the lineage is revoked");
    let heard = std::iter::from_fn(|| events.recv_timeout(second(1)).ok());
    assert!(heard.take(50).any(|kind| kind == EventKind::Reused));
}

#[tokio::test]
async fn no_change_is_lost_around_a_rotation() {
    let node = Node::new(hourly());
    let visitor = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    node.store.set_slow(true);
    let clients: Vec<_> = (0..50)
        .map(|n| {
            let (node, mut visitor) = (node.clone(), visitor.clone());
            tokio::spawn(async move {
                let answer = node.visit(&mut visitor, async |session| session.set(&format!("k{n}"), n)).await;
                answer.commit.unwrap();
                visitor
            })
        })
        .collect();
    let mut last = Visitor::default();
    for client in clients {
        last = client.await.unwrap();
    }
    let answer = node.visit(&mut last, async |session| session.keys().len()).await;
    assert_eq!(answer.value, 50);
}

#[tokio::test]
async fn a_logout_with_either_id_ends_both() {
    let node = Node::new(hourly());
    let mut old = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    let mut new = old.clone();
    assert!(read(&node, &mut new).await);
    let logout = async |session: &mut sessions::Session| {
        session.clear_authentication();
        session.clear_data();
    };
    node.visit(&mut old, logout).await.commit.unwrap();
    assert!(!read(&node, &mut new).await);
}

#[tokio::test]
async fn rotation_on_use_survives_a_page_full_of_parallel_requests() {
    let policy = SessionPolicy::for_web_users().rotating_on_use().build().unwrap();
    let node = Node::new(policy);
    let mut visitor = node.logged_in("ada").await;
    for _ in 0..20 {
        let before = visitor.cookie.clone();
        let page = visitor.clone();
        assert!(read(&node, &mut visitor).await);
        assert!(read(&node, &mut visitor).await, "the next request comes while the page is still loading");
        for _ in 0..5 {
            assert!(read(&node, &mut page.clone()).await);
        }
        node.clock.advance(second(31));
        assert_ne!(before, visitor.cookie);
        assert!(read(&node, &mut visitor).await);
        node.clock.advance(second(31));
    }
}

#[tokio::test]
async fn several_writes_in_one_request_do_not_take_the_successor_for_used() {
    let node = Node::new(hourly());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    let mut lost = visitor.clone();
    node.visit(&mut lost, async |session| {
        session.update("n", |n: &mut u8| *n += 1).await.unwrap();
        session.set("a", 1).unwrap();
    })
    .await
    .commit
    .unwrap();
    node.clock.advance(second(31));
    assert!(read(&node, &mut visitor).await, "the client never saw the successor");
}

#[tokio::test]
async fn a_privilege_change_within_the_grace_raises_no_false_alarm() {
    let node = Node::new(hourly());
    let old = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    let mut new = old.clone();
    assert!(read(&node, &mut new).await);
    node.visit(&mut new, async |session| session.rotate()).await.commit.unwrap();
    assert!(!read(&node, &mut old.clone()).await, "a rotation of privilege has no grace");
    assert!(read(&node, &mut new).await, "a request that was under way is no theft");
}

#[tokio::test]
async fn a_privilege_change_after_a_lost_response_raises_no_false_alarm() {
    let node = Node::new(hourly());
    let mut visitor = node.logged_in("ada").await;
    node.clock.advance(second(3601));
    assert!(read(&node, &mut visitor.clone()).await, "this response is lost");
    node.clock.advance(second(600));
    let page = visitor.clone();
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    assert!(!read(&node, &mut page.clone()).await, "a rotation of privilege has no grace");
    assert!(read(&node, &mut visitor).await, "the page's other request was under way: that is no theft");
}
