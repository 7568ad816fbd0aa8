//! The conformance kit bites: of a store without a safeguard, the case that is there for it says so.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod broken;
mod restart;
mod without;
