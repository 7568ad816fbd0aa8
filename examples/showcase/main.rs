//! A small shop that uses every part of the library the way a program would.
//!
//! ```text
//! cargo run --example showcase
//! curl -i -H 'Content-Type: application/json' \
//!     -d '{"email":"ada@example.com","password":"analytical-engine"}' http://127.0.0.1:3000/login
//! ```
//!
//! `http://127.0.0.1:3000/ui` is a page to click through.
//!
//! `SHOWCASE_ADDR` says where it listens, `RUST_LOG` what it logs to standard error. What its sessions do is written in
//! `sessions.toml`: `SESSIONS_CONFIG` names another file, and variables such as
//! `SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT=10min` override it.
//!
//! This file binds the routes; each module beside it is one concern of the shop.

mod account;
mod accounts;
mod admin;
mod api;
mod checkout;
mod devices;
mod ephemeral;
mod observe;
mod refusal;
mod serve;
mod shop;
#[cfg(feature = "ws")]
mod socket;
mod trouble;
mod ui;
mod web;

use std::process::ExitCode;

use axum::{
    Router,
    routing::{delete, get, post, put},
};
use serde_json::{Value, json};

use crate::{checkout::Checkout, web::Json};

sessions::policies!("sessions.toml", Checkout);

#[tokio::main]
async fn main() -> ExitCode {
    serve::log_to_stderr();
    #[cfg(feature = "metrics")]
    observe::record();
    let registry = match policies::Registry::load().await {
        Ok(registry) => registry,
        Err(error) => {
            eprintln!("{error}");
            return error.exit_code();
        }
    };
    // A changed file, or a SIGHUP, is taken over without a restart; what is wrong is logged and changes nothing.
    #[cfg(feature = "watch")]
    let _watch = registry
        .watch(|_| {})
        .inspect_err(|error| eprintln!("warning: the policy file is not watched: {error}"));
    serve::run(routes(&registry), &registry).await
}

fn routes(registry: &policies::Registry) -> Router {
    let unlayered = Router::new().route("/healthz", get(|| async { "ok" })).merge(ui::routes());
    #[cfg(feature = "metrics")]
    let unlayered = unlayered.route("/metrics", get(observe::metrics));
    let operators = Router::new();
    #[cfg(feature = "dashboard")]
    let operators = operators.nest("/dashboard", observe::dashboard(registry));
    Router::new()
        .merge(operators)
        .route("/plain", get(plain))
        .merge(account_routes())
        .merge(shop_routes())
        .merge(device_routes())
        .route("/admin/login", post(admin::login))
        .route("/admin/stats", get(admin::stats))
        .route("/events", get(observe::events))
        .route("/api/token", post(api::issue).delete(api::withdraw))
        .route("/api/me", get(api::me))
        .route("/ephemeral", get(ephemeral::hit))
        .route("/checkout", get(checkout::show))
        .route("/checkout/step", post(checkout::step))
        .route("/slow", post(trouble::slow))
        .route("/fail", post(trouble::fail))
        .merge(socket_routes())
        .layer(registry.layer())
        // Below no layer: what probes and scrapes has nothing to do with sessions.
        .merge(unlayered)
        .with_state(registry.clone())
}

fn account_routes() -> Router<policies::Registry> {
    Router::new()
        .route("/", get(account::index))
        .route("/login", post(account::login))
        .route("/logout", post(account::logout))
        .route("/profile", get(account::profile))
        .route("/rotate", post(account::rotate))
        .route("/reauth", post(account::reauth))
        .route("/account/delete", post(account::delete))
}

fn shop_routes() -> Router<policies::Registry> {
    Router::new()
        .route("/cart", get(shop::cart))
        .route("/cart/add", post(shop::add_to_cart))
        .route("/prefs", get(shop::prefs))
        .route("/prefs/{key}", put(shop::set_pref))
        .route("/visits", post(shop::visit))
        .route("/flash", get(shop::flashes).post(shop::flash))
}

fn device_routes() -> Router<policies::Registry> {
    Router::new()
        .route("/sessions", get(devices::list))
        .route("/sessions/{handle}", delete(devices::revoke))
        .route("/sessions/revoke-others", post(devices::revoke_others))
        .route("/sessions/revoke-all", post(devices::revoke_all))
}

fn socket_routes() -> Router<policies::Registry> {
    let routes = Router::new();
    // Any method: over HTTP/2 a socket is opened by another one.
    #[cfg(feature = "ws")]
    let routes = routes.route("/ws", axum::routing::any(socket::open));
    routes
}

/// A route under the layer that asks for no session: it costs no store access, and its response carries no trace.
async fn plain() -> Json<Value> {
    Json(json!({ "ok": true }))
}
