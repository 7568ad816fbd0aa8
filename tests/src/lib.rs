//! What the tests of the sessions library share: nodes, visitors with a cookie jar, and a store that watches and fails.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what fails in a test's helper fails the test"
)]

mod node;
mod spy;
mod trouble;

pub use self::{
    node::{Answer, Node, Visitor, second, user},
    spy::{Counts, Spy},
    trouble::{Trouble, Troubled},
};
