//! What operators see: events through every sink, metrics, spans, and that the documentation and the dashboard speak of what
//! there is. Nothing of it holds a secret.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod dashboard;
mod metrics;
mod pages;
mod scenarios;
mod secrets;
mod spans;
