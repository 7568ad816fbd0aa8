//! axum and the client of Redis alone: a handler that asks for a key, and one that writes it again.

use std::hint::black_box;

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, COOKIE, HeaderName, SET_COOKIE, VARY},
    },
    response::IntoResponse,
    routing::{get, post},
};
use redis::{AsyncCommands as _, aio::ConnectionManager};

use super::new_user;
use crate::Outcome;

/// As long as the data of the others, as JSON.
const VALUE: &str = r#"{"user_id":"u123456","theme":"dark","lang":"en","tz":"Europe/London","n":0}"#;
const LIFE: u64 = 604_800;

pub(super) fn personal() -> [(HeaderName, HeaderValue); 2] {
    [(VARY, HeaderValue::from_static("cookie")), (CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}

pub(super) async fn router(url: &str) -> Outcome<Router> {
    let connection = ConnectionManager::new(redis::Client::open(url)?).await?;
    Ok(Router::new()
        .route("/read", get(read))
        .route("/set", post(set))
        .route("/login", post(login))
        .with_state(connection))
}

fn key(headers: &HeaderMap) -> Result<&[u8], StatusCode> {
    let cookie = headers.get(COOKIE).ok_or(StatusCode::UNAUTHORIZED)?;
    cookie.as_bytes().strip_prefix(b"bare=").ok_or(StatusCode::UNAUTHORIZED)
}

fn failed<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn value(store: &mut ConnectionManager, headers: &HeaderMap) -> Result<Vec<u8>, StatusCode> {
    let value: Option<Vec<u8>> = store.get(key(headers)?).await.map_err(failed)?;
    value.ok_or(StatusCode::UNAUTHORIZED)
}

async fn read(
    State(mut store): State<ConnectionManager>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    black_box(value(&mut store, &headers).await?);
    Ok((personal(), "ok"))
}

async fn set(
    State(mut store): State<ConnectionManager>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    let value = value(&mut store, &headers).await?;
    store.set_ex::<_, _, ()>(key(&headers)?, value, LIFE).await.map_err(failed)?;
    Ok((personal(), "ok"))
}

async fn login(State(mut store): State<ConnectionManager>) -> Result<impl IntoResponse, StatusCode> {
    let key = format!("bare:0123456789abcdefghijkl{}", new_user());
    store.set_ex::<_, _, ()>(&key, VALUE, LIFE).await.map_err(failed)?;
    let cookie = HeaderValue::from_str(&format!("bare={key}; HttpOnly; SameSite=Lax; Secure; Path=/"));
    Ok((personal(), [(SET_COOKIE, cookie.map_err(failed)?)], "ok"))
}
