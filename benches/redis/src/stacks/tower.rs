//! tower-sessions with its Redis store, on one connection as its documentation has it.

use std::hint::black_box;

use axum::{
    Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use tower_sessions::{Session, SessionManagerLayer};
use tower_sessions_redis_store::{
    RedisStore,
    fred::{clients::Pool, interfaces::ClientLike as _, types::config::Config},
};

use super::{ATTRIBUTES, bare::personal, new_user};
use crate::Outcome;

pub(super) async fn router(url: &str) -> Outcome<Router> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 1)?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(Router::new()
        .route("/read", get(read))
        .route("/set", post(set))
        .route("/login", post(login))
        .layer(SessionManagerLayer::new(RedisStore::new(pool))))
}

fn failed<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn counter(session: &Session) -> Result<u64, StatusCode> {
    session.get::<u64>("n").await.map_err(failed)?.ok_or(StatusCode::UNAUTHORIZED)
}

async fn read(session: Session) -> Result<impl IntoResponse, StatusCode> {
    let user = session.get::<String>("user_id").await.map_err(failed)?;
    black_box(user.ok_or(StatusCode::UNAUTHORIZED)?);
    black_box(counter(&session).await?);
    Ok((personal(), "ok"))
}

async fn set(session: Session) -> Result<impl IntoResponse, StatusCode> {
    let n = counter(&session).await?;
    session.insert("n", n + 1).await.map_err(failed)?;
    Ok((personal(), "ok"))
}

async fn login(session: Session) -> Result<impl IntoResponse, StatusCode> {
    // What its documentation asks for against fixation.
    session.cycle_id().await.map_err(failed)?;
    session.insert("user_id", new_user()).await.map_err(failed)?;
    for (key, value) in ATTRIBUTES {
        session.insert(key, value).await.map_err(failed)?;
    }
    session.insert("n", 0).await.map_err(failed)?;
    Ok((personal(), "ok"))
}
