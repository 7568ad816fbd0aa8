//! What operators see: the stream of events, and the metrics.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    ada,
    client::{Browser, connect, request},
    program::Showcase,
};

const ADMIN: &str = "__Host-Http-admin";

/// A browser in which Grace has logged in to the back office.
fn admin(shop: &Showcase) -> Browser {
    let mut browser = shop.browser();
    let form = json!({ "email": "grace@example.com", "password": "nanoseconds" });
    browser.post_json("/admin/login", &form).expect_status(200);
    browser
}

/// An open stream of events.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(browser: &Browser) -> Self {
        let mut stream = connect(browser.address);
        let cookie = format!("{ADMIN}={}", browser.cookie(ADMIN));
        let asked = request(browser.address, ("GET", "/events"), &[("Cookie", &cookie)], None);
        stream.write_all(&asked).expect("the request is sent");
        let mut events = Self(BufReader::new(stream));
        let head: Vec<_> = std::iter::from_fn(|| events.line()).take_while(|line| !line.is_empty()).collect();
        assert!(head[0].ends_with("200 OK"), "{head:?}");
        assert!(head.contains(&"content-type: text/event-stream".to_owned()), "{head:?}");
        events
    }

    /// The next line; `None` when the stream has ended.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).expect("a line within the time limit");
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// The lines from here to the first event of this name, and the event.
    fn until(&mut self, name: &str) -> (String, Value) {
        let mut text = String::new();
        while let Some(line) = self.line() {
            text.push_str(&line);
            text.push('\n');
            if let Some(data) = line.strip_prefix("data: ") {
                let event: Value = serde_json::from_str(data).expect("an event is JSON");
                if event["event"] == name {
                    return (text, event);
                }
            }
        }
        unreachable!("the stream has ended without `{name}`: {text}")
    }

    /// How long it takes until the stream ends.
    fn end(mut self) -> Duration {
        let began = Instant::now();
        while self.line().is_some() {}
        began.elapsed()
    }
}

#[test]
fn events_are_told_to_an_admin_alone() {
    let shop = Showcase::start();
    shop.browser().get("/events").expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
    ada(&shop).get("/events").expect_problem(401, "SESSION_REQUIRED");
}

#[test]
fn each_event_is_told_with_its_request_and_no_id() {
    let shop = Showcase::start();
    let mut events = Events::open(&admin(&shop));
    let mut browser = shop.browser();
    let form = json!({ "email": "ada@example.com", "password": "analytical-engine" });
    browser.send("POST", "/login", &[("X-Request-Id", "login-1")], Some(&form)).expect_status(200);
    let (mut text, login) = events.until("session_authenticated");
    assert_eq!(login["principal"], json!({ "kind": "user", "id": "u1" }));
    assert_eq!((&login["policy"], &login["request"]), (&json!("user_default"), &json!("login-1")));
    assert_eq!(login["handle"], browser.handle());

    let token = browser.cookie(crate::COOKIE).to_owned();
    browser.post_json("/cart/add", &json!({ "item_id": "tea", "quantity": 1 })).expect_status(200);
    browser.post("/rotate").expect_status(200);
    let rotated = browser.cookie(crate::COOKIE).to_owned();
    let mut thief = browser.holding(crate::COOKIE, &token);
    thief.send("GET", "/profile", &[("X-Request-Id", &token)], None).expect_status(401);
    browser.post("/logout").expect_status(200);
    let (more, _) = events.until("session_logged_out");
    text.push_str(&more);
    assert!(text.contains("session_rotated") && text.contains("session_superseded"), "{text}");
    for token in [token, rotated] {
        let secret = token.rsplit('.').next().expect("a token has a secret");
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn the_stream_ends_with_the_admins_session() {
    let shop = Showcase::start();
    let mut browser = admin(&shop);
    let events = Events::open(&browser);
    // Grace is logged in to the shop, too, and ends all her sessions from there.
    browser.log_in("grace@example.com", "nanoseconds").expect_status(200);
    browser.post("/sessions/revoke-all").expect_status(200);
    let took = events.end();
    assert!(took < Duration::from_millis(1_500), "{took:?}");
}

#[test]
fn an_open_stream_does_not_delay_the_stop() {
    let shop = Showcase::start();
    let events = Events::open(&admin(&shop));
    shop.signal("TERM");
    let stopped = shop.ended(Duration::from_secs(5));
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert!(stopped.took < Duration::from_secs(2), "{stopped:?}");
    events.end();
}

#[test]
fn metrics_are_text_for_prometheus_and_cost_no_session() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    browser.post("/visits").expect_status(200);
    shop.browser().get("/profile").expect_status(401);
    let reply = browser.get("/metrics");
    reply.expect_status(200).expect_no_cookie();
    assert!(reply.header("content-type").expect("a type").starts_with("text/plain"));
    for line in [
        "sessions_requests_total{policy=\"user_default\",result=\"stored\"} 1",
        "sessions_requests_total{policy=\"user_default\",result=\"none\"} 2",
        "sessions_store_sessions{store=\"main\"} 1",
        "sessions_store_principals{store=\"main\"} 1",
        "sessions_evictions_total{policy=\"user_default\"} 0",
        "sessions_rejections_total{policy=\"user_default\",reason=\"SESSION_REQUIRED\"} 1",
        "sessions_events_total{policy=\"user_default\",event=\"session_authenticated\"} 1",
        "sessions_store_operation_duration_seconds_count{store=\"main\",operation=\"admit\",result=\"ok\"} 1",
        "sessions_store_operation_duration_seconds_count{store=\"main\",operation=\"load\",result=\"ok\"} 1",
        "sessions_phase_duration_seconds_count{policy=\"user_default\",phase=\"resolve\"} 3",
        "# TYPE sessions_store_operation_duration_seconds histogram",
    ] {
        assert!(reply.body.lines().any(|other| other == line), "{line}\n{}", reply.body);
    }
    let token = browser.cookie(crate::COOKIE);
    let secret = token.rsplit('.').next().expect("a token has a secret");
    assert!(!reply.body.contains(secret) && !reply.body.contains("u1"), "{}", reply.body);
}

#[test]
fn evictions_and_rejections_are_counted() {
    let shop =
        Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "1")]);
    let (mut first, _second) = (ada(&shop), ada(&shop));
    first.expect_logged_out();
    let text = shop.browser().get("/metrics").body;
    assert!(text.contains("sessions_evictions_total{policy=\"user_default\"} 1"), "{text}");
    let refused = "sessions_rejections_total{policy=\"user_default\",reason=\"SESSION_REQUIRED\"} 1";
    assert!(text.contains(refused), "{text}");
}

#[test]
fn the_dashboard_is_for_an_admin_alone() {
    let shop = Showcase::start();
    shop.browser().get("/dashboard").expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
    ada(&shop).get("/dashboard/events").expect_problem(401, "SESSION_REQUIRED");
    let reply = admin(&shop).get("/dashboard");
    reply.expect_status(200);
    assert!(reply.body.contains("/dashboard/policies/user_default"), "{}", reply.body);
}
