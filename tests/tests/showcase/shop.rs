//! What a visitor leaves while shopping.

use serde_json::json;

use crate::{COOKIE, ada, program::Showcase};

#[test]
fn preferences_are_keys_of_their_own() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    visitor.prefer("colour", &json!("blue")).expect_status(204);
    visitor.prefer("sizes", &json!([1, 2, { "deep": null }])).expect_status(204);
    visitor.prefer("colour", &json!("green")).expect_status(204);
    visitor.post("/visits").expect_json(&json!({ "visits": 1 }));
    assert_eq!(visitor.prefs(), json!({ "colour": "green", "sizes": [1, 2, { "deep": null }] }));
}

#[test]
fn visits_are_counted_from_one() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    for n in 1..=3 {
        visitor.post("/visits").expect_json(&json!({ "visits": n }));
    }
    shop.browser().post("/visits").expect_json(&json!({ "visits": 1 }));
}

#[test]
fn a_message_is_shown_once() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    for text in ["saved", "sent"] {
        assert!(visitor.post_json("/flash", &json!({ "text": text })).status < 300);
    }
    visitor.get("/flash").expect_json(&json!({ "flash": ["saved", "sent"] })).expect_no_cookie();
    visitor.get("/flash").expect_json(&json!({ "flash": [] })).expect_no_cookie();
}

#[test]
fn a_failed_request_leaves_nothing_behind() {
    let shop = Showcase::start();
    let entry = json!({ "key": "prefs.colour", "value": "blue" });
    shop.browser().post_json("/fail", &entry).expect_status(500).expect_no_cookie();
    let mut browser = ada(&shop);
    browser.post_json("/fail", &entry).expect_status(500).expect_no_cookie();
    assert_eq!(browser.prefs(), json!({}));
    browser.expect_logged_in("u1");
}

#[test]
fn a_failed_request_keeps_what_it_wrote_if_the_policy_says_so() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__ON_SERVER_ERROR", "keep")]);
    let mut visitor = shop.browser();
    let entry = json!({ "key": "prefs.colour", "value": "blue" });
    assert_eq!(visitor.post_json("/fail", &entry).expect_status(500).cookies().len(), 1);
    assert_eq!(visitor.prefs(), json!({ "colour": "blue" }));
}

#[test]
fn a_session_that_grows_too_large_is_refused_before_any_write() {
    let shop = Showcase::start();
    let large = json!("x".repeat(70_000));
    shop.browser().prefer("large", &large).expect_problem(413, "SESSION_TOO_LARGE").expect_no_cookie();
    let mut browser = ada(&shop);
    browser.prefer("colour", &json!("blue")).expect_status(204);
    browser.prefer("large", &large).expect_problem(413, "SESSION_TOO_LARGE").expect_no_cookie();
    assert_eq!(browser.prefs(), json!({ "colour": "blue" }));
    browser.prefer("small", &json!("x".repeat(30_000))).expect_status(204);
}

#[test]
fn a_full_store_says_so_and_leaves_everyone_in_it_alone() {
    let shop = Showcase::with(&[
        ("SESSIONS_STORES__MAIN__MAX_SESSIONS", "1"),
        ("SESSIONS_STORES__MAIN__WHEN_FULL", "refuse"),
    ]);
    let mut first = shop.browser();
    first.post("/visits").expect_json(&json!({ "visits": 1 }));
    let refused = shop.browser().post("/visits");
    refused.expect_problem(503, "SESSION_STORE_UNAVAILABLE").expect_no_cookie();
    assert!(
        refused.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok_and(|after| after > 0))
    );
    first.post("/visits").expect_json(&json!({ "visits": 2 })).expect_no_cookie();
    assert!(first.cookies.contains_key(COOKIE));
}
