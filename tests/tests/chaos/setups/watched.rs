//! A Redis primary and its replica, which three Sentinels watch. The nodes find the primary by asking them.

use sessions_tests::{
    crash::Dice,
    servers::{
        redis::RedisServer,
        sentinel::{NAME, Watched},
    },
};

use super::{
    Setup,
    single::{flush, freeze},
    unknown,
};
use crate::{
    faults::{Fault, between},
    history::Promise,
    world::{NODES, World},
};

/// Two servers, one of which is the primary.
#[derive(Debug)]
pub(crate) struct WatchedPair {
    servers: Watched,
}

impl WatchedPair {
    pub(crate) fn start() -> Self {
        // On a busy machine a server answers late: a failover that no one asked for, perhaps in the middle of another, can't be
        // judged.
        let patient = format!("sentinel down-after-milliseconds {NAME} 3000");
        Self { servers: Watched::start_with(&[], &patient, "") }
    }

    /// The primary, and the other.
    fn pair(&self) -> (&RedisServer, &RedisServer) {
        let [first, second] = self.servers.servers();
        if self.servers.named() == Some(second.port()) { (second, first) } else { (first, second) }
    }

    /// Waits until the replica has taken over, and makes one of the server that was the primary.
    fn replace(&self, before: &RedisServer, after: &RedisServer) {
        self.servers.wait(|servers| after.is_primary() && servers.named() == Some(after.port()));
        before.start_again_as_replica_of(after.port());
        self.servers.wait(|_| before.follows());
    }
}

impl Setup for WatchedPair {
    fn urls(&self) -> [String; NODES] {
        std::array::from_fn(|_| self.servers.url())
    }

    fn faults(&self) -> &'static [Fault] {
        &[
            Fault::PrimaryKilled,
            Fault::HandedOver,
            Fault::NodeKilled,
            Fault::NodeFrozen,
            Fault::StoreFrozen,
            Fault::ScriptsFlushed,
            Fault::OutOfMemory,
        ]
    }

    fn strike(&mut self, fault: Fault, dice: &mut Dice, world: &World) {
        let (primary, replica) = self.pair();
        match fault {
            Fault::PrimaryKilled => {
                let from = world.now();
                primary.kill();
                world.note(Promise::MayLose, from);
                self.replace(primary, replica);
            }
            // It goes when its replica has all that it acknowledged, so this excuses nothing.
            Fault::HandedOver => {
                primary.shut_down();
                self.replace(primary, replica);
            }
            // Shorter than the Sentinels wait.
            Fault::StoreFrozen => freeze(primary, between(dice, 200, 500)),
            Fault::ScriptsFlushed => flush(primary, dice),
            Fault::OutOfMemory => {
                primary.ask(&["CONFIG", "SET", "maxmemory", "1"]);
                std::thread::sleep(between(dice, 200, 900));
                primary.ask(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            other => unknown(other),
        }
    }

    fn primaries(&self) -> Vec<u16> {
        vec![self.pair().0.port()]
    }

    fn redis(&self) -> Vec<&RedisServer> {
        vec![self.pair().0]
    }
}
