//! Sockets: who may open one, what it does to the session, and that no ending leaves one open.

use std::{thread::sleep, time::Duration};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    ada,
    client::Browser,
    program::Showcase,
    socket::{open, refused},
};

const SECOND: Duration = Duration::from_secs(1);
const AT_ONCE: Duration = Duration::from_millis(100);

fn own(browser: &Browser) -> String {
    format!("http://{}", browser.address)
}

#[test]
fn a_socket_reads_and_writes_what_requests_see() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let mut socket = open(&browser);
    assert_eq!(socket.ask("whoami"), r#"{"user":"u1"}"#);
    assert_eq!(socket.ask("visit"), r#"{"visits":1}"#);
    browser.post("/visits").expect_json(&json!({ "visits": 2 }));
    assert_eq!(socket.ask("visit"), r#"{"visits":3}"#);
    assert_eq!(socket.ask("set prefs.colour blue"), "ok");
    assert_eq!(browser.prefs(), json!({ "colour": "blue" }));
    assert_eq!(socket.ask("set prefs.size 3"), "ok");
    assert_eq!(browser.prefs(), json!({ "colour": "blue", "size": 3 }));
    assert!(socket.ask("nonsense").contains("error"));
}

#[test]
fn requests_and_sockets_lose_no_update_of_each_other() {
    let shop = Showcase::start();
    let browser = ada(&shop);
    std::thread::scope(|threads| {
        for _ in 0..3 {
            let (mut socket, mut browser) = (open(&browser), browser.clone());
            threads.spawn(move || (0..20).for_each(|_| drop(socket.ask("visit"))));
            threads.spawn(move || {
                (0..20).for_each(|_| {
                    browser.post("/visits").expect_status(200);
                });
            });
        }
    });
    assert_eq!(open(&browser).ask("visit"), r#"{"visits":121}"#);
}

#[test]
fn a_socket_needs_a_login() {
    let shop = Showcase::start();
    let mut stranger = shop.browser();
    assert_eq!(refused(&stranger, &[("Origin", &own(&stranger))]), (401, "SESSION_REQUIRED".to_owned()));
    stranger.post("/visits").expect_status(200);
    assert_eq!(refused(&stranger, &[("Origin", &own(&stranger))]), (401, "SESSION_REQUIRED".to_owned()));
    let mut gone = ada(&shop);
    let old = gone.clone();
    gone.post("/logout").expect_status(200);
    assert_eq!(refused(&old, &[("Origin", &own(&old))]), (401, "SESSION_REQUIRED".to_owned()));
}

#[test]
fn a_foreign_page_opens_no_socket_whoever_is_logged_in() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let foreign = (403, "SESSION_CROSS_SITE".to_owned());
    assert_eq!(refused(&browser, &[]), foreign);
    let near = format!("http://{}", browser.address).replace("127.0.0.1", "localhost");
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", &near, ""] {
        assert_eq!(refused(&browser, &[("Origin", origin)]), foreign, "{origin}");
    }
    let own = own(&browser);
    assert_eq!(refused(&browser, &[("Origin", &own), ("Origin", &own)]), foreign);
    let beside = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(refused(&browser, &beside), foreign);
    // A stranger learns no more, and no one was logged out by it.
    assert_eq!(refused(&shop.browser(), &[("Origin", "https://evil.example")]), foreign);
    browser.expect_logged_in("u1");
}

#[test]
fn listed_origins_may_open_a_socket_and_no_others() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__SOCKET__ORIGINS", "https://app.example")]);
    let browser = ada(&shop);
    assert_eq!(refused(&browser, &[("Origin", &own(&browser))]), (403, "SESSION_CROSS_SITE".to_owned()));
}

#[test]
fn a_logout_by_http_closes_every_socket_of_the_session() {
    let shop = Showcase::start();
    let (mut browser, other) = (ada(&shop), ada(&shop));
    let (one, two, mut others) = (open(&browser), open(&browser), open(&other));
    browser.post("/logout").expect_status(200);
    one.closed().expect(4401, "SESSION_GONE").within(AT_ONCE);
    two.closed().expect(4401, "SESSION_GONE");
    assert_eq!(others.ask("whoami"), r#"{"user":"u1"}"#, "the other device goes on");
}

#[test]
fn a_logout_on_a_socket_ends_the_session_everywhere() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let (mut one, two) = (open(&browser), open(&browser));
    one.send("logout");
    one.closed().expect(4401, "SESSION_GONE").within(AT_ONCE);
    two.closed().expect(4401, "SESSION_GONE").within(AT_ONCE);
    browser.expect_logged_out();
}

#[test]
fn a_revocation_from_another_device_closes_the_socket() {
    let shop = Showcase::start();
    let (mut stolen, mut owner) = (ada(&shop), ada(&shop));
    let socket = open(&stolen);
    let handle = stolen.handle();
    owner.delete(&format!("/sessions/{handle}")).expect_status(204);
    socket.closed().expect(4401, "SESSION_GONE").within(AT_ONCE);

    let (stolen, kept) = (ada(&shop), open(&owner));
    let socket = open(&stolen);
    owner.post("/sessions/revoke-others").expect_status(200);
    socket.closed().expect(4401, "SESSION_GONE").within(AT_ONCE);
    owner.post("/sessions/revoke-all").expect_status(200);
    kept.closed().expect(4401, "SESSION_GONE").within(AT_ONCE);
}

#[test]
fn an_eviction_by_a_newer_login_closes_the_socket() {
    let shop =
        Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "1")]);
    let first = ada(&shop);
    let socket = open(&first);
    let _second = ada(&shop);
    socket.closed().expect(4401, "SESSION_GONE").within(AT_ONCE);
}

#[test]
fn a_change_of_privilege_closes_the_socket_and_the_new_id_opens_one() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    for change in ["/rotate", "/reauth", "/login"] {
        let socket = open(&browser);
        let body = match change {
            "/reauth" => json!({ "password": "analytical-engine" }),
            _ => json!({ "email": "ada@example.com", "password": "analytical-engine" }),
        };
        browser.post_json(change, &body).expect_status(200);
        socket.closed().expect(4401, "SESSION_SUPERSEDED").within(AT_ONCE);
    }
    assert_eq!(open(&browser).ask("whoami"), r#"{"user":"u1"}"#);
}

#[test]
fn a_policy_can_tell_the_endings_apart_by_their_codes() {
    let codes = ("SESSIONS_POLICIES__USER_DEFAULT__SOCKET__CLOSE_CODES", "by_reason");
    let shop = Showcase::with(&[codes, ("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT", "1s")]);
    let mut browser = ada(&shop);
    let socket = open(&browser);
    browser.post("/rotate").expect_status(200);
    socket.closed().expect(4403, "SESSION_SUPERSEDED");
    open(&browser).closed().expect(4408, "SESSION_IDLE_TIMEOUT");
}

#[test]
fn a_rotation_by_time_leaves_the_socket_open() {
    let rotation = [
        ("SESSIONS_POLICIES__USER_DEFAULT__ROTATE_EVERY", "400ms"),
        ("SESSIONS_POLICIES__USER_DEFAULT__ROTATION_GRACE", "100ms"),
    ];
    let shop = Showcase::with(&rotation);
    let mut browser = ada(&shop);
    let mut socket = open(&browser);
    for visits in 1..=5 {
        let before = browser.cookies.clone();
        sleep(Duration::from_millis(600));
        browser.expect_logged_in("u1");
        assert_ne!(browser.cookies, before, "the id has changed");
        assert_eq!(socket.ask("visit"), json!({ "visits": visits }).to_string());
    }
}

#[test]
fn a_silent_socket_closes_when_the_session_is_idle_and_a_used_one_goes_on() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT", "2s")]);
    let (silent, mut used) = (open(&ada(&shop)), open(&ada(&shop)));
    let silent = std::thread::spawn(move || silent.closed());
    for _ in 0..8 {
        sleep(Duration::from_millis(500));
        assert_eq!(used.ask("whoami"), r#"{"user":"u1"}"#, "a message is activity");
    }
    let silent = silent.join().expect("the socket closes");
    silent.expect(4401, "SESSION_IDLE_TIMEOUT").within(2 * SECOND);
    assert!(silent.after > Duration::from_millis(1_500), "{silent:?}");
    used.closed().expect(4401, "SESSION_IDLE_TIMEOUT").within(2 * SECOND);
}

#[test]
fn requests_keep_a_silent_socket_open() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT", "2s")]);
    let mut browser = ada(&shop);
    let socket = open(&browser);
    for _ in 0..6 {
        sleep(Duration::from_millis(500));
        browser.expect_logged_in("u1");
    }
    socket.closed().expect(4401, "SESSION_IDLE_TIMEOUT").within(2 * SECOND);
}

#[test]
fn the_end_comes_for_a_socket_in_use_too() {
    for (key, reason) in [("TTL", "SESSION_EXPIRED"), ("ABSOLUTE_TIMEOUT", "SESSION_ABSOLUTE_TIMEOUT")] {
        let shop = Showcase::with(&[(&format!("SESSIONS_POLICIES__USER_DEFAULT__{key}"), "2s")]);
        let mut socket = open(&ada(&shop));
        for _ in 0..3 {
            sleep(Duration::from_millis(400));
            socket.ask("visit");
        }
        socket.closed().expect(4401, reason).within(SECOND);
    }
}

#[test]
fn what_another_node_ends_closes_the_socket_within_a_second() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let kept = [("SESSIONS_STORES__MAIN__KIND", "sqlite"), ("SESSIONS_STORES__MAIN__URL", url.as_str())];
    let (here, there) = (Showcase::with(&kept), Showcase::with(&kept));
    let at = |browser: &Browser, shop: &Showcase| Browser { address: shop.address, ..browser.clone() };

    let browser = ada(&here);
    let socket = open(&browser);
    at(&browser, &there).post("/logout").expect_status(200);
    socket.closed().expect(4401, "SESSION_GONE").within(SECOND);

    let browser = ada(&here);
    let socket = open(&browser);
    ada(&there).post("/sessions/revoke-others").expect_status(200);
    socket.closed().expect(4401, "SESSION_GONE").within(SECOND);

    let browser = ada(&here);
    let socket = open(&browser);
    at(&browser, &there).post("/rotate").expect_status(200);
    socket.closed().expect(4401, "SESSION_SUPERSEDED").within(SECOND);

    let browser = ada(&here);
    let (mut socket, mut elsewhere) = (open(&browser), at(&browser, &there));
    assert_eq!(socket.ask("visit"), r#"{"visits":1}"#);
    elsewhere.post("/visits").expect_json(&json!({ "visits": 2 }));
    assert_eq!(socket.ask("visit"), r#"{"visits":3}"#);
    for _ in 0..5 {
        let _ = ada(&there);
    }
    socket.closed().expect(4401, "SESSION_GONE").within(SECOND);
}

#[test]
fn a_message_that_is_too_large_closes_the_socket() {
    let shop = Showcase::start();
    let mut socket = open(&ada(&shop));
    socket.send(&"x".repeat(65 << 10));
    assert_eq!(socket.closed().code, 1009);
}

#[test]
fn one_session_has_so_many_sockets() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__SOCKET__MAX_PER_SESSION", "2")]);
    let browser = ada(&shop);
    let (one, _two) = (open(&browser), open(&browser));
    let too_many = (409, "SESSION_CONCURRENCY_VIOLATION".to_owned());
    assert_eq!(refused(&browser, &[("Origin", &own(&browser))]), too_many);
    drop(one);
    sleep(Duration::from_millis(200));
    assert_eq!(open(&browser).ask("whoami"), r#"{"user":"u1"}"#);
}

#[test]
fn a_stop_closes_sockets_with_1001() {
    let shop = Showcase::start();
    let (mut busy, silent) = (open(&ada(&shop)), open(&ada(&shop)));
    busy.ask("visit");
    shop.signal("TERM");
    busy.closed().expect(1001, "").within(SECOND);
    silent.closed().expect(1001, "").within(SECOND);
    let stopped = shop.ended(Duration::from_secs(5));
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert!(stopped.took < 2 * SECOND, "{stopped:?}");
}

#[test]
fn a_client_that_does_not_answer_holds_no_stop() {
    let shop = Showcase::start();
    let mut mute = open(&ada(&shop));
    assert!(mute.stays_open(Duration::from_millis(100)));
    shop.signal("TERM");
    let stopped = shop.ended(Duration::from_secs(5));
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    drop(mute);
}
