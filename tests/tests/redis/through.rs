//! A service whose sessions are on a Redis server, asked over its router: what its users see when the server fails.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
    routing::{get, post},
};
use sessions::{Session, SessionError, SessionPrincipal, session};
use sessions_tests::{proxy::Proxy, servers::redis::RedisServer};
use tower::ServiceExt as _;

use super::common::SLACK;

sessions::policies! { shop: { extends: "user_default" } }

/// The time limit of the store here.
const LIMIT: Duration = Duration::from_millis(500);

#[session(policy = "shop")]
async fn login(mut session: Session) -> &'static str {
    session.mark_authenticated(SessionPrincipal::user("ada"));
    "welcome"
}

#[session(policy = "shop")]
async fn look(session: Option<Session>) -> &'static str {
    if session.is_some_and(|session| session.is_authenticated()) { "ada" } else { "someone" }
}

#[session(policy = "shop")]
async fn logout(mut session: Session) -> &'static str {
    session.clear_authentication();
    session.clear_data();
    "goodbye"
}

#[session(policy = "shop")]
async fn visit(mut session: Session) -> Result<&'static str, SessionError> {
    session.set("visited", true)?;
    Ok("noted")
}

/// A node of the service, with the settings of its environment.
async fn node(port: u16) -> Router {
    let settings = [
        ("SESSIONS_STORES__MAIN__KIND", "redis".to_owned()),
        ("SESSIONS_STORES__MAIN__URL", format!("redis://127.0.0.1:{port}")),
        ("SESSIONS_STORES__MAIN__KEY_PREFIX", "shop".to_owned()),
        ("SESSIONS_STORES__MAIN__TIMEOUT", "500ms".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    let registry = policies::Registry::builder().with_settings(None, settings).load().await.unwrap();
    Router::new()
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/visit", post(visit))
        .route("/", get(look))
        .layer(registry.layer())
}

async fn ask(node: &Router, method: &str, path: &str, cookie: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    node.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn logged_in(node: &Router) -> String {
    cookie(&ask(node, "POST", "/login", None).await)
}

fn cookie(response: &Response<Body>) -> String {
    let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
    line.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn two_nodes_share_sessions_and_a_logout_at_one_holds_at_the_other() {
    let server = RedisServer::start();
    let (one, other) = (node(server.port()).await, node(server.port()).await);
    let cookie = logged_in(&one).await;
    assert_eq!(text(ask(&other, "GET", "/", Some(&cookie)).await).await, "ada");
    ask(&other, "POST", "/logout", Some(&cookie)).await;
    assert_eq!(text(ask(&one, "GET", "/", Some(&cookie)).await).await, "someone");
    assert!(
        server
            .ask(&["KEYS", "*"])
            .lines()
            .filter(|line| line.contains(':'))
            .all(|key| key.starts_with("shop:{"))
    );
}

#[tokio::test]
async fn an_outage_is_503_within_the_limit_and_never_someone_else() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let node = node(proxy.port()).await;
    let cookie = logged_in(&node).await;
    for outage in ["silence", "refusal"] {
        if outage == "silence" {
            proxy.silence(true);
        } else {
            proxy.refuse(true);
            proxy.cut();
        }
        for (method, path) in [("GET", "/"), ("POST", "/login"), ("POST", "/logout"), ("GET", "/")] {
            let begin = Instant::now();
            let answer = ask(&node, method, path, Some(&cookie)).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{outage}: {path}");
            assert!(answer.headers().contains_key(header::RETRY_AFTER), "{outage}: {path}");
            assert!(!answer.headers().contains_key(header::SET_COOKIE), "{outage}: {path}");
            assert!(begin.elapsed() < LIMIT + SLACK, "{outage}: {path}: {:?}", begin.elapsed());
        }
        proxy.silence(false);
        proxy.refuse(false);
        let begin = Instant::now();
        while ask(&node, "GET", "/", Some(&cookie)).await.status() != StatusCode::OK {
            assert!(begin.elapsed() < Duration::from_secs(1), "{outage}: it does not work again");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(text(ask(&node, "GET", "/", Some(&cookie)).await).await, "ada", "{outage}");
    }
}

/// How often a request goes to the server before it is answered, and after.
async fn trips(
    proxy: &Proxy,
    node: &Router,
    request: (&str, &str),
    cookie: Option<&str>,
) -> (u64, u64, Response<Body>) {
    let before = proxy.questions();
    let response = ask(node, request.0, request.1, cookie).await;
    assert_eq!(response.status(), StatusCode::OK, "{request:?}");
    let answered = proxy.questions();
    tokio::time::sleep(Duration::from_millis(100)).await;
    (answered - before, proxy.questions() - answered, response)
}

#[tokio::test]
async fn a_request_takes_as_few_trips_as_its_kind_needs() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let node = node(proxy.port()).await;
    let (before, after, response) = trips(&proxy, &node, ("POST", "/visit"), None).await;
    assert_eq!((before, after), (1, 0), "a new session is written");
    let visitor = cookie(&response);
    let (before, after, _) = trips(&proxy, &node, ("GET", "/"), Some(&visitor)).await;
    assert_eq!((before, after), (1, 0), "a session is read");
    let (before, after, _) = trips(&proxy, &node, ("POST", "/visit"), Some(&visitor)).await;
    assert!(before <= 2 && after == 0, "a session is read and written: {before}, {after}");
    let (before, after, response) = trips(&proxy, &node, ("POST", "/login"), Some(&visitor)).await;
    // The old record has ended before the client hears of the new one: if that fails, the login does.
    assert_eq!(
        (before, after),
        (3, 0),
        "a visitor's session is read, sealed while it is carried over, and ended"
    );
    let user = cookie(&response);
    let (before, after, _) = trips(&proxy, &node, ("POST", "/logout"), Some(&user)).await;
    assert!(before <= 2 && after == 0, "a session is read and ended: {before}, {after}");
    let (before, after, _) = trips(&proxy, &node, ("POST", "/login"), None).await;
    assert_eq!((before, after), (1, 0), "a login without a session before");
}
