//! Events for consumers, on real servers: what was changed is told, and what is told was changed, over any end of anyone.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod consumers;
mod history;
mod postgres;
mod redis;
mod shop;
