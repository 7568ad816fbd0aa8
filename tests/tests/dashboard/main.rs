//! The dashboard: whom it lets in, what it shows and what it changes; as HTML, and in a browser as an operator has it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "what fails in a test's helper fails the test"
)]

mod app;
mod browser;
mod content;
mod guard;
mod revoking;

use self::app::{App, Client};
