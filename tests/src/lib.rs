//! What the tests of the sessions library share: nodes, visitors with a cookie jar, and a store that watches and fails.

mod node;
mod spy;

pub use self::{
    node::{Answer, Node, Visitor, second, user},
    spy::{Counts, Spy},
};
