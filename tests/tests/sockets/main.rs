//! Sockets of small apps, with a real client: who gets one, what proves a session, and how each is closed.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod app;
mod closing;
mod handshake;
mod http2;
mod pushed;
mod tickets;
mod told;
