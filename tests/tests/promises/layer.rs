//! The layer: what a handler's end, whatever it is, means for the sessions that it opened.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use sessions::{Session, SessionError, SessionPrincipal, session};
use sessions_tests::{Spy, stored};
use tower::ServiceExt;

sessions::policies! {
    one: { extends: "user_default", persistence: { store_name: "main" } },
    two: { extends: "user_default", persistence: { store_name: "main" } },
}

const FILE: &str = "[stores.main]\nkind = \"custom\"\ntimeout = \"300ms\"\n";

#[session(policy = "one")]
async fn set(mut session: Session) -> Result<&'static str, SessionError> {
    session.set("key", 1)?;
    Ok("set")
}

#[session(policy = "one")]
async fn panicking(mut session: Session) -> &'static str {
    session.set("key", 1).unwrap();
    session.mark_authenticated(SessionPrincipal::user("ada"));
    panic!("in a handler")
}

#[session(policy = "one")]
async fn optional(session: Option<Session>) -> &'static str {
    if session.is_some() { "some" } else { "none" }
}

#[session(policy = "one")]
async fn twice(mut first: Session, second: Session) -> Result<String, SessionError> {
    first.set("key", 7)?;
    Ok(format!("{:?}", second.get::<u8>("key")?))
}

#[session(policy = "one")]
async fn both(mut first: Session, mut other: Session<policies::Two>) -> Result<&'static str, SessionError> {
    first.set("key", 1)?;
    other.set("key", 2)?;
    Ok("both")
}

#[session(policy = "one")]
async fn boastful(mut session: Session) -> Result<Response, SessionError> {
    session.set("big", "x".repeat(70_000))?;
    Ok((StatusCode::CREATED, [("x-own", "1"), ("set-cookie", "own=1")], "created").into_response())
}

async fn router(store: &Spy) -> Router {
    let registry =
        policies::Registry::builder().with_settings(Some(FILE), []).store("main", store.clone()).load().await;
    Router::new()
        .route("/set", post(set))
        .route("/panic", post(panicking))
        .route("/optional", get(optional))
        .route("/twice", post(twice))
        .route("/both", post(both))
        .route("/boastful", post(boastful))
        .layer(registry.unwrap().layer())
}

fn request(method: &str, path: &str, cookie: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::empty()).unwrap()
}

/// The cookie pair of a response's one `Set-Cookie` line.
fn cookie(response: &Response) -> String {
    let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
    line.split(';').next().unwrap().to_owned()
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_panic_leaves_nothing() {
    let store = Spy::default();
    let router = router(&store).await;
    let panicked = std::panic::AssertUnwindSafe(router.clone().oneshot(request("POST", "/panic", None)));
    assert!(panicked.catch_unwind().await.is_err());
    assert_eq!(stored(&store).await, 0);
}

#[tokio::test]
async fn an_optional_session_is_none_for_absence_alone() {
    let store = Spy::default();
    let router = router(&store).await;
    let none = router.clone().oneshot(request("GET", "/optional", None)).await.unwrap();
    assert_eq!(text(none).await, "none");
    let cookie = cookie(&router.clone().oneshot(request("POST", "/set", None)).await.unwrap());
    let some = router.clone().oneshot(request("GET", "/optional", Some(&cookie))).await.unwrap();
    assert_eq!(text(some).await, "some");
    store.set_down(true);
    let down = router.oneshot(request("GET", "/optional", Some(&cookie))).await.unwrap();
    assert_eq!(down.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(down.headers().contains_key(header::RETRY_AFTER));
    assert!(!down.headers().contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn all_extractors_of_one_policy_share_one_session_and_one_read() {
    let store = Spy::default();
    let router = router(&store).await;
    let cookie = cookie(&router.clone().oneshot(request("POST", "/set", None)).await.unwrap());
    store.take_counts();
    let answer = router.oneshot(request("POST", "/twice", Some(&cookie))).await.unwrap();
    assert_eq!(text(answer).await, "Some(7)");
    let counts = store.take_counts();
    assert_eq!(counts.totals(), (1, 1));
}

#[tokio::test]
async fn a_failed_commit_replaces_status_headers_and_body() {
    let store = Spy::default();
    let answer = router(&store).await.oneshot(request("POST", "/boastful", None)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert!(!answer.headers().contains_key("x-own") && !answer.headers().contains_key(header::SET_COOKIE));
    assert_eq!(stored(&store).await, 0);
}

#[tokio::test]
async fn two_policies_in_one_handler_are_two_sessions() {
    let store = Spy::default();
    let answer = router(&store).await.oneshot(request("POST", "/both", None)).await.unwrap();
    let lines = answer.headers().get_all(header::SET_COOKIE).iter();
    let names: Vec<_> =
        lines.map(|line| line.to_str().unwrap().split('=').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["__Host-Http-one", "__Host-Http-two"]);
    assert_eq!(stored(&store).await, 2);
}

#[tokio::test]
async fn a_store_that_hangs_answers_503_within_its_time_limit() {
    let store = Spy::default();
    let router = router(&store).await;
    let cookie = cookie(&router.clone().oneshot(request("POST", "/set", None)).await.unwrap());
    store.set_hanging(true);
    let start = std::time::Instant::now();
    for (method, path) in [("GET", "/optional"), ("POST", "/set")] {
        let answer = router.clone().oneshot(request(method, path, Some(&cookie))).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.headers().contains_key(header::RETRY_AFTER), "{path}");
        assert!(!answer.headers().contains_key(header::SET_COOKIE), "{path}");
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
