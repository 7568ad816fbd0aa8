//! The promises of the library, each as a test through the engine: what must hold on every store.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod codecs;
mod dead;
mod encryption;
mod failure;
mod faults;
mod half_way;
mod identity;
mod index;
mod key_ring;
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
mod watch_data;
mod watches;
