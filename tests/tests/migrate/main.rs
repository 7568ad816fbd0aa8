//! Sessions that move from one store to another while they are used.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod common;
mod conformance;
mod from_redis;
mod servers;
mod traffic;
mod trouble;
