//! Who has not logged in: nothing is stored and no cookie set before something is written, and then exactly one.

use serde_json::json;

use crate::{COOKIE, client::send, program::Showcase};

#[test]
fn reading_creates_neither_a_record_nor_a_cookie() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    let nobody = json!({ "authenticated": false, "user_id": null });
    visitor.get("/").expect_json(&nobody).expect_no_cookie();
    visitor.get("/cart").expect_json(&json!({ "cart": {} })).expect_no_cookie();
    visitor.get("/prefs").expect_json(&json!({ "prefs": {} })).expect_no_cookie();
    visitor.get("/flash").expect_json(&json!({ "flash": [] })).expect_no_cookie();
    visitor.get("/checkout").expect_json(&json!({ "step": 0, "items": [] })).expect_no_cookie();
    visitor.get("/ephemeral").expect_json(&json!({ "hits": 1 })).expect_no_cookie();
    visitor.post("/logout").expect_json(&json!({ "message": "Logged out" })).expect_no_cookie();
    visitor.post("/rotate").expect_status(200).expect_no_cookie();
}

#[test]
fn the_first_write_sets_one_cookie_and_later_ones_none() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    let first = visitor.post_json("/cart/add", &json!({ "item_id": "tea", "quantity": 2 }));
    first.expect_json(&json!({ "cart": { "tea": 2 } }));
    assert_eq!(first.cookies().len(), 1);
    let next = visitor.post_json("/cart/add", &json!({ "item_id": "milk", "quantity": 1 }));
    next.expect_json(&json!({ "cart": { "tea": 2, "milk": 1 } })).expect_no_cookie();
    visitor.get("/cart").expect_json(&json!({ "cart": { "tea": 2, "milk": 1 } })).expect_no_cookie();
}

#[test]
fn the_cookie_is_for_this_host_and_no_script() {
    let shop = Showcase::start();
    let reply = shop.browser().prefer("colour", &json!("blue"));
    let (pair, attributes) = reply.cookies()[0].split_once("; ").unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    assert_eq!(name, COOKIE);
    assert!(value.len() >= 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
}

#[test]
fn what_a_session_shaped_is_kept_out_of_caches() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    for reply in [visitor.get("/"), visitor.get("/cart"), visitor.post("/visits"), visitor.get("/profile")] {
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
        assert_eq!(reply.header("vary").map(str::to_lowercase).as_deref(), Some("cookie"), "{reply:?}");
    }
}

#[test]
fn an_untouched_request_shows_no_trace_of_the_layer() {
    let shop = Showcase::start();
    let mut visitor = shop.browser();
    visitor.post("/visits").expect_status(200);
    let with_cookie = visitor.get("/plain");
    let without = shop.browser().get("/plain");
    with_cookie.expect_json(&json!({ "ok": true }));
    assert_eq!(with_cookie.body, r#"{"ok":true}"#);
    assert_eq!(with_cookie.without_date(), without.without_date());
    assert_eq!(with_cookie.header_names(), ["connection", "content-length", "content-type", "date"]);
}

#[test]
fn a_probe_is_answered_without_a_session() {
    let shop = Showcase::start();
    let reply = shop.browser().get("/healthz");
    reply.expect_status(200).expect_no_cookie();
    assert_eq!((reply.body.as_str(), reply.header("vary")), ("ok", None));
}

#[test]
fn an_id_that_the_server_did_not_mint_is_never_adopted() {
    let (shop, other) = (Showcase::start(), Showcase::start());
    let mut stranger = other.browser();
    stranger.post("/visits").expect_status(200);
    let minted_elsewhere = stranger.cookie(COOKIE).to_owned();
    for id in [minted_elsewhere.as_str(), "x", "", "../../etc/passwd", &"a".repeat(5_000)] {
        let mut visitor = shop.browser().holding(COOKIE, id);
        visitor.get("/").expect_json(&json!({ "authenticated": false, "user_id": null })).expect_no_cookie();
        visitor.expect_logged_out();
        let written = visitor.post("/visits");
        written.expect_json(&json!({ "visits": 1 }));
        assert_eq!(written.cookies().len(), 1);
        assert_ne!(visitor.cookie(COOKIE), id);
    }
}

#[test]
fn a_state_changing_route_refuses_get() {
    let shop = Showcase::start();
    for path in [
        "/login",
        "/logout",
        "/cart/add",
        "/prefs/colour",
        "/visits",
        "/slow",
        "/fail",
        "/sessions/AAAAAAAAAAAAAAAAAAAAAA",
        "/sessions/revoke-others",
        "/sessions/revoke-all",
        "/rotate",
        "/reauth",
        "/account/delete",
        "/admin/login",
        "/api/token",
        "/checkout/step",
    ] {
        assert_eq!(send(shop.address, ("GET", path), &[], None).status, 405, "{path}");
    }
}
