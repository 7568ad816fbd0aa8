//! The stores that nodes share, each arranged as operators do, and what can be done to each.

mod cluster;
mod postgres;
mod single;
mod watched;

use sessions_tests::{crash::Dice, proxy::Proxy, servers::redis::RedisServer};

use crate::{
    faults::Fault,
    world::{NODES, World},
};

pub(crate) use self::{cluster::Clustered, postgres::Relational, single::Single, watched::WatchedPair};

/// A store.
pub(crate) trait Setup {
    /// Its address for each node.
    fn urls(&self) -> [String; NODES];

    /// What can be done to it and to its nodes. The first is always done.
    fn faults(&self) -> &'static [Fault];

    /// The networks to it: one a node, or one a server. None where nothing is between.
    fn networks(&self) -> &[Proxy] {
        &[]
    }

    /// Does something to its servers, and returns when all are well again.
    fn strike(&mut self, fault: Fault, dice: &mut Dice, world: &World);

    /// The ports of those that take writes, where others can take their place.
    fn primaries(&self) -> Vec<u16> {
        Vec::new()
    }

    /// Its Redis servers.
    fn redis(&self) -> Vec<&RedisServer> {
        Vec::new()
    }
}

/// What a fault of no kind that a setup knows is.
fn unknown(fault: Fault) -> ! {
    unreachable!("{fault} is not this setup's")
}
