//! A guard before routes whose handlers take no session.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

use axum::{Router, extract::Request, middleware, response::Response, routing::get};
use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "admin", role = "admin")]
async fn admins_only(_: Session, request: Request, next: middleware::Next) -> Response {
    next.run(request).await
}

fn main() {
    let _: Router = Router::new()
        .route("/metrics", get(|| async { "metrics" }))
        .route_layer(middleware::from_fn(admins_only));
}
