//! The program `sessions`, run as a person runs it: what it prints, where, and with which exit code.
//!
//! `SESSIONS_BLESS=1 cargo test -p sessions-tests --test cli` writes the golden files anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a test's helper fails the test")]

mod check;
mod diff;
mod explain;
mod migrate;
mod program;
mod readme;
mod writing;
