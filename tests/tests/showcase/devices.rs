//! A person's sessions, listed and ended from one of them.

use serde_json::json;

use crate::{ada, grace, program::Showcase};

#[test]
fn a_person_sees_their_sessions_under_all_policies() {
    let shop = Showcase::start();
    let mut phone = shop.browser();
    let form = json!({ "email": "grace@example.com", "password": "nanoseconds" });
    phone.send("POST", "/login", &[("User-Agent", "phone/1")], Some(&form)).expect_status(200);
    let mut desk = grace(&shop);
    desk.post_json("/admin/login", &form).expect_status(200);
    desk.post_json("/api/token", &form).expect_status(200);
    ada(&shop);

    let reply = phone.get("/sessions");
    reply.expect_status(200);
    let list = reply.json();
    let list = list.as_array().unwrap();
    let mut policies: Vec<_> = list.iter().map(|session| session["policy"].as_str().unwrap()).collect();
    policies.sort_unstable();
    assert_eq!(policies, ["admin", "api_token", "user_default", "user_default"]);
    for session in list {
        let mut keys: Vec<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["created_at", "current", "handle", "last_seen_at", "policy", "user_agent"]);
        assert!(session["created_at"].as_str().unwrap().starts_with("20"));
        assert!(session["last_seen_at"].as_str().unwrap().starts_with("20"));
    }
    let current: Vec<_> = list.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["user_agent"], "phone/1");
    for cookie in phone.cookies.values().chain(desk.cookies.values()) {
        assert!(!reply.body.contains(cookie.rsplit('.').next().unwrap()), "no secret is listed");
    }
}

#[test]
fn a_handle_is_stable_over_rotation_and_opens_nothing() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let handle = browser.handle();
    browser.post("/rotate").expect_status(200);
    assert_eq!(browser.handle(), handle);
    shop.browser().holding(crate::COOKIE, &handle).expect_logged_out();
}

#[test]
fn one_session_is_ended_by_its_handle() {
    let shop = Showcase::start();
    let (mut phone, mut desk) = (ada(&shop), ada(&shop));
    let path = format!("/sessions/{}", phone.handle());
    desk.delete(&path).expect_status(204).expect_no_cookie();
    phone.expect_logged_out();
    desk.expect_logged_in("u1");
    desk.delete(&path).expect_problem(404, "SESSION_NOT_FOUND");
}

#[test]
fn ending_ones_own_session_removes_its_cookie() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let path = format!("/sessions/{}", browser.handle());
    assert_eq!(browser.delete(&path).expect_status(204).cookies().len(), 1);
    assert!(browser.cookies.is_empty());
}

#[test]
fn another_persons_session_is_not_found_and_not_touched() {
    let shop = Showcase::start();
    let (mut ada, mut grace) = (ada(&shop), grace(&shop));
    let others = format!("/sessions/{}", grace.handle());
    let unknown = "/sessions/AAAAAAAAAAAAAAAAAAAAAA";
    let answer = ada.delete(&others);
    answer.expect_problem(404, "SESSION_NOT_FOUND").expect_no_cookie();
    assert_eq!(answer.without_date(), ada.delete(unknown).without_date());
    for malformed in ["/sessions/x", "/sessions/%00", "/sessions/AAAAAAAAAAAAAAAAAAAAA%3D"] {
        assert_eq!(answer.without_date(), ada.delete(malformed).without_date(), "{malformed}");
    }
    grace.expect_logged_in("u2");
    shop.browser().delete(&others).expect_problem(401, "SESSION_REQUIRED");
}

#[test]
fn all_others_are_ended_and_this_one_stays() {
    let shop = Showcase::start();
    let mut browsers: Vec<_> = (0..3).map(|_| ada(&shop)).collect();
    let mut grace = grace(&shop);
    let mut own = browsers.pop().unwrap();
    own.post("/sessions/revoke-others").expect_json(&json!({ "revoked": 2 })).expect_no_cookie();
    for browser in &mut browsers {
        browser.expect_logged_out();
    }
    own.expect_logged_in("u1");
    grace.expect_logged_in("u2");
}

#[test]
fn all_sessions_are_ended_under_every_policy() {
    let shop = Showcase::start();
    let form = json!({ "email": "grace@example.com", "password": "nanoseconds" });
    let mut browser = grace(&shop);
    browser.post_json("/admin/login", &form).expect_status(200);
    let token = browser.post_json("/api/token", &form);
    let token = token.header("x-session-id").unwrap();
    let mut other = grace(&shop);
    let ended = browser.post("/sessions/revoke-all");
    ended.expect_json(&json!({ "revoked": 4 }));
    assert_eq!(ended.cookies().len(), 1);
    browser.expect_logged_out();
    other.expect_logged_out();
    browser.get("/admin/stats").expect_problem(401, "SESSION_REQUIRED");
    let me = shop.browser().send("GET", "/api/me", &[("X-Session-ID", token)], None);
    me.expect_problem(401, "SESSION_REQUIRED");
    grace(&shop).expect_logged_in("u2");
}
