//! An extractor of one's own that takes a session: handlers ask for the user, and the session stays out of sight.
//!
//! ```text
//! cargo run --example current_user
//! ```

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::FromRequestParts,
    http::{Request, header, request::Parts},
    routing::{get, post},
};
use sessions::{
    Session, SessionError, SessionPrincipal,
    guard::{authenticated, fresh},
    require, session,
};
use tower::ServiceExt;

sessions::policies!("sessions.toml");

/// Who sends the request. Without a login the handler is not reached, and the client gets the library's refusal.
struct CurrentUser {
    id: String,
    name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        // The session that every extractor and guard of this request shares: one read of the store.
        let session = Session::<policies::UserDefault>::open(parts).await?;
        let user = session.require_principal()?;
        let name = user.get_attribute("name").and_then(|name| name.as_str()).unwrap_or("nameless");
        Ok(Self { id: user.id().to_owned(), name: name.to_owned() })
    }
}

#[session(policy = "user_default")]
async fn login(mut session: Session) -> &'static str {
    session.mark_authenticated(SessionPrincipal::user("u1").with("name", "Ada"));
    "logged in"
}

/// The user alone.
async fn me(user: CurrentUser) -> String {
    format!("{} is {}", user.id, user.name)
}

/// The user and the session.
#[session(policy = "user_default")]
async fn visit(user: CurrentUser, session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |visits: &mut u64| {
        *visits += 1;
        *visits
    });
    Ok(format!("visit {} of {}", visits.await?, user.name))
}

/// The account's routes: the attribute on the `impl` is for all of its handlers, one asks for more.
struct Account;

#[session(policy = "user_default", require = authenticated)]
impl Account {
    async fn show(session: Session, user: CurrentUser) -> String {
        format!("{} since {}", user.name, session.created_at().map_or("now", |_| "a while"))
    }

    #[session(fresh = "5min")]
    async fn delete(mut session: Session) -> &'static str {
        session.clear_authentication();
        session.clear_data();
        "deleted"
    }
}

/// Sends a request, and prints what comes back.
async fn send(
    app: &Router,
    method: &str,
    path: &str,
    cookie: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie.as_str());
    let response = app.clone().oneshot(request.body(Body::empty())?).await?;
    if let Some(line) = response.headers().get(header::SET_COOKIE) {
        line.to_str()?.split(';').next().unwrap_or_default().clone_into(cookie);
    }
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 4096).await?;
    println!("{method:6} {path:16} {status} {}", String::from_utf8_lossy(&body));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = policies::Registry::load().await?;
    let settings = Router::new()
        .route("/settings", get(async || "settings"))
        .route("/settings/keys", get(async || "keys").layer(require::<policies::UserDefault>(fresh())))
        .route_layer(require::<policies::UserDefault>(authenticated()));
    let app = Router::new()
        .route("/login", post(login))
        .route("/me", get(me))
        .route("/visit", post(visit))
        .route("/account", get(Account::show).delete(Account::delete))
        .merge(settings)
        .layer(registry.layer());
    let mut cookie = String::new();
    for (method, path) in [
        ("GET", "/me"),
        ("GET", "/settings"),
        ("POST", "/login"),
        ("GET", "/me"),
        ("POST", "/visit"),
        ("POST", "/visit"),
        ("GET", "/settings/keys"),
        ("GET", "/account"),
        ("DELETE", "/account"),
        ("GET", "/account"),
    ] {
        send(&app, method, path, &mut cookie).await?;
    }
    Ok(())
}
