//! A guard before routes whose handlers take no session, and before one that does.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

use std::time::Duration;

use axum::{Router, extract::Request, middleware, response::Response, routing::get};
use sessions::{
    Session,
    guard::{authenticated, fresh_within, kind, role},
    require, session,
};

sessions::policies!("sessions.toml");

/// What every route of the office asks.
const BOSS: sessions::Requirements = role("admin").role("boss").fresh();

#[session(policy = "admin", role = "admin")]
async fn stats(session: Session) -> String {
    session.is_authenticated().to_string()
}

/// A function of one's own, where a guard is not enough.
#[session(policy = "admin", role = "admin")]
async fn admins_only(_: Session, request: Request, next: middleware::Next) -> Response {
    next.run(request).await
}

fn main() {
    let office = Router::new()
        .route("/metrics", get(|| async { "metrics" }))
        .route("/stats", get(stats))
        .route_layer(require::<policies::Admin>(BOSS));
    let bots = Router::new()
        .route("/feed", get(|| async { "feed" }).layer(require::<policies::ApiToken>(kind("bot"))))
        .layer(require::<policies::ApiToken>(fresh_within(Duration::from_secs(60))))
        .with_state::<()>(());
    let by_hand = Router::new()
        .route("/logs", get(|| async { "logs" }))
        .route_layer(middleware::from_fn(admins_only));
    let _: Router = Router::new()
        .nest("/office", office)
        .merge(bots)
        .merge(by_hand)
        .layer(require::<policies::UserDefault>(authenticated()));
}
