//! The promises of the library, each as a test through the engine: what must hold on every store.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod dead;
mod failure;
mod faults;
mod identity;
mod layer;
mod lifecycle;
mod limits;
mod login;
mod persistence;
mod principals;
mod recovery;
mod reload;
mod rotation;
mod serial;
mod time;
mod under_way;
mod updates;
mod upkeep;
