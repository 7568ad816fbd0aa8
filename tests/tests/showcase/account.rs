//! Logging in and out, changing the id, and what needs a recent login.

use std::{thread::sleep, time::Duration};

use serde_json::json;

use crate::{COOKIE, ada, program::Showcase};

#[test]
fn login_profile_and_logout() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    let login = browser.log_in("ada@example.com", "analytical-engine");
    login.expect_json(&json!({ "message": "Logged in" }));
    assert_eq!(login.cookies().len(), 1);
    browser.get("/").expect_json(&json!({ "authenticated": true, "user_id": "u1" })).expect_no_cookie();
    browser.get("/profile").expect_json(&json!({ "user": "u1", "name": "Ada", "kind": "user" }));
    let stolen = browser.clone();
    let logout = browser.post("/logout");
    logout.expect_json(&json!({ "message": "Logged out" }));
    assert_eq!(logout.cookies().len(), 1);
    let removal = logout.cookies()[0];
    for part in ["=; ", "Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Path=/", "Secure", "HttpOnly"]
    {
        assert!(removal.contains(part), "{removal}");
    }
    assert!(browser.cookies.is_empty());
    browser.expect_logged_out();
    stolen.clone().expect_logged_out();
    stolen.clone().post("/logout").expect_status(200).expect_no_cookie();
}

#[test]
fn wrong_credentials_change_nothing() {
    let shop = Showcase::start();
    let mut newcomer = shop.browser();
    for (email, password) in [("ada@example.com", "wrong"), ("nobody@example.com", "wrong")] {
        newcomer.log_in(email, password).expect_problem(401, "INVALID_CREDENTIALS").expect_no_cookie();
    }
    let mut browser = ada(&shop);
    browser
        .log_in("grace@example.com", "wrong")
        .expect_problem(401, "INVALID_CREDENTIALS")
        .expect_no_cookie();
    browser.expect_logged_in("u1");
}

#[test]
fn login_changes_the_id_and_carries_the_visitors_data_over() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    browser.post_json("/cart/add", &json!({ "item_id": "tea", "quantity": 2 })).expect_status(200);
    let mut before = browser.clone();
    browser.log_in("ada@example.com", "analytical-engine").expect_status(200);
    assert_ne!(browser.cookie(COOKIE), before.cookie(COOKIE));
    browser.get("/cart").expect_json(&json!({ "cart": { "tea": 2 } }));
    before.get("/cart").expect_json(&json!({ "cart": {} })).expect_no_cookie();
    before.expect_logged_out();
    before.post("/visits").expect_problem(401, "SESSION_GONE").expect_no_cookie();
}

#[test]
fn another_user_in_the_same_browser_sees_nothing_of_the_first() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    browser.prefer("colour", &json!("blue")).expect_status(204);
    let mut before = browser.clone();
    browser.log_in("grace@example.com", "nanoseconds").expect_status(200);
    browser.expect_logged_in("u2");
    assert_eq!(browser.prefs(), json!({}));
    before.expect_logged_out();
}

#[test]
fn the_same_user_again_keeps_data_and_handle() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    browser.prefer("colour", &json!("blue")).expect_status(204);
    let (handle, mut before) = (browser.handle(), browser.clone());
    browser.log_in("ada@example.com", "analytical-engine").expect_status(200);
    assert_ne!(browser.cookie(COOKIE), before.cookie(COOKIE));
    assert_eq!(browser.handle(), handle);
    assert_eq!(browser.prefs(), json!({ "colour": "blue" }));
    before.expect_logged_out();
}

#[test]
fn rotation_keeps_data_and_handle_and_the_old_id_is_dead_at_once() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    browser.prefer("colour", &json!("blue")).expect_status(204);
    let (handle, mut before) = (browser.handle(), browser.clone());
    let rotated = browser.post("/rotate");
    rotated.expect_status(200);
    assert_eq!(rotated.cookies().len(), 1);
    assert_ne!(browser.cookie(COOKIE), before.cookie(COOKIE));
    assert_eq!(browser.handle(), handle);
    assert_eq!(browser.prefs(), json!({ "colour": "blue" }));
    before.expect_logged_out();
    before.post("/visits").expect_problem(401, "SESSION_GONE").expect_no_cookie();
    browser.expect_logged_in("u1");
}

#[test]
fn a_remembered_login_outlives_the_browser() {
    let shop = Showcase::start();
    let form = json!({ "email": "ada@example.com", "password": "analytical-engine", "remember": true });
    let reply = shop.browser().post_json("/login", &form);
    reply.expect_status(200);
    let age = reply.cookies()[0].split("; ").find_map(|part| part.strip_prefix("Max-Age=")).unwrap();
    let age: u64 = age.parse().unwrap();
    assert!((30 * 86_400 - 5..=30 * 86_400).contains(&age), "{age}");
    assert!(reply.cookies()[0].contains("; Expires="));
    let plain = shop.browser().log_in("ada@example.com", "analytical-engine");
    assert!(!plain.cookies()[0].contains("Max-Age") && !plain.cookies()[0].contains("Expires"));
}

#[test]
fn what_needs_a_recent_login_asks_for_one_and_gets_it() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__FRESH_FOR", "1s")]);
    shop.browser().post("/account/delete").expect_problem(401, "SESSION_REQUIRED");
    shop.browser().post_json("/reauth", &json!({ "password": "x" })).expect_problem(401, "SESSION_REQUIRED");
    let mut browser = ada(&shop);
    browser.prefer("colour", &json!("blue")).expect_status(204);
    let handle = browser.handle();
    browser.post("/account/delete").expect_status(200);
    sleep(Duration::from_millis(1_300));
    browser.post("/account/delete").expect_problem(401, "SESSION_NOT_FRESH").expect_no_cookie();
    browser
        .post_json("/reauth", &json!({ "password": "wrong" }))
        .expect_problem(401, "INVALID_CREDENTIALS")
        .expect_no_cookie();
    browser.post("/account/delete").expect_problem(401, "SESSION_NOT_FRESH");
    let mut before = browser.clone();
    let confirmed = browser.post_json("/reauth", &json!({ "password": "analytical-engine" }));
    confirmed.expect_status(200);
    assert_eq!(confirmed.cookies().len(), 1);
    browser.post("/account/delete").expect_status(200);
    assert_eq!((browser.handle(), browser.prefs()), (handle, json!({ "colour": "blue" })));
    before.expect_logged_out();
}
