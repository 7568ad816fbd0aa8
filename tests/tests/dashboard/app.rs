//! A small app with a dashboard, and clients of it.

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, Response, StatusCode, header},
    response::Html,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use sessions::{
    MemoryStore, Requirements, Session, SessionEvent, SessionPrincipal, dashboard::Dashboard, guard, session,
    testing::SpyStore,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tower::ServiceExt as _;

sessions::policies! {
    shop: { extends: "user_default", persistence: { store_name: "main" }, trusted_origins: ["https://partner.example"] },
    admin: { extends: "admin", persistence: { store_name: "main" }, trusted_origins: ["https://partner.example"] },
    program: { extends: "api_token", persistence: { store_name: "main" } },
}

const FILE: &str = "[stores.main]\nkind = \"custom\"\n";

/// Who logs in.
#[derive(Deserialize, Serialize)]
struct Who {
    id: String,
    role: String,
}

impl Who {
    fn principal(self) -> SessionPrincipal {
        SessionPrincipal::user(self.id).role(self.role)
    }
}

#[session(policy = "shop")]
async fn buy(mut session: Session, Json(who): Json<Who>) {
    session.mark_authenticated(who.principal());
}

#[session(policy = "admin")]
async fn enter(mut session: Session, Json(who): Json<Who>) {
    session.mark_authenticated(who.principal());
}

/// The app, in this process.
pub(crate) struct App {
    pub(crate) registry: policies::Registry,
    pub(crate) store: SpyStore<MemoryStore>,
    router: Router,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::with(|dashboard| dashboard, &[]).await
    }

    /// With a dashboard that is made otherwise, and variables.
    pub(crate) async fn with(make: impl FnOnce(Dashboard) -> Dashboard, variables: &[(&str, &str)]) -> Self {
        Self::guarded_by(guard::role("admin"), make, variables).await
    }

    pub(crate) async fn guarded_by(
        guard: Requirements,
        make: impl FnOnce(Dashboard) -> Dashboard,
        variables: &[(&str, &str)],
    ) -> Self {
        let store = SpyStore::new(MemoryStore::new(10_000));
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let registry = policies::Registry::builder().store("main", store.clone());
        let registry = registry.with_settings(Some(FILE), variables).load().await.unwrap();
        let dashboard = make(Dashboard::new::<policies::Admin>(&registry, guard));
        let router = Router::new()
            .route(
                "/",
                get(|| async { Html("<!doctype html><title>Shop</title><link rel=icon href=data:,>") }),
            )
            .route("/buy", post(buy))
            .route("/enter", post(enter))
            .nest("/dashboard", dashboard.router())
            .layer(registry.layer());
        Self { registry, store, router }
    }

    /// A client without a session.
    pub(crate) fn client(&self) -> Client {
        Client { router: self.router.clone(), cookie: None, agent: "a browser".to_owned() }
    }

    /// An operator, who has just logged in.
    pub(crate) async fn operator(&self) -> Client {
        let mut client = self.client();
        client.log_in("/enter", "grace", "admin").await;
        client
    }

    /// A person who has just logged in to the shop.
    pub(crate) async fn person(&self, id: &str) -> Client {
        let mut client = self.client();
        client.log_in("/buy", id, "customer").await;
        client
    }

    /// The handles of a person's sessions.
    pub(crate) async fn handles(&self, id: &str) -> Vec<String> {
        let engine = self.registry.engine::<policies::Shop>();
        let sessions = engine.sessions_of(&SessionPrincipal::user(id)).await.unwrap();
        sessions.iter().map(|session| session.handle.to_string()).collect()
    }

    /// Waits until the dashboard has heard of an event that the page of events shows.
    pub(crate) async fn until_heard(&self, operator: &mut Client, text: &str) -> String {
        for _ in 0..1_000 {
            let page = operator.get("/dashboard/events").await.body;
            if page.contains(text) {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("no event shows {text}")
    }

    /// Collects what happens from now on.
    pub(crate) fn events(&self) -> std::sync::mpsc::Receiver<SessionEvent> {
        let (tell, told) = std::sync::mpsc::channel();
        self.registry.on_event(move |event| {
            let _ = tell.send(event.clone());
        });
        told
    }

    /// Serves it on a port of its own, until that is dropped.
    pub(crate) async fn serve(&self) -> Served {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = self.router.clone();
        Served { url, server: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }) }
    }
}

/// A server on a port.
pub(crate) struct Served {
    pub(crate) url: String,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// A client that keeps one cookie.
pub(crate) struct Client {
    router: Router,
    pub(crate) cookie: Option<String>,
    pub(crate) agent: String,
}

impl Client {
    pub(crate) async fn log_in(&mut self, path: &str, id: &str, role: &str) {
        let who = serde_json::to_string(&Who { id: id.to_owned(), role: role.to_owned() }).unwrap();
        let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
        let answer = self.send(Method::POST, path, &headers, who).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// Gets a page that has to be there.
    pub(crate) async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    /// Sends a form as the browser does whose page it is.
    pub(crate) async fn submit(&mut self, path: &str, form: &str) -> Answer {
        self.submit_from(path, form, &[("sec-fetch-site", "same-origin")]).await
    }

    pub(crate) async fn submit_from(&mut self, path: &str, form: &str, from: &[(&str, &str)]) -> Answer {
        let mut headers =
            vec![("content-type", "application/x-www-form-urlencoded"), ("host", "shop.example")];
        headers.extend_from_slice(from);
        self.send(Method::POST, path, &headers, form.to_owned()).await
    }

    async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let request = self.request(method, path, headers, body);
        let response = self.router.clone().oneshot(request).await.unwrap();
        self.answer(response).await
    }

    /// Asks, and leaves the body open.
    pub(crate) async fn open(&mut self, path: &str) -> Response<Body> {
        let request = self.request(Method::GET, path, &[], String::new());
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::USER_AGENT, &self.agent);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(Body::from(body)).unwrap()
    }

    async fn answer(&mut self, response: Response<Body>) -> Answer {
        let (parts, body) = response.into_parts();
        if let Some(set) = parts.headers.get(header::SET_COOKIE) {
            self.cookie = set.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        let is_stream =
            parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Vec::new() } else { to_bytes(body, 1 << 22).await.unwrap().to_vec() };
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body).unwrap() }
    }

    /// The secret part of its cookie.
    pub(crate) fn secret(&self) -> &str {
        self.cookie.as_deref().and_then(|cookie| cookie.rsplit('.').next()).unwrap()
    }
}
