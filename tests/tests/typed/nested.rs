//! Changes deep inside of a field, in every shape that serde knows, are noticed and stored.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sessions::Session;
use sessions_tests::Spy;

use super::{Browser, deployment};

sessions::policies!(Cart);

#[sessions::session_policy(name = "cart", extends = "user_default")]
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Cart {
    lines: Vec<Line>,
    by_name: HashMap<String, BTreeMap<u32, Line>>,
    seen: HashSet<u32>,
    payment: Payment,
    #[serde(flatten)]
    totals: Totals,
    #[serde(flatten)]
    more: BTreeMap<String, u32>,
    #[serde(skip)]
    cache: u32,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    tags: Vec<Option<String>>,
    pair: (u8, Unit),
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
enum Payment {
    #[default]
    Open,
    Card {
        last_four: [u8; 4],
    },
    Transfer(String, Box<Payment>),
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Totals {
    net: i64,
    gross: f64,
}

/// One small change after another, each to a place of its own.
const CHANGES: &[fn(&mut Cart)] = &[
    |cart| cart.lines.push(Line::default()),
    |cart| cart.lines[0].tags.push(None),
    |cart| cart.lines[0].tags[0] = Some("red".to_owned()),
    |cart| cart.lines[0].pair.0 = 9,
    |cart| _ = cart.by_name.entry("a".to_owned()).or_default().insert(1, Line::default()),
    |cart| cart.by_name.get_mut("a").unwrap().get_mut(&1).unwrap().pair.0 = 3,
    |cart| _ = cart.seen.insert(4),
    |cart| cart.payment = Payment::Card { last_four: [1, 2, 3, 4] },
    |cart| cart.payment = Payment::Transfer("bank".to_owned(), Box::new(Payment::Open)),
    |cart| {
        if let Payment::Transfer(_, inner) = &mut cart.payment {
            **inner = Payment::Card { last_four: [0; 4] };
        }
    },
    |cart| cart.totals.net = -5,
    |cart| cart.totals.gross = 0.1,
    |cart| _ = cart.more.insert("points".to_owned(), 3),
    |cart| _ = cart.more.remove("points"),
    |cart| cart.lines.clear(),
    |cart| cart.seen.clear(),
];

#[tokio::test]
async fn every_change_is_noticed_and_read_back() {
    let store = Spy::default();
    let registry = deployment::<policies::Declared>(&store).await;
    let mut browser = Browser::default();
    let mut expected = Cart::default();
    for (index, &change) in CHANGES.iter().enumerate() {
        change(&mut expected);
        browser.visit(&registry, move |session: &mut Session<Cart>| session.modify(change)).await.unwrap();
        let read = browser.visit(&registry, |session: &mut Session<Cart>| session.data()).await.unwrap();
        assert_eq!(read, expected, "change {index}");
    }
}

#[tokio::test]
async fn what_does_not_change_is_not_written() {
    let store = Spy::default();
    let registry = deployment::<policies::Declared>(&store).await;
    let mut browser = Browser::default();
    let fill = |session: &mut Session<Cart>| session.modify(|cart| cart.seen.extend(0..50));
    browser.visit(&registry, fill).await.unwrap();
    store.take_counts();
    let touch = |session: &mut Session<Cart>| {
        session.modify(|cart| {
            cart.totals.net += 1;
            cart.totals.net -= 1;
            cart.cache += 1;
        })
    };
    browser.visit(&registry, touch).await.unwrap();
    assert_eq!(store.take_counts().writes(), 0);
}
