//! Handlers of every kind, under the lints of a strict program.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

use axum::{Json, Router, routing::get};
use sessions::{Policy, Session, session};

sessions::policies!("sessions.toml", Checkout);

/// A policy with typed data.
#[sessions::session_policy(extends = "user_default")]
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Checkout {
    step: u8,
}

/// Public, with every guard.
#[session(policy = "api_token", require = [authenticated, fresh], kind = "service", role = ["admin", "auditor"])]
pub async fn everything(session: Session) -> Json<bool> {
    Json(session.is_authenticated())
}

#[session(policy = "admin", fresh = "5min")]
#[axum::debug_handler]
async fn fresh_here(_: Session, Json(_body): Json<u8>) -> &'static str {
    "fresh"
}

#[session(policy = "admin", fresh)]
async fn fresh_as_the_policy_says(_session: sessions::Session) {}

#[session(policy = "user_default")]
async fn maybe(session: Option<Session>) -> String {
    session.is_some().to_string()
}

#[session(policy = "user_default", require = authenticated)]
async fn two(
    user: Session,
    #[session("admin")] admin: Option<Session>,
    #[session(policy = "api_token")] token: Session,
) -> String {
    format!("{} {} {}", user.is_authenticated(), admin.is_some(), token.is_authenticated())
}

#[session(policy = Admin)]
async fn by_word(_: Session) {}

#[session(policy = policies::Admin, role = "admin")]
async fn by_path(_: Session, _: Option<Session<policies::UserDefault>>) {}

#[session(policy = "checkout")]
async fn typed(mut session: Session) -> Result<String, sessions::SessionError> {
    let step = session.modify(|checkout| {
        checkout.step += 1;
        checkout.step
    })?;
    Ok(step.to_string())
}

mod inner {
    use axum::http::Uri;
    use sessions::{Session, session};

    /// Any type may stand beside a session.
    #[session(policy = crate::policies::UserDefault, require = authenticated, crate = ::sessions)]
    pub(crate) async fn r#match(session: Session, _uri: Uri) -> String {
        session.is_authenticated().to_string()
    }
}

#[derive(Clone, Debug)]
struct App;

impl App {
    #[session(policy = "user_default")]
    async fn method(&self, session: Session) -> bool {
        std::future::ready(()).await;
        session.is_authenticated()
    }
}

#[session(policy = "user_default")]
fn name_of(session: Session) -> String {
    let name = session.policy().name().to_owned();
    drop(session);
    name
}

fn main() {
    fn callable<P: Policy>(_: fn(Session<P>) -> String) -> &'static str {
        P::NAME
    }
    assert_eq!(callable(name_of), "user_default");
    let _ = async |session| App.method(session).await;
    let _: Router = Router::new()
        .route("/everything", get(everything))
        .route("/fresh", get(fresh_here).post(fresh_as_the_policy_says))
        .route("/maybe", get(maybe))
        .route("/two", get(two))
        .route("/word", get(by_word).post(by_path))
        .route("/typed", get(typed))
        .route("/inner", get(inner::r#match));
}
