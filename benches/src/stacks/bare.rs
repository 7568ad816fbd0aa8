//! axum without sessions: handlers that do nothing and answer with the headers that a session's answer has.

use std::hint::black_box;

use axum::{
    Router,
    http::HeaderValue,
    http::header::{CACHE_CONTROL, HeaderName, SET_COOKIE, VARY},
    routing::{get, post},
};

use super::new_user;

/// What an answer made from a session has to say, and our layer says by itself.
pub(super) fn personal() -> [(HeaderName, HeaderValue); 2] {
    [(VARY, HeaderValue::from_static("cookie")), (CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}

const COOKIE: &str = "__Host-Http-bench=0123456789abcdefghijklmnopqrstuvwxyz0123456789ab; \
    HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=604800";

pub(super) fn router() -> Router {
    let cookie = || [(SET_COOKIE, HeaderValue::from_static(COOKIE))];
    let login = move || async move {
        black_box(new_user());
        (personal(), cookie(), "ok")
    };
    Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(async || (personal(), "ok")))
        .route("/set", post(async || (personal(), "ok")))
        .route("/login", post(login))
        .route("/logout", post(async move || (personal(), cookie(), "ok")))
}
