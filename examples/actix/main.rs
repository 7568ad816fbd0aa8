//! The shop of the showcase on actix-web: the same handlers, from the same files, under the same policies.
//!
//! ```text
//! cargo run --example actix --features actix
//! ```
//!
//! Of actix-web are this file, which binds the routes, and `web.rs`, which says what handlers take and give. `SHOWCASE_ADDR`
//! says where it listens, `RUST_LOG` what it logs; what its sessions do is written in `sessions.toml`, as for the showcase.

#[path = "../showcase/account.rs"]
mod account;
#[path = "../showcase/accounts.rs"]
mod accounts;
#[path = "../showcase/admin.rs"]
mod admin;
#[path = "../showcase/api.rs"]
mod api;
#[path = "../showcase/checkout.rs"]
mod checkout;
#[path = "../showcase/devices.rs"]
mod devices;
#[path = "../showcase/ephemeral.rs"]
mod ephemeral;
mod news;
#[path = "../showcase/refusal.rs"]
mod refusal;
mod serve;
#[path = "../showcase/shop.rs"]
mod shop;
#[path = "../showcase/trouble.rs"]
mod trouble;
mod web;

use std::process::ExitCode;

use actix_web::{
    Route,
    web::{ServiceConfig, delete, get, post, put, resource, scope},
};
use serde_json::{Value, json};

use crate::{checkout::Checkout, web::Json};

sessions::policies!("sessions.toml", Checkout);

#[tokio::main]
async fn main() -> ExitCode {
    serve::log_to_stderr();
    match policies::Registry::load().await {
        Ok(registry) => serve::run(&registry).await,
        Err(error) => {
            eprintln!("{error}");
            error.exit_code()
        }
    }
}

/// The routes under the layer.
fn routes(registry: &policies::Registry) -> impl Fn(&mut ServiceConfig) + use<> {
    let layer = registry.layer();
    move |app| {
        // Below no layer: what probes has nothing to do with sessions.
        app.route("/healthz", get().to(async || "ok"));
        let routes = |app: &mut ServiceConfig| {
            route(app, "/plain", [get().to(plain)]);
            account_routes(app);
            shop_routes(app);
            device_routes(app);
            route(app, "/admin/login", [post().to(admin::login)]);
            route(app, "/admin/stats", [get().to(admin::stats)]);
            route(app, "/api/token", [post().to(api::issue), delete().to(api::withdraw)]);
            route(app, "/api/me", [get().to(api::me)]);
            route(app, "/ephemeral", [get().to(ephemeral::hit)]);
            route(app, "/checkout", [get().to(checkout::show)]);
            route(app, "/checkout/step", [post().to(checkout::step)]);
            route(app, "/slow", [post().to(trouble::slow)]);
            route(app, "/fail", [post().to(trouble::fail)]);
            route(app, "/news", [get().to(news::news)]);
        };
        app.service(scope("").configure(routes).wrap(layer.clone()));
    }
}

/// One resource: what it has no method for is answered with 405.
fn route<const N: usize>(app: &mut ServiceConfig, path: &str, methods: [Route; N]) {
    app.service(methods.into_iter().fold(resource(path), actix_web::Resource::route));
}

fn account_routes(app: &mut ServiceConfig) {
    route(app, "/", [get().to(account::index)]);
    route(app, "/login", [post().to(account::login)]);
    route(app, "/logout", [post().to(account::logout)]);
    route(app, "/profile", [get().to(account::profile)]);
    route(app, "/rotate", [post().to(account::rotate)]);
    route(app, "/reauth", [post().to(account::reauth)]);
    route(app, "/account/delete", [post().to(account::delete)]);
}

fn shop_routes(app: &mut ServiceConfig) {
    route(app, "/cart", [get().to(shop::cart)]);
    route(app, "/cart/add", [post().to(shop::add_to_cart)]);
    route(app, "/prefs", [get().to(shop::prefs)]);
    route(app, "/prefs/{key}", [put().to(shop::set_pref)]);
    route(app, "/visits", [post().to(shop::visit)]);
    route(app, "/flash", [get().to(shop::flashes), post().to(shop::flash)]);
}

fn device_routes(app: &mut ServiceConfig) {
    route(app, "/sessions", [get().to(devices::list)]);
    // Before the pattern that they match, too.
    route(app, "/sessions/revoke-others", [post().to(devices::revoke_others)]);
    route(app, "/sessions/revoke-all", [post().to(devices::revoke_all)]);
    route(app, "/sessions/{handle}", [delete().to(devices::revoke)]);
}

/// A route under the layer that asks for no session: it costs no store access, and its response carries no trace.
async fn plain() -> Json<Value> {
    Json(json!({ "ok": true }))
}
