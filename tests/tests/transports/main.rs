//! How a session's id travels: the bearer token, several carriers of one policy, and transports of an application's own.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod bearer;
mod composite;
mod early;
mod own;
mod secrets;
mod settings;

use axum::{Router, body::Body, extract::Request, response::Response, routing::post};
use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use sessions::{Adapter, Fault, Session, SessionError, SessionPrincipal, session};
use sessions_tests::Spy;
use tower::ServiceExt as _;

sessions::policies! {
    api: { extends: "user_default", transport: { adapter: "bearer", header_name: "X-Api" } },
    both: { extends: "user_default", transport: { adapter: "composite", order: ["cookie", "bearer"], header_name: "X-Both" } },
    device: { extends: "user_default", transport: { adapter: "composite", order: ["custom", "cookie"] } },
}

const FILE: &str = "[stores.main]\nkind = \"custom\"\ntimeout = \"5s\"\n";

/// The handlers of one policy: sessions are handled alike, however their ids travel.
macro_rules! handlers {
    ($module:ident, $policy:ident) => {
        mod $module {
            use super::*;

            #[session(policy = policies::$policy)]
            pub(super) async fn visit(session: Session) -> Result<String, SessionError> {
                let count = |visits: &mut u64| {
                    *visits += 1;
                    *visits
                };
                Ok(session.update("visits", count).await?.to_string())
            }

            #[session(policy = policies::$policy)]
            pub(super) async fn log_in(mut session: Session) -> &'static str {
                session.mark_authenticated(SessionPrincipal::user("ada"));
                "logged in"
            }

            #[session(policy = policies::$policy)]
            pub(super) async fn log_in_by_program(
                mut session: Session,
            ) -> Result<&'static str, SessionError> {
                session.answer_by(Adapter::Bearer)?;
                session.mark_authenticated(SessionPrincipal::user("ada"));
                Ok("logged in")
            }

            #[session(policy = policies::$policy, require = authenticated)]
            pub(super) async fn me(session: Session) -> Result<String, SessionError> {
                Ok(session.require_principal()?.id().to_owned())
            }

            #[session(policy = policies::$policy, role = "admin")]
            pub(super) async fn office(session: Session) -> String {
                session.is_authenticated().to_string()
            }

            #[session(policy = policies::$policy, require = authenticated)]
            pub(super) async fn rotate(mut session: Session) -> &'static str {
                session.rotate();
                "rotated"
            }

            #[session(policy = policies::$policy)]
            pub(super) async fn log_out(mut session: Session) -> &'static str {
                session.clear_authentication();
                session.clear_data();
                "logged out"
            }

            pub(super) fn routes() -> Router {
                Router::new()
                    .route("/visit", post(visit).get(visit))
                    .route("/login", post(log_in))
                    .route("/login-by-program", post(log_in_by_program))
                    .route("/me", post(me))
                    .route("/office", post(office))
                    .route("/rotate", post(rotate))
                    .route("/logout", post(log_out))
            }
        }
    };
}

handlers!(api, Api);
handlers!(both, Both);
handlers!(device, Device);

/// A server, its registry, and the spy over its store.
struct Server {
    registry: policies::Registry,
    router: Router,
    store: Spy,
}

impl Server {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(variables: &[(&str, &str)]) -> Self {
        let store = Spy::default();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let registry = policies::Registry::builder()
            .with_settings(Some(FILE), variables)
            .store("main", store.clone())
            .transport::<policies::Device>(own::DeviceTransport)
            .load()
            .await
            .unwrap();
        let router = Router::new()
            .nest("/api", api::routes())
            .nest("/both", both::routes())
            .nest("/device", device::routes())
            .layer(registry.layer());
        Self { registry, router, store }
    }

    /// A request with these fields.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.ask("POST", path, fields).await
    }

    async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "shop.example");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        Reply::of(response).await
    }
}

/// An answer.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl Reply {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// All values of a field.
    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The cookie that a client keeps.
    fn cookie(&self) -> Option<String> {
        let line = self.headers.get(header::SET_COOKIE)?.to_str().unwrap();
        Some(line.split(';').next().unwrap().to_owned())
    }

    /// The id that it tells in a header.
    fn id(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().unwrap().to_owned())
    }

    #[track_caller]
    fn expect(&self, status: u16, body: &str) -> &Self {
        assert_eq!((self.status.as_u16(), self.body.as_str()), (status, body), "{self:?}");
        self
    }

    #[track_caller]
    fn expect_refusal(&self, fault: Fault) -> &Self {
        assert_eq!(self.status, fault.status(), "{self:?}");
        assert!(self.body.contains(fault.code()), "{self:?}");
        self
    }
}

/// The id of a cookie pair.
fn id_of(cookie: &str) -> &str {
    cookie.split_once('=').unwrap().1
}

fn bearer(id: &str) -> String {
    format!("Bearer {id}")
}
