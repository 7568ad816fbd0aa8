//! This library, with a policy that holds as many sessions as a run needs.

use std::hint::black_box;

use axum::{
    Router,
    routing::{get, post},
};
use sessions::{Fault, Session, SessionError, SessionPrincipal, session};

use super::{ATTRIBUTES, WORK, new_user};
use crate::Outcome;

sessions::policies! {
    bench: {
        extends: "user_default",
        concurrency: { max_sessions_per_principal: "unlimited" },
        allow: [{ rule: "SL041", reason: "the others limit nothing", owner: "benches", until: "9999-12-31" }],
    },
}

pub(super) async fn router(sessions: usize) -> Outcome<Router> {
    // Logins of a run come on top of what is stored before it.
    let room = ("SESSIONS_STORES__MAIN__MAX_SESSIONS".to_owned(), (sessions + 1_000_000).to_string());
    let registry = policies::Registry::builder().with_settings(None, [room]).load().await?;
    Ok(Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read))
        .route("/set", post(set))
        .route("/set-slow", post(set_slow))
        .route("/update", post(update))
        .route("/update-slow", post(update_slow))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/count", get(count))
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
async fn set_slow(mut session: Session) -> Result<&'static str, SessionError> {
    let n = session.get::<u64>("n")?.ok_or(Fault::Required)?;
    tokio::time::sleep(WORK).await;
    session.set("n", n + 1)?;
    Ok("ok")
}

#[session(policy = "bench")]
async fn update(session: Session) -> Result<&'static str, SessionError> {
    session.update("n", |n: &mut u64| *n += 1).await?;
    Ok("ok")
}

#[session(policy = "bench")]
async fn update_slow(session: Session) -> Result<&'static str, SessionError> {
    black_box(session.get::<u64>("n")?);
    tokio::time::sleep(WORK).await;
    session.update("n", |n: &mut u64| *n += 1).await?;
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

#[session(policy = "bench")]
async fn logout(mut session: Session) -> &'static str {
    session.clear_authentication();
    session.clear_data();
    "ok"
}

#[session(policy = "bench")]
async fn count(session: Session) -> Result<String, SessionError> {
    Ok(session.get::<u64>("n")?.ok_or(Fault::Required)?.to_string())
}
