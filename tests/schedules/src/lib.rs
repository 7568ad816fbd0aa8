//! What threads share in the library, under thousands of schedules: the memory store, the queue of a session's writers,
//! rotation, login and logout.
//!
//! [Shuttle](https://docs.rs/shuttle) decides at every lock and atomic number of the library who goes on. The engine is
//! used by hand, as two nodes on one memory store. `tests/schedules/run` builds and runs this with `--cfg sessions_shuttle`;
//! without it the package is empty. `world` says how a failure is run again.

#![cfg(all(test, sessions_shuttle))]
#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod login;
mod logout;
mod rotation;
mod store;
mod world;
mod writers;
