//! Values are read by their own codec, whatever the policy writes; and limits hold whatever it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sessions::{Codec, EncryptionKeys, Fault, SessionEngine, SessionPolicy, SharedStore};
use sessions_tests::{Node, Visitor, user};

const KEY: &str = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// How the values of a node are written.
#[derive(Clone, Copy, Debug)]
struct Manner {
    codec: Codec,
    encrypted: bool,
}

const MANNERS: [Manner; 4] = [
    Manner { codec: Codec::Json, encrypted: false },
    Manner { codec: Codec::MessagePack, encrypted: false },
    Manner { codec: Codec::Json, encrypted: true },
    Manner { codec: Codec::MessagePack, encrypted: true },
];

impl Manner {
    /// A node on the same store that writes in this manner, and reads in all.
    fn of(self, node: &Node, limits: &[(&'static str, &str)]) -> Node {
        let mut policy = SessionPolicy::for_web_users().encoded_as(self.codec);
        for (key, value) in limits {
            policy = match value.parse::<i64>() {
                Ok(number) => policy.set(*key, number),
                Err(_) => policy.set(*key, (*value).to_owned()),
            };
        }
        let mut builder = SessionEngine::builder(policy.build().unwrap())
            .store(SharedStore::new(node.store.clone()))
            .clock(node.clock.shared());
        if self.encrypted {
            builder = builder.encryption_keys(EncryptionKeys::parse([KEY]).unwrap());
        }
        Node { engine: builder.build(), ..node.clone() }
    }
}

/// What writes, and then what reads: each manner with each that can read it.
fn pairs() -> impl Iterator<Item = (Manner, Manner)> {
    let pair = |first: Manner| MANNERS.into_iter().map(move |second| (first, second));
    MANNERS.into_iter().flat_map(pair).filter(|(first, second)| second.encrypted || !first.encrypted)
}

fn nodes(first: Manner, second: Manner) -> (Node, Node) {
    let node = Node::new(SessionPolicy::user_default());
    (first.of(&node, &[]), second.of(&node, &[]))
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: BTreeMap<String, f64>,
    gift: Option<String>,
}

#[tokio::test]
async fn each_reads_and_updates_what_the_other_wrote() {
    for (first, second) in pairs() {
        let (first, second) = nodes(first, second);
        let mut visitor = first.logged_in("ada").await;
        let cart = || Cart { items: BTreeMap::from([("tea".to_owned(), 2.5)]), gift: Some("Eve".to_owned()) };
        first.visit(&mut visitor, async |session| session.set("cart", cart())).await.commit.unwrap();
        second.visit(&mut visitor, async |session| session.set("other", 1)).await.commit.unwrap();
        let read = second.visit(&mut visitor, async |session| session.get::<Cart>("cart").unwrap()).await;
        assert_eq!(read.value, Some(cart()));
        let updated = second
            .visit(&mut visitor, async |session| {
                session.update("cart", |cart: &mut Cart| cart.gift.take()).await.unwrap()
            })
            .await;
        assert_eq!(updated.value.as_deref(), Some("Eve"));
        let taken = second
            .visit(&mut visitor, async |session| session.take::<Cart>("cart").await.unwrap().unwrap())
            .await;
        assert_eq!(taken.value, Cart { gift: None, ..cart() });
    }
}

#[tokio::test]
async fn a_number_that_both_codecs_spell_with_one_byte_is_still_another_number() {
    let node = Node::new(SessionPolicy::user_default());
    let [json, messagepack] =
        [MANNERS[0], MANNERS[1]].map(|manner| manner.of(&node, &[("on_conflict", "reject")]));
    let mut visitor = json.logged_in("ada").await;
    json.visit(&mut visitor, async |session| session.set("n", 5)).await.commit.unwrap();
    let mut slow = json.engine.resolve(&visitor.request()).await.unwrap();
    // The text "5" is the byte 53.
    messagepack.visit(&mut visitor, async |session| session.set("n", 53)).await.commit.unwrap();
    slow.set("n", 6).unwrap();
    let refused = json.engine.commit(&slow, &mut http::Response::new(())).await.unwrap_err();
    assert_eq!(refused.fault(), Fault::Conflict);
    let read = json.visit(&mut visitor, async |session| session.get::<u8>("n").unwrap()).await;
    assert_eq!(read.value, Some(53));
}

#[tokio::test]
async fn flash_messages_come_once_and_in_order_whoever_wrote_them() {
    for (first, second) in pairs() {
        let (first, second) = nodes(first, second);
        let mut visitor = Visitor::default();
        for (node, message) in [(&first, "one"), (&second, "two"), (&second, "three"), (&first, "four")] {
            let flash = node
                .visit(&mut visitor, async |session| {
                    session.flash(message)?;
                    session.flash(format!("{message} too"))
                })
                .await;
            flash.value.unwrap();
            flash.commit.unwrap();
        }
        second
            .visit(&mut visitor, async |session| session.mark_authenticated(user("ada")))
            .await
            .commit
            .unwrap();
        let read = second
            .visit(&mut visitor, async |session| session.flashes::<String>().await.unwrap())
            .await
            .value;
        let expected =
            ["one", "one too", "two", "two too", "three", "three too", "four", "four too"].map(String::from);
        assert_eq!(read, expected);
        let again =
            second.visit(&mut visitor, async |session| session.flashes::<String>().await.unwrap()).await;
        assert!(again.value.is_empty());
    }
}

#[tokio::test]
async fn limits_count_the_values_alone_and_refuse_before_any_write() {
    let big = "x".repeat(1000);
    for manner in MANNERS {
        let node = Node::new(SessionPolicy::user_default());
        // The name, and the text with what its codec puts around it: 2 quotes, or a head of 3 bytes.
        let around = if manner.codec == Codec::Json { 2 } else { 3 };
        let fits = 1024 - "k".len() - around - "l1".len();
        let node = manner.of(&node, &[("max_size", "1KiB"), ("max_keys", "2")]);
        let mut visitor = Visitor::default();
        let answer = node.visit(&mut visitor, async |session| session.set("k", "x".repeat(fits))).await;
        answer.commit.unwrap();
        // Up to the last byte, whatever the value before it takes in the store.
        node.visit(&mut visitor, async |session| session.set("l", 1)).await.commit.unwrap();
        node.store.take_counts();
        for handler in 0..4 {
            let answer = node
                .visit(&mut visitor, async |session| match handler {
                    0 => session.set("k", "x".repeat(fits + 1)).unwrap(),
                    1 => session.set("more", 1).unwrap(),
                    2 => session.flash("more").unwrap(),
                    _ => {
                        let update = session.update("k", |text: &mut String| text.push('x')).await;
                        assert_eq!(update.unwrap_err().fault(), Fault::TooLarge);
                    }
                })
                .await;
            if handler < 3 {
                assert_eq!(answer.commit.unwrap_err().fault(), Fault::TooLarge, "{manner:?} {handler}");
            }
        }
        let fresh =
            node.visit(&mut Visitor::default(), async |session| session.set("k", [&*big, &*big])).await;
        assert_eq!(fresh.commit.unwrap_err().status(), 413);
        assert_eq!(node.store.take_counts().writes(), 0, "{manner:?}");

        node.visit(&mut visitor, async |session| session.set("k", 1)).await.commit.unwrap();
        node.store.take_counts();
        for flash in [false, true] {
            let answer = node
                .visit(
                    &mut visitor,
                    async |session| {
                        if flash { session.flash(1) } else { session.set("third", 1) }
                    },
                )
                .await;
            assert_eq!(answer.commit.unwrap_err().fault(), Fault::TooLarge, "{manner:?}");
        }
        assert_eq!(node.store.take_counts().writes(), 0, "{manner:?}");
        let swapped = node
            .visit(&mut visitor, async |session| {
                session.remove("l").unwrap();
                session.set("third", 1)
            })
            .await;
        swapped.commit.unwrap();
    }
}
