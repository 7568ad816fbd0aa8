//! `axum_session` in memory, as its defaults have it.

use std::hint::black_box;

use axum::{
    Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use axum_session::{SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use super::{ATTRIBUTES, WORK, bare::personal, new_user};
use crate::Outcome;

type Session = axum_session::Session<SessionNullPool>;

pub(super) async fn router() -> Outcome<Router> {
    let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default()).await?;
    Ok(Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read))
        .route("/set", post(set))
        .route("/set-slow", post(set_slow))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/count", get(count))
        .layer(SessionLayer::new(store)))
}

fn counter(session: &Session) -> Result<u64, StatusCode> {
    session.get("n").ok_or(StatusCode::UNAUTHORIZED)
}

async fn read(session: Session) -> Result<impl IntoResponse, StatusCode> {
    black_box(session.get::<String>("user_id").ok_or(StatusCode::UNAUTHORIZED)?);
    black_box(counter(&session)?);
    Ok((personal(), "ok"))
}

async fn set(session: Session) -> Result<impl IntoResponse, StatusCode> {
    session.set("n", counter(&session)? + 1);
    Ok((personal(), "ok"))
}

async fn set_slow(session: Session) -> Result<impl IntoResponse, StatusCode> {
    let n = counter(&session)?;
    tokio::time::sleep(WORK).await;
    session.set("n", n + 1);
    Ok((personal(), "ok"))
}

async fn login(session: Session) -> impl IntoResponse {
    // What its documentation asks for against fixation.
    session.renew();
    session.set("user_id", new_user());
    for (key, value) in ATTRIBUTES {
        session.set(key, value);
    }
    session.set("n", 0);
    (personal(), "ok")
}

async fn logout(session: Session) -> impl IntoResponse {
    session.destroy();
    (personal(), "ok")
}

async fn count(session: Session) -> Result<String, StatusCode> {
    counter(&session).map(|n| n.to_string())
}
