//! This library on the Redis server.

use std::hint::black_box;

use axum::{
    Router,
    routing::{get, post},
};
use sessions::{Fault, Session, SessionError, SessionPrincipal, session};

use super::{ATTRIBUTES, new_user};
use crate::Outcome;

sessions::policies! {
    bench: {
        extends: "user_default",
        concurrency: { max_sessions_per_principal: "unlimited" },
        allow: [{ rule: "SL041", reason: "the others limit nothing", owner: "benches", until: "9999-12-31" }],
    },
}

pub(super) async fn router(url: &str) -> Outcome<Router> {
    let variables = [("KIND", "redis"), ("URL", url)];
    let variables = variables.map(|(key, value)| (format!("SESSIONS_STORES__MAIN__{key}"), value.to_owned()));
    let registry = policies::Registry::builder().with_settings(None, variables).load().await?;
    Ok(Router::new()
        .route("/read", get(read))
        .route("/set", post(set))
        .route("/login", post(login))
        .layer(registry.layer()))
}

#[session(policy = "bench")]
async fn read(session: Session) -> Result<&'static str, SessionError> {
    black_box(session.require_principal()?);
    black_box(session.get::<u64>("n")?.ok_or(Fault::Required)?);
    Ok("ok")
}

#[session(policy = "bench")]
async fn set(mut session: Session) -> Result<&'static str, SessionError> {
    let n = session.get::<u64>("n")?.ok_or(Fault::Required)?;
    session.set("n", n + 1)?;
    Ok("ok")
}

#[session(policy = "bench")]
async fn login(mut session: Session) -> Result<&'static str, SessionError> {
    session.mark_authenticated(SessionPrincipal::user(new_user()));
    for (key, value) in ATTRIBUTES {
        session.set(key, value)?;
    }
    session.set("n", 0)?;
    Ok("ok")
}
