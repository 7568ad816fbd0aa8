//! What is refused, and that a refusal tells no one why.

use std::{thread::sleep, time::Duration};

use serde_json::json;

use crate::{
    COOKIE, ada,
    client::{Browser, Reply},
    program::Showcase,
};

#[test]
fn every_dead_id_gets_one_answer_byte_for_byte() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT", "3s")]);
    let expired = ada(&shop);
    sleep(Duration::from_millis(3_200));

    let other = Showcase::start();
    let unknown = shop.browser().holding(COOKIE, ada(&other).cookie(COOKIE));

    let mut rotated = ada(&shop);
    let superseded = rotated.clone();
    rotated.post("/rotate").expect_status(200);

    let mut anonymous = shop.browser();
    anonymous.post("/visits").expect_status(200);
    let moved = anonymous.clone();
    anonymous.log_in("ada@example.com", "analytical-engine").expect_status(200);

    let revoked = ada(&shop);
    let handle = revoked.clone().handle();
    anonymous.delete(&format!("/sessions/{handle}")).expect_status(204);

    let mut leaver = ada(&shop);
    let logged_out = leaver.clone();
    leaver.post("/logout").expect_status(200);

    let visitor = {
        let mut visitor = shop.browser();
        visitor.post("/visits").expect_status(200);
        visitor
    };
    let forged = forge(anonymous.cookie(COOKIE));

    let dead: Vec<(&str, Browser)> = vec![
        ("none", shop.browser()),
        ("malformed", shop.browser().holding(COOKIE, "no-id")),
        ("empty", shop.browser().holding(COOKIE, "")),
        ("unknown", unknown),
        ("forged", shop.browser().holding(COOKIE, &forged)),
        ("expired", expired),
        ("superseded by rotation", superseded),
        ("superseded by login", moved),
        ("revoked", revoked),
        ("logged out", logged_out),
        ("anonymous", visitor),
    ];
    for (method, path) in [("GET", "/profile"), ("GET", "/sessions"), ("POST", "/account/delete")] {
        let answers: Vec<(&str, Reply)> = dead
            .iter()
            .map(|(name, browser)| (*name, browser.clone().send(method, path, &[], None).without_date()))
            .collect();
        let (_, none) = &answers[0];
        none.expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
        for (name, answer) in &answers {
            assert_eq!(answer, none, "{name} at {path}");
        }
    }
    anonymous.expect_logged_in("u1");
}

/// The same session with another secret.
fn forge(id: &str) -> String {
    let (rest, secret) = id.rsplit_once('.').expect("an id has parts");
    let secret: String = secret.chars().rev().collect();
    // The last character holds few bits: one that every secret may end with.
    format!("{rest}.{}A", &secret[..secret.len() - 1])
}

#[test]
fn several_different_ids_are_no_session() {
    let shop = Showcase::start();
    let (one, two) = (ada(&shop), ada(&shop));
    let (one, two) = (one.cookie(COOKIE), two.cookie(COOKIE));
    let profile = |cookie: &str| shop.browser().send("GET", "/profile", &[("Cookie", cookie)], None);
    for cookie in [format!("{COOKIE}={one}; {COOKIE}={two}"), format!("{COOKIE}={two}; a=b; {COOKIE}=x")] {
        profile(&cookie).expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
    }
    let lines = [("Cookie", format!("{COOKIE}={one}")), ("Cookie", format!("{COOKIE}={two}"))];
    let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = shop.browser().send("GET", "/profile", &lines, None);
    reply.expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
    profile(&format!("{COOKIE}={one}; {COOKIE}={one}")).expect_status(200);
    profile(&format!("a=b; {COOKIE}={one}; c=\"d\"; e")).expect_status(200);
    profile(&format!("{}={one}", COOKIE.to_uppercase())).expect_status(401);
    profile(&format!("{COOKIE}={two}")).expect_status(200);
}

#[test]
fn one_policys_id_opens_no_others_session() {
    let shop = Showcase::start();
    let browser = ada(&shop);
    let id = browser.cookie(COOKIE);
    shop.browser()
        .holding("__Host-Http-admin", id)
        .get("/admin/stats")
        .expect_problem(401, "SESSION_REQUIRED");
    let reply = shop.browser().send("GET", "/api/me", &[("X-Session-ID", id)], None);
    reply.expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
    let cart = shop.browser().holding("__Host-Http-checkout", id).get("/checkout");
    cart.expect_json(&json!({ "step": 0, "items": [] })).expect_no_cookie();
}

#[test]
fn a_conflicting_write_is_refused_if_the_policy_says_so() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__ON_CONFLICT", "reject")]);
    let mut browser = ada(&shop);
    browser.prefer("colour", &json!("blue")).expect_status(204);
    let mut slow = browser.clone();
    let late = std::thread::spawn(move || {
        slow.post_json("/slow", &json!({ "ms": 500, "key": "prefs.colour", "value": "red" }))
    });
    sleep(Duration::from_millis(200));
    browser.prefer("colour", &json!("green")).expect_status(204);
    late.join().unwrap().expect_problem(409, "SESSION_CONFLICT").expect_no_cookie();
    assert_eq!(browser.prefs(), json!({ "colour": "green" }));
}

#[test]
fn malformed_bodies_and_unknown_pages_are_refused_without_a_cookie() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    for path in ["/login", "/reauth", "/cart/add", "/flash", "/slow", "/fail", "/admin/login", "/api/token"] {
        let mut browser = if path == "/reauth" { ada(&shop) } else { shop.browser() };
        browser.post(path).expect_problem(415, "INVALID_BODY").expect_no_cookie();
        let other = browser.post_json(path, &json!([1]));
        other.expect_problem(422, "INVALID_BODY").expect_no_cookie();
    }
    let huge = json!({ "email": "x".repeat(3 << 20), "password": "" });
    browser.post_json("/login", &huge).expect_problem(413, "INVALID_BODY").expect_no_cookie();
    browser.get("/nowhere").expect_status(404).expect_no_cookie();
}
