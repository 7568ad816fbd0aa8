//! Sessions for programs: the id travels in a header, and a cookie never.

use serde_json::json;

use crate::{client::Reply, program::Showcase};

fn token(shop: &Showcase) -> (Reply, String) {
    let form = json!({ "email": "ada@example.com", "password": "analytical-engine" });
    let reply = shop.browser().post_json("/api/token", &form);
    reply.expect_status(200).expect_no_cookie();
    let id = reply.header("x-session-id").expect("a new id").to_owned();
    (reply, id)
}

fn call(shop: &Showcase, method: &str, path: &str, id: &str) -> Reply {
    let reply = shop.browser().send(method, path, &[("X-Session-ID", id)], None);
    reply.expect_no_cookie();
    reply
}

#[test]
fn a_token_is_issued_used_and_withdrawn() {
    let shop = Showcase::start();
    let (issued, id) = token(&shop);
    assert_eq!(issued.header("vary").map(str::to_lowercase).as_deref(), Some("x-session-id"));
    assert_eq!(issued.header("cache-control"), Some("no-store"));
    let me = call(&shop, "GET", "/api/me", &id);
    me.expect_json(&json!({ "id": "u1", "kind": "user", "attributes": { "name": "Ada" } }));
    assert_eq!(me.header("x-session-id"), None);
    call(&shop, "DELETE", "/api/token", &id).expect_status(204);
    call(&shop, "GET", "/api/me", &id).expect_problem(401, "SESSION_REQUIRED");
}

#[test]
fn wrong_credentials_get_no_token() {
    let shop = Showcase::start();
    let form = json!({ "email": "ada@example.com", "password": "wrong" });
    let reply = shop.browser().post_json("/api/token", &form);
    reply.expect_problem(401, "INVALID_CREDENTIALS").expect_no_cookie();
    assert_eq!(reply.header("x-session-id"), None);
}

#[test]
fn a_person_may_have_any_number_of_tokens() {
    let shop = Showcase::start();
    let ids: Vec<_> = (0..12).map(|_| token(&shop).1).collect();
    for id in &ids {
        call(&shop, "GET", "/api/me", id).expect_status(200);
    }
}

#[test]
fn every_bad_token_gets_one_answer() {
    let shop = Showcase::start();
    let none = shop.browser().get("/api/me");
    none.expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
    let (_, withdrawn) = token(&shop);
    call(&shop, "DELETE", "/api/token", &withdrawn).expect_status(204);
    let (_, good) = token(&shop);
    for id in ["x", withdrawn.as_str(), &format!("{good}, {good}"), &format!("Bearer {good}")] {
        assert_eq!(call(&shop, "GET", "/api/me", id).without_date(), none.without_date());
    }
    let twice = [("X-Session-ID", good.as_str()), ("X-Session-ID", withdrawn.as_str())];
    let reply = shop.browser().send("GET", "/api/me", &twice, None);
    assert_eq!(reply.without_date(), none.without_date());
    let cookie = shop.browser().holding("__Host-Http-api_token", &good).get("/api/me");
    assert_eq!(cookie.without_date(), none.without_date());
    let cookie = shop.browser().holding("X-Session-ID", &good).get("/api/me");
    assert_eq!(cookie.without_date(), none.without_date());
}

#[test]
fn a_new_token_for_a_client_that_has_one_replaces_it() {
    let shop = Showcase::start();
    let (_, first) = token(&shop);
    let form = json!({ "email": "ada@example.com", "password": "analytical-engine" });
    let again = shop.browser().send("POST", "/api/token", &[("X-Session-ID", &first)], Some(&form));
    let second = again.expect_status(200).header("x-session-id").unwrap();
    assert_ne!(first, second);
    call(&shop, "GET", "/api/me", &first).expect_problem(401, "SESSION_REQUIRED");
    call(&shop, "GET", "/api/me", second).expect_status(200);
}
