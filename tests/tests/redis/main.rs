//! The store on a Redis server: what every store promises, and what is its own.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod cluster;
mod common;
mod conformance;
mod near;
mod outage;
mod pushed;
mod refusal;
mod replicated;
mod sentinel;
mod through;
mod tls;
mod trips;
mod twice;
