//! Lifetimes, overridden down to seconds.

use std::{thread::sleep, time::Duration};

use serde_json::json;

use crate::{COOKIE, ada, program::Showcase};

#[test]
fn an_idle_session_ends_and_a_used_one_goes_on() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT", "2s")]);
    let (mut used, mut idle) = (ada(&shop), ada(&shop));
    for _ in 0..5 {
        sleep(Duration::from_millis(600));
        used.expect_logged_in("u1");
    }
    idle.expect_logged_out();
    let fresh = idle.post("/visits");
    fresh.expect_json(&json!({ "visits": 1 }));
    assert_eq!(fresh.cookies().len(), 1);
}

#[test]
fn the_end_comes_for_a_session_in_use_too() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__TTL", "2s")]);
    let mut browser = ada(&shop);
    for _ in 0..3 {
        sleep(Duration::from_millis(400));
        browser.expect_logged_in("u1");
    }
    sleep(Duration::from_secs(1));
    browser.expect_logged_out();
}

#[test]
fn a_session_that_expires_under_a_slow_request_stays_dead() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__TTL", "1s")]);
    let mut browser = ada(&shop);
    let late = browser.post_json("/slow", &json!({ "ms": 1_500, "key": "prefs.late", "value": 1 }));
    late.expect_problem(401, "SESSION_GONE").expect_no_cookie();
    browser.expect_logged_out();
}

#[test]
fn a_remembered_session_outlives_the_idle_timeout() {
    let shop = Showcase::with(&[
        ("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT", "1s"),
        ("SESSIONS_POLICIES__USER_DEFAULT__REMEMBER__TTL", "1h"),
    ]);
    let mut browser = shop.browser();
    let form = json!({ "email": "ada@example.com", "password": "analytical-engine", "remember": true });
    let reply = browser.post_json("/login", &form);
    assert!(["; Max-Age=3600; ", "; Max-Age=3599; "].iter().any(|age| reply.cookies()[0].contains(age)));
    sleep(Duration::from_millis(1_300));
    browser.expect_logged_in("u1");
}

#[test]
fn a_periodic_rotation_gives_parallel_requests_one_successor() {
    let shop = Showcase::with(&[
        ("SESSIONS_POLICIES__USER_DEFAULT__ROTATE_EVERY", "2s"),
        ("SESSIONS_POLICIES__USER_DEFAULT__ROTATION_GRACE", "1s"),
    ]);
    let mut browser = ada(&shop);
    let handle = browser.handle();
    let old = browser.clone();
    sleep(Duration::from_millis(2_100));
    let replies: Vec<_> = (0..3).map(|_| old.clone().get("/profile")).collect();
    let successors: Vec<_> = replies.iter().map(|reply| reply.expect_status(200).cookies()[0]).collect();
    assert!(successors.iter().all(|successor| *successor == successors[0]), "the same one, each time");
    browser.get("/profile").expect_status(200);
    assert_ne!(browser.cookie(COOKIE), old.cookie(COOKIE));
    assert_eq!(browser.handle(), handle);
    sleep(Duration::from_millis(1_200));
    old.clone().expect_logged_out();
    browser.expect_logged_out();
}

#[test]
fn short_times_for_every_policy_start() {
    let shop = Showcase::with(&[
        ("SESSIONS_POLICIES__USER_DEFAULT__TTL", "3s"),
        ("SESSIONS_POLICIES__API_TOKEN__TTL", "2s"),
        ("SESSIONS_POLICIES__ADMIN__ABSOLUTE_TIMEOUT", "3s"),
        ("SESSIONS_POLICIES__CHECKOUT__TTL", "2s"),
        ("SESSIONS_POLICIES__EPHEMERAL__TTL", "1s"),
    ]);
    ada(&shop).expect_logged_in("u1");
}

#[test]
fn a_policy_of_a_struct_takes_variables_too() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__CHECKOUT__IDLE_TIMEOUT", "1s")]);
    let mut browser = shop.browser();
    browser.post_json("/checkout/step", &json!({ "step": 2 })).expect_status(200);
    browser.get("/checkout").expect_json(&json!({ "step": 2, "items": [] }));
    sleep(Duration::from_millis(1_200));
    browser.get("/checkout").expect_json(&json!({ "step": 0, "items": [] })).expect_no_cookie();
}
