//! Values that are encrypted at rest: readable with their key, in their place, and nowhere else.

use http::Response;
use sessions::{
    Clock, Codec, EncryptionKeys, Fault, SessionEngine, SessionId, SessionPolicy, SessionStore, SharedStore,
    Version,
    store::{Cas, CasOutcome, Expected, Owner},
};
use sessions_tests::{Node, Visitor, second, user};

const ONE: &str = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const TWO: &str = "2:f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff101112131415161718191a1b1c1d1e1f";
const SECRET: &str = "the cat sat on the mat";

/// The same node with other keys.
fn under(node: &Node, policy: SessionPolicy, keys: &[&str]) -> Node {
    let mut builder =
        SessionEngine::builder(policy).store(SharedStore::new(node.store.clone())).clock(node.clock.shared());
    if !keys.is_empty() {
        builder = builder.encryption_keys(EncryptionKeys::parse(keys.iter().copied()).unwrap());
    }
    Node { engine: builder.build(), ..node.clone() }
}

fn with_keys(node: &Node, keys: &[&str]) -> Node {
    under(node, SessionPolicy::user_default(), keys)
}

fn new(keys: &[&str]) -> Node {
    with_keys(&Node::new(SessionPolicy::user_default()), keys)
}

async fn set(node: &Node, visitor: &mut Visitor, key: &str, value: &str) {
    node.visit(visitor, async |session| session.set(key, value)).await.commit.unwrap();
}

async fn get(node: &Node, visitor: &Visitor, key: &str) -> Result<Option<String>, String> {
    let session = node.engine.resolve(&visitor.request()).await.unwrap();
    session.get(key).map_err(|error| {
        assert_eq!(error.fault(), Fault::StoreCorrupted);
        error.to_string()
    })
}

/// The one stored session of a person.
async fn stored(node: &Node, who: &str) -> (SessionId, Vec<u8>) {
    let owner = Owner::of(node.engine.policy().name(), "user", who);
    let listed = node.store.list(owner, None, 10, node.clock.now()).await.unwrap();
    assert_eq!(listed.len(), 1);
    (listed[0].id, listed[0].stored.record.to_vec())
}

/// Writes to the store what no engine would.
async fn forge(node: &Node, id: SessionId, record: Vec<u8>) {
    let now = node.clock.now();
    let write = Cas {
        id,
        owner: None,
        expected: Expected::Version(Version::of_record(&record)),
        announced: false,
        record: record.into(),
        expires: now + 3_600_000,
        now,
        deadline: now + 1_000,
    };
    assert!(matches!(node.store.cas(write).await.unwrap(), CasOutcome::Stored));
}

/// Where the value of a field of that name begins, if the name stands once in the record.
fn value_of(record: &[u8], name: &str) -> usize {
    let name = name.as_bytes();
    record.windows(name.len()).position(|window| window == name).unwrap() + name.len()
}

fn holds(record: &[u8], text: &str) -> bool {
    record.windows(text.len()).any(|window| window == text.as_bytes())
}

fn all_policies() -> [SessionPolicy; 2] {
    let of = |codec| SessionPolicy::for_web_users().encoded_as(codec).build().unwrap();
    [of(Codec::Json), of(Codec::MessagePack)]
}

#[tokio::test]
async fn a_value_is_stored_in_no_readable_form() {
    for policy in all_policies() {
        let node = under(&Node::new(policy.clone()), policy, &[ONE]);
        let mut visitor = Visitor::default();
        node.visit(&mut visitor, async |session| {
            session.set("key", SECRET).unwrap();
            session.flash(SECRET).unwrap();
        })
        .await
        .commit
        .unwrap();
        node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
            .await
            .commit
            .unwrap();
        node.visit(&mut visitor, async |session| {
            session.update("more", |text: &mut String| text.push_str(SECRET)).await
        })
        .await
        .commit
        .unwrap();
        node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
        for record in node.store.records() {
            assert!(!holds(&record, SECRET));
        }
        assert_eq!(get(&node, &visitor, "key").await.unwrap().as_deref(), Some(SECRET));
    }
}

#[tokio::test]
async fn two_writes_of_one_value_differ_in_every_part() {
    let node = new(&[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "key", SECRET).await;
    let (_, first) = stored(&node, "ada").await;
    set(&node, &mut visitor, "key", SECRET).await;
    let (_, second) = stored(&node, "ada").await;
    let (first, second) = (&first[value_of(&first, "key")..], &second[value_of(&second, "key")..]);
    assert_eq!(first.len(), second.len());
    assert_eq!(first[..5], second[..5], "algorithm and key");
    assert_ne!(first[5..29], second[5..29], "nonce");
    assert_ne!(first[29..], second[29..], "ciphertext");
}

#[tokio::test]
async fn a_value_of_another_session_is_refused() {
    let node = new(&[ONE]);
    let mut visitors = [node.logged_in("ada").await, node.logged_in("eve").await];
    for (visitor, text) in visitors.iter_mut().zip(["adas own", "eves own"]) {
        set(&node, visitor, "other", "x").await;
        set(&node, visitor, "key", text).await;
    }
    let ((ada, mut adas), (eve, mut eves)) = (stored(&node, "ada").await, stored(&node, "eve").await);
    let (in_adas, in_eves) = (value_of(&adas, "key"), value_of(&eves, "key"));
    adas[in_adas..].swap_with_slice(&mut eves[in_eves..]);
    forge(&node, ada, adas).await;
    forge(&node, eve, eves).await;
    for visitor in &mut visitors {
        let refused = get(&node, visitor, "key").await.unwrap_err();
        assert!(refused.contains("`key`") && refused.contains("another session or field"), "{refused}");
        assert_eq!(get(&node, visitor, "other").await.unwrap().as_deref(), Some("x"), "it alone");
        set(&node, visitor, "key", "anew").await;
        assert_eq!(get(&node, visitor, "key").await.unwrap().as_deref(), Some("anew"));
    }
}

#[tokio::test]
async fn a_value_of_another_field_or_under_another_codec_is_refused() {
    let node = new(&[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "one", "1").await;
    set(&node, &mut visitor, "two", "2").await;
    let (id, whole) = stored(&node, "ada").await;
    let (one, two) = (value_of(&whole, "one"), value_of(&whole, "two"));
    let length = whole.len() - two;
    let mut record = whole.clone();
    record.copy_within(one..one + length, two);
    forge(&node, id, record).await;
    assert_eq!(get(&node, &visitor, "one").await.unwrap().as_deref(), Some("1"));
    assert!(get(&node, &visitor, "two").await.is_err());
    for (back, to) in [(5, 0x82), (6, 1)] {
        let mut record = whole.clone();
        record[one - back] = to;
        forge(&node, id, record).await;
        assert_ne!(get(&node, &visitor, "one").await.ok().flatten().as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_changed_bit_anywhere_in_a_value_is_noticed() {
    let node = new(&[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "key", "x").await;
    let (id, whole) = stored(&node, "ada").await;
    for at in value_of(&whole, "key")..whole.len() {
        let mut record = whole.clone();
        record[at] ^= 0x40;
        forge(&node, id, record).await;
        assert!(get(&node, &visitor, "key").await.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn the_first_key_encrypts_and_every_key_decrypts() {
    let node = new(&[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "old", "1").await;
    let both = with_keys(&node, &[TWO, ONE]);
    set(&both, &mut visitor, "new", "2").await;
    let (_, record) = stored(&node, "ada").await;
    assert_eq!(record[value_of(&record, "old") + 4], 1);
    assert_eq!(record[value_of(&record, "new") + 4], 2);
    for (key, value) in [("old", "1"), ("new", "2")] {
        assert_eq!(get(&both, &visitor, key).await.unwrap().as_deref(), Some(value));
    }
}

#[tokio::test]
async fn without_its_key_a_value_is_that_fields_error_and_stays_as_it_is() {
    let node = new(&[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "old", "1").await;
    let (_, before) = stored(&node, "ada").await;
    let old = before[value_of(&before, "old")..].to_vec();
    for keys in [&[TWO][..], &[]] {
        let other = with_keys(&node, keys);
        let error = get(&other, &visitor, "old").await.unwrap_err();
        assert!(error.contains("`old`") && error.contains("the key 1"), "{error}");
        set(&other, &mut visitor, "new", "2").await;
        assert_eq!(get(&other, &visitor, "new").await.unwrap().as_deref(), Some("2"));
        let update = other
            .visit(&mut visitor, async |session| {
                session.update("old", |text: &mut String| text.clear()).await
            })
            .await;
        assert_eq!(update.value.unwrap_err().fault(), Fault::StoreCorrupted);
        let take = other.visit(&mut visitor, async |session| session.take::<String>("old").await).await;
        assert_eq!(take.value.unwrap_err().fault(), Fault::StoreCorrupted);
        let (_, record) = stored(&node, "ada").await;
        assert!(record.windows(old.len()).any(|window| window == old), "carried through");
        set(&with_keys(&node, &[ONE]), &mut visitor, "new", "3").await;
    }
    let back = with_keys(&node, &[TWO, ONE]);
    assert_eq!(get(&back, &visitor, "old").await.unwrap().as_deref(), Some("1"));
    back.visit(&mut visitor, async |session| session.remove("old")).await.commit.unwrap();
    assert_eq!(get(&back, &visitor, "old").await, Ok(None));
}

#[tokio::test]
async fn a_key_that_went_by_the_same_id_opens_nothing() {
    let node = new(&[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "key", SECRET).await;
    let renamed = TWO.replace("2:", "1:");
    assert!(get(&with_keys(&node, &[&renamed]), &visitor, "key").await.is_err());
    let renamed = ONE.replace("1:", "2:");
    assert!(get(&with_keys(&node, &[&renamed]), &visitor, "key").await.is_err());
}

#[tokio::test]
async fn a_login_brings_values_along_under_the_first_key() {
    let node = new(&[ONE]);
    let mut visitor = Visitor::default();
    set(&node, &mut visitor, "cart", SECRET).await;
    let both = with_keys(&node, &[TWO, ONE]);
    both.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    let (_, record) = stored(&node, "ada").await;
    assert_eq!(record[value_of(&record, "cart") + 4], 2);
    assert_eq!(get(&with_keys(&node, &[TWO]), &visitor, "cart").await.unwrap().as_deref(), Some(SECRET));
}

#[tokio::test]
async fn a_login_loses_no_session_over_a_value_that_it_can_not_read() {
    let node = new(&[ONE]);
    let mut visitor = Visitor::default();
    set(&node, &mut visitor, "cart", SECRET).await;
    let other = with_keys(&node, &[TWO]);
    set(&other, &mut visitor, "more", "x").await;
    other.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    assert_eq!(other.who(&visitor).await.as_deref(), Some("ada"));
    assert_eq!(get(&other, &visitor, "more").await.unwrap().as_deref(), Some("x"));
    assert!(get(&other, &visitor, "cart").await.is_err());
}

#[tokio::test]
async fn what_a_logout_keeps_is_encrypted_for_the_session_that_keeps_it() {
    let node = new(&[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "cart", "tea").await;
    let leave = node
        .visit(&mut visitor, async |session| {
            session.clear_authentication();
            session.set("language", SECRET).unwrap();
        })
        .await;
    leave.commit.unwrap();
    assert_eq!(node.who(&visitor).await, None);
    assert_eq!(get(&node, &visitor, "language").await.unwrap().as_deref(), Some(SECRET));
    assert_eq!(get(&node, &visitor, "cart").await.unwrap().as_deref(), Some("tea"));
    assert!(node.store.records().iter().all(|record| !holds(record, SECRET)));
}

#[tokio::test]
async fn what_nobody_wrote_keeps_its_bytes_and_conflicts_with_nothing() {
    let policy = SessionPolicy::for_web_users().set("on_conflict", "reject").build().unwrap();
    let node = under(&Node::new(policy.clone()), policy, &[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "mine", "1").await;
    let (_, before) = stored(&node, "ada").await;
    let mine = before[value_of(&before, "mine")..].to_vec();
    let mut slow = node.engine.resolve(&visitor.request()).await.unwrap();
    set(&node, &mut visitor, "other", "2").await;
    node.visit(&mut visitor, async |session| session.update("n", |n: &mut u8| *n += 1).await.unwrap())
        .await
        .commit
        .unwrap();
    let (_, record) = stored(&node, "ada").await;
    assert!(record.windows(mine.len()).any(|window| window == mine));
    slow.set("mine", "3").unwrap();
    node.engine.commit(&slow, &mut Response::new(())).await.unwrap();
    assert_eq!(get(&node, &visitor, "mine").await.unwrap().as_deref(), Some("3"));
}

#[tokio::test]
async fn a_value_from_before_encryption_is_read_and_encrypted_when_it_is_next_written() {
    let plain = new(&[]);
    let mut visitor = Visitor::default();
    for key in ["kept", "written", "updated"] {
        set(&plain, &mut visitor, key, SECRET).await;
    }
    let node = with_keys(&plain, &[ONE]);
    for key in ["kept", "written", "updated"] {
        assert_eq!(get(&node, &visitor, key).await.unwrap().as_deref(), Some(SECRET));
    }
    set(&node, &mut visitor, "written", SECRET).await;
    node.visit(&mut visitor, async |session| session.update("updated", |_: &mut String| ()).await)
        .await
        .commit
        .unwrap();
    let occurrences =
        |record: &[u8]| record.windows(SECRET.len()).filter(|w| *w == SECRET.as_bytes()).count();
    assert_eq!(occurrences(node.store.records().last().unwrap()), 1, "what nobody wrote");
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    let (_, record) = stored(&node, "ada").await;
    assert_eq!(occurrences(&record), 0, "a login writes all");
    for key in ["kept", "written", "updated"] {
        assert_eq!(get(&node, &visitor, key).await.unwrap().as_deref(), Some(SECRET));
    }
}

#[tokio::test]
async fn a_rotation_keeps_every_value_readable() {
    let policy = SessionPolicy::for_web_users().rotating_every(second(60), second(10)).build().unwrap();
    let node = under(&Node::new(policy.clone()), policy, &[ONE]);
    let mut visitor = node.logged_in("ada").await;
    set(&node, &mut visitor, "key", SECRET).await;
    for _ in 0..3 {
        node.clock.advance(second(120));
        let read = node.visit(&mut visitor, async |session| session.get::<String>("key").unwrap()).await;
        assert_eq!(read.value.as_deref(), Some(SECRET));
        assert_eq!(read.cookies.len(), 1, "rotated");
    }
}

#[tokio::test]
async fn a_value_in_the_same_request_is_read_before_and_after_an_early_commit() {
    let node = new(&[ONE]);
    let mut visitor = Visitor::default();
    let answer = node
        .visit(&mut visitor, async |session| {
            session.set("key", 1).unwrap();
            session.commit().await.unwrap();
            let first = session.get::<u8>("key").unwrap();
            session.update("key", |n: &mut u8| *n += 1).await.unwrap();
            session.mark_authenticated(user("ada"));
            session.update("key", |n: &mut u8| *n += 1).await.unwrap();
            (first, session.get::<u8>("key").unwrap())
        })
        .await;
    answer.commit.unwrap();
    assert_eq!(answer.value, (Some(1), Some(3)));
}
