//! What the tests of the sessions library share: nodes, visitors with a cookie jar, and a store of the kind that is asked
//! for, under a spy.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what fails in a test's helper fails the test"
)]

pub mod browser;
pub mod built;
pub mod chaos;
pub mod copies;
pub mod crash;
mod node;
pub mod pair;
mod place;
pub mod proxy;
pub mod servers;
mod trouble;

use sessions::testing::SpyStore;

pub use sessions::testing::Fate;

pub use self::{
    node::{Answer, Node, Visitor, second, stored, user},
    place::Place,
    trouble::{Trouble, Troubled},
};

/// The store of a test: it watches and fails, over a store of the kind that `SESSIONS_TEST_STORE` names.
pub type Spy = SpyStore<Place>;
