//! The middleware: what a handler's end, whatever it is, means for the sessions that it opened.

use std::{convert::Infallible, panic::AssertUnwindSafe};

use actix_web::{
    App, Error, HttpResponse, Responder,
    body::{BoxBody, MessageBody, to_bytes},
    dev::{Service, ServiceRequest, ServiceResponse},
    error::ErrorForbidden,
    http::{
        Method,
        header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, RETRY_AFTER, SET_COOKIE, VARY},
    },
    middleware::{Next, from_fn},
    test::{TestRequest, init_service},
    web::{self, Bytes, get, post, scope},
};
use futures_util::{FutureExt as _, stream};
use sessions::{Fault, Session, SessionError, SessionPrincipal, guard::authenticated, require, session};
use sessions_tests::{Spy, stored};

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
async fn log_in(mut session: Session) -> &'static str {
    session.mark_authenticated(SessionPrincipal::user("ada"));
    "hello"
}

#[session(policy = "one")]
async fn log_out(mut session: Session) -> &'static str {
    session.clear_authentication();
    session.clear_data();
    "bye"
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

/// What it makes of nothing is a refusal of its own.
#[session(policy = "one")]
async fn optional_refusal(session: Option<Session>) -> HttpResponse {
    if session.is_some() { HttpResponse::Ok().finish() } else { HttpResponse::Unauthorized().finish() }
}

async fn told(session: Result<Session<policies::One>, SessionError>) -> HttpResponse {
    match session {
        Ok(_) => HttpResponse::Ok().body("open"),
        Err(error) if error.fault() == Fault::StoreUnavailable => {
            HttpResponse::BadGateway().body("own words")
        }
        Err(_) => HttpResponse::Ok().finish(),
    }
}

async fn careless(session: Option<Session<policies::One>>) -> &'static str {
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
async fn boastful(mut session: Session) -> Result<impl Responder, SessionError> {
    session.set("big", "x".repeat(70_000))?;
    Ok(HttpResponse::Created()
        .insert_header(("x-own", "1"))
        .insert_header((SET_COOKIE, "own=1"))
        .body("created"))
}

/// Its body says what is stored when it is asked for, and what becomes of a change that comes only then.
#[session(policy = "one")]
async fn streaming(mut session: Session, store: web::Data<Spy>) -> Result<HttpResponse, SessionError> {
    session.set("key", 1)?;
    let body = stream::once(async move {
        let stored = stored(store.get_ref()).await;
        let late = session.set("late", 1).map_err(|error| error.fault());
        Ok::<_, Infallible>(Bytes::from(format!("{stored} stored, then {late:?}")))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public"))
        .insert_header((VARY, "Accept"))
        .streaming(body))
}

async fn plain() -> &'static str {
    "plain"
}

/// Another middleware, below the layer: it opens the session, writes, and fails as actix-web's own do.
async fn forbidding(
    mut request: ServiceRequest,
    _: Next<impl MessageBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extract::<Session<policies::One>>().await?.set("seen", true)?;
    Err(ErrorForbidden("not today"))
}

/// A program and its store.
struct Shop {
    store: Spy,
    registry: policies::Registry,
}

/// An answer as a client sees it.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    async fn of(response: HttpResponse<impl MessageBody>) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let Ok(body) = to_bytes(response.into_body()).await else { unreachable!("the body is whole") };
        Self { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// The values of a field, in order.
    fn all(&self, name: HeaderName) -> Vec<&str> {
        self.headers.get_all(name).map(|value| value.to_str().unwrap()).collect()
    }

    /// The cookie pair of the one `Set-Cookie` line.
    fn cookie(&self) -> &str {
        let lines = self.all(SET_COOKIE);
        assert_eq!(lines.len(), 1, "{self:?}");
        lines[0].split(';').next().unwrap()
    }

    #[track_caller]
    fn expect_problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.all(CONTENT_TYPE), ["application/problem+json"]);
        assert!(self.body.contains(&format!("\"code\":\"{code}\"")), "{self:?}");
        self
    }

    /// The store can't tell, and the client keeps what it has.
    #[track_caller]
    fn expect_unavailable(&self) {
        self.expect_problem(503, "SESSION_STORE_UNAVAILABLE");
        assert!(self.headers.contains_key(RETRY_AFTER) && !self.headers.contains_key(SET_COOKIE), "{self:?}");
    }
}

impl Shop {
    async fn new() -> Self {
        Self::under("production").await
    }

    async fn under(profile: &str) -> Self {
        let store = Spy::default();
        let registry = policies::Registry::builder()
            .with_settings(Some(FILE), [("SESSIONS_PROFILE".to_owned(), profile.to_owned())]);
        Self { registry: registry.store("main", store.clone()).load().await.unwrap(), store }
    }

    /// One request, to a worker that has just begun.
    async fn ask(&self, method: &str, path: &str, cookie: Option<&str>) -> Answer {
        let app = App::new()
            .app_data(web::Data::new(self.store.clone()))
            .route("/set", post().to(set))
            .route("/log-in", post().to(log_in))
            .route("/log-out", post().to(log_out))
            .route("/panic", post().to(panicking))
            .route("/optional", get().to(optional))
            .route("/optional-refusal", get().to(optional_refusal))
            .route("/told", get().to(told))
            .route("/careless", get().to(careless))
            .route("/twice", post().to(twice))
            .route("/both", post().to(both))
            .route("/boastful", post().to(boastful))
            .route("/streaming", post().to(streaming))
            .route("/plain", get().to(plain))
            .service(
                scope("/office").wrap(require::<policies::One>(authenticated())).route("", get().to(plain)),
            )
            .service(scope("/forbidden").wrap(from_fn(forbidding)).route("", get().to(plain)))
            .wrap(self.registry.layer());
        let app = init_service(app).await;
        let mut request = TestRequest::with_uri(path).method(Method::from_bytes(method.as_bytes()).unwrap());
        if let Some(cookie) = cookie {
            request = request.insert_header((COOKIE, cookie));
        }
        let answered = app.call(request.to_request()).await;
        match answered {
            Ok(response) => Answer::of(response.into_parts().1).await,
            Err(error) => Answer::of(error.error_response()).await,
        }
    }

    /// The cookie of a session with a value.
    async fn visitor(&self) -> String {
        self.ask("POST", "/set", None).await.cookie().to_owned()
    }

    async fn stored(&self) -> u64 {
        stored(&self.store).await
    }
}

#[tokio::test]
async fn what_a_handler_wrote_is_stored_before_its_body_is_asked_for() {
    let shop = Shop::new().await;
    let answer = shop.ask("POST", "/streaming", None).await;
    assert_eq!(answer.body, "1 stored, then Err(Unusable)");
    assert!(answer.cookie().starts_with("__Host-Http-one="));
    assert_eq!(answer.all(CACHE_CONTROL), ["no-store"]);
    assert_eq!(answer.all(VARY), ["Accept", "Cookie"]);
    assert_eq!(shop.stored().await, 1);
}

#[tokio::test]
async fn a_failed_commit_replaces_status_headers_and_body() {
    let shop = Shop::new().await;
    let answer = shop.ask("POST", "/boastful", None).await;
    answer.expect_problem(413, "SESSION_TOO_LARGE");
    assert!(!answer.headers.contains_key("x-own") && !answer.headers.contains_key(SET_COOKIE), "{answer:?}");
    assert_eq!((answer.all(CACHE_CONTROL), answer.all(VARY)), (vec!["no-store"], vec!["cookie"]));
    assert_eq!(shop.stored().await, 0);
}

#[tokio::test]
async fn a_store_that_is_down_or_hangs_is_503_and_no_cookie_changes() {
    let shop = Shop::new().await;
    let cookie = shop.visitor().await;
    for hangs in [false, true] {
        shop.store.set_down(!hangs);
        shop.store.set_hanging(hangs);
        for (method, path) in
            [("POST", "/set"), ("POST", "/log-in"), ("POST", "/log-out"), ("GET", "/office")]
        {
            shop.ask(method, path, Some(&cookie)).await.expect_unavailable();
        }
        shop.ask("POST", "/log-in", None).await.expect_unavailable();
        assert_eq!(shop.ask("GET", "/plain", Some(&cookie)).await.body, "plain");
    }
}

#[tokio::test]
async fn an_optional_session_is_none_for_absence_alone() {
    let shop = Shop::new().await;
    assert_eq!(shop.ask("GET", "/optional", None).await.body, "none");
    let cookie = shop.visitor().await;
    assert_eq!(shop.ask("GET", "/optional", Some(&cookie)).await.body, "some");
    assert_eq!(shop.ask("GET", "/optional-refusal", None).await.status, 401);
    shop.store.set_down(true);
    shop.ask("GET", "/optional", Some(&cookie)).await.expect_unavailable();
    shop.ask("GET", "/optional-refusal", Some(&cookie)).await.expect_unavailable();
}

#[tokio::test]
async fn the_development_profile_serves_this_machine_alone() {
    let shop = Shop::under("development").await;
    for path in ["/optional", "/careless", "/told", "/office"] {
        // Whose address the server does not tell is from elsewhere.
        shop.ask("GET", path, None).await.expect_problem(403, "SESSION_FORBIDDEN");
    }
    assert_eq!(shop.ask("GET", "/plain", None).await.status, 200);
}

#[tokio::test]
async fn a_store_that_is_down_is_no_success_whatever_the_handler_makes_of_it() {
    let shop = Shop::new().await;
    let cookie = shop.visitor().await;
    assert_eq!(shop.ask("GET", "/careless", Some(&cookie)).await.body, "some");
    assert_eq!(shop.ask("GET", "/told", Some(&cookie)).await.body, "open");
    shop.store.set_down(true);
    shop.ask("GET", "/careless", Some(&cookie)).await.expect_unavailable();
    let told = shop.ask("GET", "/told", Some(&cookie)).await;
    assert_eq!((told.status, told.body.as_str()), (502, "own words"), "an error of its own is left to it");
}

#[tokio::test]
async fn a_panic_leaves_nothing() {
    let shop = Shop::new().await;
    let panicked = AssertUnwindSafe(shop.ask("POST", "/panic", None)).catch_unwind().await;
    assert!(panicked.is_err());
    assert_eq!(shop.stored().await, 0);
}

#[tokio::test]
async fn all_extractors_of_one_policy_share_one_session_and_one_read() {
    let shop = Shop::new().await;
    let cookie = shop.visitor().await;
    shop.store.take_counts();
    assert_eq!(shop.ask("POST", "/twice", Some(&cookie)).await.body, "Some(7)");
    assert_eq!(shop.store.take_counts().totals(), (1, 1));
}

#[tokio::test]
async fn two_policies_in_one_handler_are_two_sessions() {
    let shop = Shop::new().await;
    let answer = shop.ask("POST", "/both", None).await;
    let names: Vec<_> = answer.all(SET_COOKIE).iter().map(|line| line.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["__Host-Http-one", "__Host-Http-two"]);
    assert_eq!(shop.stored().await, 2);
}

#[tokio::test]
async fn a_guard_before_a_scope_refuses_as_one_on_a_handler() {
    let shop = Shop::new().await;
    let cookie = shop.visitor().await;
    for cookie in [None, Some(cookie.as_str())] {
        let refused = shop.ask("GET", "/office", cookie).await;
        refused.expect_problem(401, "SESSION_REQUIRED");
        assert_eq!(refused.all(VARY), ["cookie"]);
    }
    let login = shop.ask("POST", "/log-in", Some(&cookie)).await;
    assert_eq!(shop.ask("GET", "/office", Some(login.cookie())).await.body, "plain");
}

#[tokio::test]
async fn an_error_of_another_middleware_is_an_answer_like_any_other() {
    let shop = Shop::new().await;
    let answer = shop.ask("GET", "/forbidden", None).await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "not today"));
    assert_eq!(answer.all(CACHE_CONTROL), ["no-store"]);
    assert_eq!(shop.stored().await, 1);
    let again = shop.ask("GET", "/optional", Some(answer.cookie())).await;
    assert_eq!(again.body, "some");
}

#[tokio::test]
async fn a_logout_ends_the_session_and_removes_the_cookie() {
    let shop = Shop::new().await;
    let login = shop.ask("POST", "/log-in", None).await;
    let logout = shop.ask("POST", "/log-out", Some(login.cookie())).await;
    assert!(logout.all(SET_COOKIE)[0].contains("Max-Age=0"), "{logout:?}");
    assert_eq!(shop.stored().await, 0);
    let office = shop.ask("GET", "/office", Some(login.cookie())).await;
    office.expect_problem(401, "SESSION_REQUIRED");
    assert!(office.all(SET_COOKIE).is_empty());
}
