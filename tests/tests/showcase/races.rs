//! Many requests at once: each promise about concurrency, through real sockets.

use std::{
    collections::BTreeSet,
    thread::{self, sleep},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    COOKIE, ada,
    client::{Browser, Reply},
    program::Showcase,
};

/// Runs `n` requests in threads of their own, each in a clone of the browser.
fn together(browser: &Browser, n: usize, act: impl Fn(usize, &mut Browser) -> Reply + Sync) -> Vec<Reply> {
    thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> = (0..n)
            .map(|i| {
                let mut browser = browser.clone();
                scope.spawn(move || act(i, &mut browser))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a request in a thread")).collect()
    })
}

/// Starts `POST /slow` and lets it read the session before it returns.
fn slow(browser: &Browser, ms: u64, key: &str, value: &Value) -> thread::JoinHandle<Reply> {
    let (mut browser, entry) = (browser.clone(), json!({ "ms": ms, "key": key, "value": value }));
    let request = thread::spawn(move || browser.post_json("/slow", &entry));
    sleep(Duration::from_millis(250));
    request
}

#[test]
fn parallel_visits_get_each_number_once() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    visitor.post("/visits").expect_json(&json!({ "visits": 1 }));
    let replies = together(&visitor, 100, |_, browser| browser.post("/visits"));
    let numbers: BTreeSet<_> = replies
        .iter()
        .map(|reply| reply.expect_status(200).expect_no_cookie().json()["visits"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (2..=101).collect());
    visitor.post("/visits").expect_json(&json!({ "visits": 102 }));
}

#[test]
fn parallel_writes_of_different_keys_all_win() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let replies = together(&browser, 40, |i, browser| browser.prefer(&format!("key{i}"), &json!(i)));
    for reply in &replies {
        reply.expect_status(204).expect_no_cookie();
    }
    let prefs = browser.prefs();
    assert_eq!(prefs.as_object().unwrap().len(), 40);
    assert!((0..40).all(|i| prefs[format!("key{i}")] == i), "{prefs}");
}

#[test]
fn a_late_writer_overwrites_only_its_own_key() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let late = slow(&browser, 700, "prefs.late", &json!(1));
    browser.prefer("early", &json!(2)).expect_status(204);
    browser.post("/visits").expect_json(&json!({ "visits": 1 }));
    late.join().unwrap().expect_status(200);
    assert_eq!(browser.prefs(), json!({ "early": 2, "late": 1 }));
    browser.post("/visits").expect_json(&json!({ "visits": 2 }));
}

#[test]
fn logout_survives_a_slow_request() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let stolen = browser.clone();
    let late = slow(&browser, 700, "prefs.late", &json!(1));
    browser.post("/logout").expect_status(200);
    late.join().unwrap().expect_problem(401, "SESSION_GONE").expect_no_cookie();
    stolen.clone().expect_logged_out();
}

#[test]
fn revocation_survives_a_slow_request() {
    let shop = Showcase::start();
    let (browser, mut other) = (ada(&shop), ada(&shop));
    let late = slow(&browser, 700, "prefs.late", &json!(1));
    other.post("/sessions/revoke-others").expect_json(&json!({ "revoked": 1 }));
    late.join().unwrap().expect_problem(401, "SESSION_GONE").expect_no_cookie();
    browser.clone().expect_logged_out();
    other.expect_logged_in("u1");
}

#[test]
fn a_slow_request_under_a_superseded_id_writes_nothing() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let late = slow(&browser, 700, "prefs.late", &json!(1));
    browser.post("/rotate").expect_status(200);
    late.join().unwrap().expect_problem(401, "SESSION_GONE").expect_no_cookie();
    browser.expect_logged_in("u1");
    assert_eq!(browser.prefs(), json!({}));
}

#[test]
fn a_slow_request_of_a_visitor_who_logs_in_meanwhile_writes_nothing() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    browser.post("/visits").expect_status(200);
    let late = slow(&browser, 700, "prefs.late", &json!(1));
    browser.log_in("ada@example.com", "analytical-engine").expect_status(200);
    late.join().unwrap().expect_problem(401, "SESSION_GONE").expect_no_cookie();
    browser.expect_logged_in("u1");
    assert_eq!(browser.prefs(), json!({}));
}

#[test]
fn simultaneous_logins_leave_exactly_as_many_as_the_limit() {
    let shop =
        Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "3")]);
    let replies =
        together(&shop.browser(), 50, |_, browser| browser.log_in("ada@example.com", "analytical-engine"));
    let alive = replies.iter().filter(|reply| is_alive(&shop, reply.expect_status(200))).count();
    assert_eq!(alive, 3);
}

#[test]
fn simultaneous_logins_are_refused_beyond_the_limit() {
    let shop = Showcase::with(&[
        ("SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "3"),
        ("SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__BEHAVIOR_ON_LIMIT", "reject"),
    ]);
    let replies =
        together(&shop.browser(), 50, |_, browser| browser.log_in("ada@example.com", "analytical-engine"));
    let (accepted, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(accepted.len(), 3);
    assert!(accepted.iter().all(|reply| is_alive(&shop, reply)));
    for reply in refused {
        reply.expect_problem(409, "SESSION_CONCURRENCY_VIOLATION").expect_no_cookie();
    }
}

fn is_alive(shop: &Showcase, login: &Reply) -> bool {
    let value = login.cookies()[0].split(['=', ';']).nth(1).expect("a value").to_owned();
    shop.browser().holding(COOKIE, &value).get("/profile").status == 200
}

#[test]
fn a_login_that_is_sent_twice_leaves_no_half_session() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    browser.post_json("/cart/add", &json!({ "item_id": "tea", "quantity": 2 })).expect_status(200);
    let replies = together(&browser, 2, |_, browser| browser.log_in("ada@example.com", "analytical-engine"));
    for reply in &replies {
        assert_eq!(reply.expect_status(200).cookies().len(), 1);
        assert!(is_alive(&shop, reply));
    }
    browser.expect_logged_out();
}

#[test]
fn parallel_logouts_are_all_answered_and_one_removes_the_cookie() {
    let shop = Showcase::start();
    let browser = ada(&shop);
    let replies = together(&browser, 8, |_, browser| browser.post("/logout"));
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 401)), "{replies:?}");
    assert_eq!(replies.iter().filter(|reply| !reply.cookies().is_empty()).count(), 1);
    browser.clone().expect_logged_out();
}

#[test]
fn each_message_is_shown_to_one_of_many_readers() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    for i in 0..5 {
        assert!(visitor.post_json("/flash", &json!({ "text": i.to_string() })).status < 300);
    }
    let replies = together(&visitor, 10, |_, browser| browser.get("/flash"));
    let mut shown: Vec<String> = Vec::new();
    for reply in &replies {
        let list = reply.expect_status(200).json()["flash"].as_array().unwrap().clone();
        shown.extend(list.iter().map(|text| text.as_str().unwrap().to_owned()));
    }
    shown.sort_unstable();
    assert_eq!(shown, ["0", "1", "2", "3", "4"]);
}

#[test]
fn parallel_rotations_leave_one_live_id() {
    let shop = Showcase::start();
    let browser = ada(&shop);
    let replies = together(&browser, 8, |_, browser| browser.post("/rotate"));
    let rotated: Vec<_> = replies.iter().filter(|reply| !reply.cookies().is_empty()).collect();
    assert_eq!(rotated.len(), 1, "{replies:?}");
    assert!(is_alive(&shop, rotated[0]));
    browser.clone().expect_logged_out();
}
