//! The guard before whole routers: it refuses what the attribute refuses, in the same words, and costs no second read.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
    routing::{get, post},
};
use http_body_util::BodyExt;
use sessions::{
    Session, SessionPrincipal,
    guard::{authenticated, fresh_within, kind, role},
    require, session,
};
use sessions_tests::Spy;
use tower::{Layer, ServiceExt, service_fn};

sessions::policies! {
    office: { extends: "user_default", persistence: { store_name: "main" } },
    shop: { extends: "user_default", persistence: { store_name: "main" } },
}

const FILE: &str = "[stores.main]\nkind = \"custom\"\ntimeout = \"100ms\"\n";

#[session(policy = "office")]
async fn login(mut session: Session) {
    session.mark_authenticated(SessionPrincipal::user("ada").role("editor"));
}

#[session(policy = "office", role = "admin")]
async fn by_attribute(session: Session) -> String {
    session.is_authenticated().to_string()
}

#[session(policy = "office")]
async fn counting(session: Session) -> Result<String, sessions::SessionError> {
    let visits = session.update("visits", |visits: &mut u32| {
        *visits += 1;
        *visits
    });
    Ok(visits.await?.to_string())
}

/// The attribute on an `impl`, with the routes of its own.
struct Desk;

#[session(policy = "office", require = authenticated)]
impl Desk {
    async fn open(session: Session) -> String {
        session.principal().map_or_else(String::new, |principal| principal.id().to_owned())
    }

    #[session(role = "admin")]
    async fn lock(session: Session) -> String {
        session.is_authenticated().to_string()
    }

    #[session(policy = "office")]
    async fn look(session: Session) -> String {
        session.is_authenticated().to_string()
    }
}

struct Server {
    router: Router,
    store: Spy,
    events: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start() -> Self {
        let store = Spy::default();
        let registry = policies::Registry::builder().with_settings(Some(FILE), []);
        let registry = registry.store("main", store.clone()).load().await.unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&events);
        registry.on_event(move |event| {
            let fault = event.fault.map_or_else(String::new, |fault| fault.to_string());
            kept.lock().unwrap().push(format!("{} {} {fault}", event.policy, event.kind));
        });
        let members = Router::new()
            .route("/members", get(|| async { "members" }).post(|body: String| async { body }))
            .route("/counting", post(counting))
            .route_layer(require::<policies::Office>(authenticated()));
        let admins = Router::new().route("/by_router", get(|| async { "admins" })).route_layer(require::<
            policies::Office,
        >(
            role("admin"),
        ));
        let router = Router::new()
            .route("/login", post(login))
            .route("/by_attribute", get(by_attribute))
            .route("/bots", get(|| async { "bots" }).layer(require::<policies::Office>(kind("service"))))
            .route(
                "/now",
                get(|| async { "now" })
                    .layer(require::<policies::Office>(fresh_within(std::time::Duration::ZERO))),
            )
            .route("/desk", get(Desk::open).put(Desk::lock).post(Desk::look))
            .route("/public", get(|| async { "public" }))
            .merge(members)
            .merge(admins)
            .layer(registry.layer());
        Self { router, store, events }
    }

    async fn send(&self, method: &str, path: &str, cookie: Option<&str>) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        self.router.clone().oneshot(request.body(Body::from("sent")).unwrap()).await.unwrap()
    }

    /// The next event of a refusal. Events come from a thread of their own.
    async fn refused(&self) -> String {
        for _ in 0..500 {
            let event = self.events.lock().unwrap().extract_if(.., |event| event.contains("SESSION_")).next();
            if let Some(event) = event {
                return event;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        String::new()
    }

    async fn log_in(&self) -> String {
        let response = self.send("POST", "/login", None).await;
        let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
        line.split(';').next().unwrap().to_owned()
    }
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// Everything of a refusal that a client sees.
async fn refusal(response: Response<Body>) -> (StatusCode, Vec<(String, String)>, String) {
    let headers = response.headers().iter();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (response.status(), headers, text(response).await)
}

#[tokio::test]
async fn a_router_refuses_in_the_words_of_the_attribute() {
    let server = Server::start().await;
    let cookie = server.log_in().await;
    for cookie in [None, Some(cookie.as_str())] {
        let by_attribute = refusal(server.send("GET", "/by_attribute", cookie).await).await;
        let told_by_attribute = server.refused().await;
        let by_router = refusal(server.send("GET", "/by_router", cookie).await).await;
        assert_eq!(by_router, by_attribute);
        assert_eq!(server.refused().await, told_by_attribute);
        assert!(!told_by_attribute.is_empty());
        assert!(
            by_router.1.iter().any(|(name, value)| name == "vary" && value.contains("cookie")),
            "{by_router:?}"
        );
    }
}

#[tokio::test]
async fn each_requirement_has_its_refusal() {
    let server = Server::start().await;
    assert_eq!(server.send("GET", "/members", None).await.status(), StatusCode::UNAUTHORIZED);
    let cookie = server.log_in().await;
    for (path, status) in [("/members", 200), ("/by_router", 403), ("/bots", 403)] {
        assert_eq!(server.send("GET", path, Some(&cookie)).await.status(), status, "{path}");
    }
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let stale = server.send("GET", "/now", Some(&cookie)).await;
    assert_eq!(stale.status(), StatusCode::UNAUTHORIZED);
    assert!(text(stale).await.contains("SESSION_NOT_FRESH"));
}

#[tokio::test]
async fn the_request_reaches_the_handler_whole() {
    let server = Server::start().await;
    let cookie = server.log_in().await;
    assert_eq!(text(server.send("POST", "/members", Some(&cookie)).await).await, "sent");
}

#[tokio::test]
async fn guard_and_handler_share_one_session_and_one_read() {
    let server = Server::start().await;
    let cookie = server.log_in().await;
    server.store.take_counts();
    assert_eq!(text(server.send("POST", "/counting", Some(&cookie)).await).await, "1");
    assert_eq!(text(server.send("POST", "/counting", Some(&cookie)).await).await, "2");
    let counts = server.store.take_counts();
    assert_eq!(counts.totals(), (2, 2));
}

#[tokio::test]
async fn routes_beside_the_guard_cost_nothing() {
    let server = Server::start().await;
    let cookie = server.log_in().await;
    server.store.take_counts();
    let response = server.send("GET", "/public", Some(&cookie)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key(header::VARY));
    let counts = server.store.take_counts();
    assert_eq!(counts.totals(), (0, 0));
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_before_the_handler() {
    let server = Server::start().await;
    let cookie = server.log_in().await;
    server.store.set_down(true);
    let response = server.send("GET", "/members", Some(&cookie)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn another_sites_write_is_refused_before_the_handler() {
    let server = Server::start().await;
    let cookie = server.log_in().await;
    let request =
        Request::post("/members").header("sec-fetch-site", "cross-site").header(header::COOKIE, cookie);
    let response = server.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(text(response).await.contains("SESSION_CROSS_SITE"));
}

#[tokio::test]
async fn the_default_of_an_impl_guards_its_handlers() {
    let server = Server::start().await;
    for (method, status) in [("GET", 401), ("PUT", 401), ("POST", 200)] {
        assert_eq!(server.send(method, "/desk", None).await.status(), status, "{method}");
    }
    let cookie = server.log_in().await;
    assert_eq!(text(server.send("GET", "/desk", Some(&cookie)).await).await, "ada");
    assert_eq!(server.send("PUT", "/desk", Some(&cookie)).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn without_the_registrys_layer_nobody_passes() {
    let service = service_fn(|_: Request<()>| async {
        Ok::<_, std::convert::Infallible>(Response::new("inside".to_owned()))
    });
    let guarded = require::<policies::Shop>(authenticated()).layer(service);
    let response = guarded.oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!response.body().contains("inside"));
}
