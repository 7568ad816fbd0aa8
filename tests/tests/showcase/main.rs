//! The showcase as its users meet it: the built program, driven over sockets, and configured by file and variables alone.

mod account;
mod admin;
mod api;
mod client;
mod cross_site;
mod devices;
mod durable;
mod limits;
mod observe;
mod policies;
mod program;
mod races;
mod refusals;
mod reload;
mod shop;
mod socket;
mod sockets;
mod start;
mod stop;
mod time;
mod ui;
mod visitor;

use std::path::PathBuf;

use self::{client::Browser, program::Showcase};

/// The program as who is new here builds it.
fn built() -> PathBuf {
    sessions_tests::built::program(&["--package", "sessions-examples", "--example", "showcase"])
}

/// Whether the server sends header fields in one order each time.
const FIELDS_IN_ORDER: bool = true;

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
