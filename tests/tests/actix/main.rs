//! The example `actix` as its users meet it: the showcase's own tests of its core routes, over sockets, and what the
//! middleware does beside them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a test's helper fails the test")]

#[path = "../showcase/account.rs"]
mod account;
#[path = "../showcase/admin.rs"]
mod admin;
#[path = "../showcase/api.rs"]
mod api;
#[path = "../showcase/client.rs"]
mod client;
#[path = "../showcase/cross_site.rs"]
mod cross_site;
#[path = "../showcase/devices.rs"]
mod devices;
mod layer;
#[path = "../showcase/limits.rs"]
mod limits;
mod news;
#[path = "../showcase/policies.rs"]
mod policies;
#[allow(dead_code, reason = "what some of the showcase's other tests ask for")]
#[path = "../showcase/program.rs"]
mod program;
#[path = "../showcase/races.rs"]
mod races;
#[path = "../showcase/refusals.rs"]
mod refusals;
#[path = "../showcase/shop.rs"]
mod shop;
mod stop;
#[path = "../showcase/time.rs"]
mod time;
#[path = "../showcase/visitor.rs"]
mod visitor;
mod workers;

use std::path::PathBuf;

use self::{client::Browser, program::Showcase};

/// The program.
fn built() -> PathBuf {
    sessions_tests::built::example("actix")
}

/// Whether the server sends header fields in one order each time.
const FIELDS_IN_ORDER: bool = false;

/// The cookie of the policy `user_default`.
const COOKIE: &str = "__Host-Http-user_default";

/// A browser in which Ada has just logged in.
fn ada(shop: &Showcase) -> Browser {
    let mut browser = shop.browser();
    browser.log_in("ada@example.com", "analytical-engine").expect_status(200);
    browser
}

/// A browser in which Grace has just logged in.
fn grace(shop: &Showcase) -> Browser {
    let mut browser = shop.browser();
    browser.log_in("grace@example.com", "nanoseconds").expect_status(200);
    browser
}
