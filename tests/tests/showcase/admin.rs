//! The back office: a role, a strict cookie, and one session.

use serde_json::json;

use crate::{ada, program::Showcase};

const COOKIE: &str = "__Host-Http-admin";

#[test]
fn the_role_is_asked_for_at_login() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    let wrong = json!({ "email": "grace@example.com", "password": "wrong" });
    browser.post_json("/admin/login", &wrong).expect_problem(401, "INVALID_CREDENTIALS").expect_no_cookie();
    let customer = json!({ "email": "ada@example.com", "password": "analytical-engine" });
    browser.post_json("/admin/login", &customer).expect_problem(403, "SESSION_FORBIDDEN").expect_no_cookie();
    browser.get("/admin/stats").expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
}

#[test]
fn the_cookie_is_strict_and_apart_from_the_shops() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    browser.get("/admin/stats").expect_problem(401, "SESSION_REQUIRED");
    let form = json!({ "email": "grace@example.com", "password": "nanoseconds" });
    let login = browser.post_json("/admin/login", &form);
    login.expect_status(200);
    assert_eq!(login.cookies().len(), 1);
    assert!(login.cookies()[0].starts_with(COOKIE) && login.cookies()[0].contains("; SameSite=Strict"));
    browser.expect_logged_in("u1");
    browser.post("/logout").expect_status(200);
    browser.get("/admin/stats").expect_status(200);
}

#[test]
fn the_stats_count_what_is_stored() {
    let shop = Showcase::start();
    let mut browser = shop.browser();
    let form = json!({ "email": "grace@example.com", "password": "nanoseconds" });
    browser.post_json("/admin/login", &form).expect_status(200);
    ada(&shop);
    ada(&shop);
    shop.browser().post("/visits").expect_status(200);
    shop.browser().get("/").expect_status(200);
    let stats = browser.get("/admin/stats");
    stats.expect_json(&json!({ "sessions": 4, "principals": 2, "evicted_for_space": 0 })).expect_no_cookie();
}

#[test]
fn a_second_login_is_refused_and_the_first_stays() {
    let shop = Showcase::start();
    let form = json!({ "email": "grace@example.com", "password": "nanoseconds" });
    let (mut first, mut second) = (shop.browser(), shop.browser());
    first.post_json("/admin/login", &form).expect_status(200);
    let refused = second.post_json("/admin/login", &form);
    refused.expect_problem(409, "SESSION_CONCURRENCY_VIOLATION").expect_no_cookie();
    first.get("/admin/stats").expect_status(200);
    first.post_json("/admin/login", &form).expect_status(200);
    first.get("/admin/stats").expect_status(200);
}
