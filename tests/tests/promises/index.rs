//! A store whose index has a key: who reads it can't tell whose sessions are there.

use sessions::{IndexKey, SessionEngine, SessionPolicy, SessionStore as _, SharedStore, store::Owner};
use sessions_tests::{Node, Spy, Visitor, user};

fn key(number: u8) -> IndexKey {
    let digits: Vec<_> = (0..32).map(|byte| format!("{:02x}", byte ^ number)).collect();
    IndexKey::parse(&digits.concat()).unwrap()
}

fn under(key: IndexKey, store: &Node) -> Node {
    let engine = SessionEngine::builder(SessionPolicy::user_default())
        .store(SharedStore::new(store.store.clone()))
        .clock(store.clock.shared())
        .index_key(key)
        .build();
    Node { engine, ..store.clone() }
}

/// What anyone can compute who knows a user's name.
fn guessed(store: &Spy) -> impl Future<Output = usize> {
    let owner = Owner::of(SessionPolicy::user_default().name(), "user", "ada");
    let store = store.clone();
    async move { store.inner().list(owner, None, 10, 0).await.unwrap().len() }
}

#[tokio::test]
async fn no_one_without_the_key_finds_a_users_sessions() {
    let plain = Node::new(SessionPolicy::user_default());
    plain.logged_in("ada").await;
    assert_eq!(guessed(&plain.store).await, 1);
    let node = under(key(1), &Node::new(SessionPolicy::user_default()));
    let visitor = node.logged_in("ada").await;
    assert_eq!(guessed(&node.store).await, 0);
    assert_eq!(node.who(&visitor).await.as_deref(), Some("ada"));
    assert_eq!(node.engine.sessions_of(&user("ada")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn limits_and_revocations_hold_among_nodes_with_the_same_key() {
    let one = under(key(1), &Node::new(SessionPolicy::user_default()));
    let other = under(key(1), &one);
    let mut visitors = Vec::new();
    for number in 0..7 {
        visitors.push(if number % 2 == 0 { &one } else { &other }.logged_in("ada").await);
    }
    assert_eq!(one.engine.sessions_of(&user("ada")).await.unwrap().len(), 5);
    other.engine.revoke_all(&user("ada")).await.unwrap();
    for visitor in &visitors {
        assert_eq!(one.who(visitor).await, None);
    }
}

#[tokio::test]
async fn a_session_of_another_key_is_no_session() {
    let before = Node::new(SessionPolicy::user_default());
    let (mut guest, person) = (Visitor::default(), before.logged_in("ada").await);
    before.visit(&mut guest, async |session| session.set("cart", 1)).await.commit.unwrap();
    let node = under(key(1), &before);
    let other = under(key(2), &before);
    let again = node.logged_in("ada").await;
    // None is left that a revocation would not find.
    for (engine, visitor) in [(&node, &person), (&node, &guest), (&other, &again), (&before, &again)] {
        assert_eq!(engine.who(visitor).await, None);
    }
    let read = node.visit(&mut guest, async |session| session.contains("cart")).await;
    assert!(!read.value && read.cookies.is_empty());
    assert_eq!(node.who(&again).await.as_deref(), Some("ada"));
}
