//! A Redis Cluster of three primaries with a replica each, every server behind a network of its own.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use sessions_tests::{
    crash::Dice,
    proxy::Proxy,
    servers::{cluster::RedisCluster, redis::RedisServer},
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

/// How long a replica is asked to take over. That it does not breaks no promise.
const HANDOVER: Duration = Duration::from_secs(15);

/// Six servers.
#[derive(Debug)]
pub(crate) struct Clustered {
    cluster: RedisCluster,
}

impl Clustered {
    pub(crate) fn start() -> Self {
        Self { cluster: RedisCluster::behind_proxies() }
    }

    fn primary(&self, dice: &mut Dice) -> &RedisServer {
        let primaries: Vec<_> = self.cluster.nodes().iter().filter(|node| node.is_primary()).collect();
        primaries[usize::try_from(dice.roll(primaries.len() as u64)).unwrap()]
    }

    /// The replica of a primary, when it has all that its primary has.
    fn replica_of(&self, primary: &RedisServer) -> &RedisServer {
        let id = RedisCluster::id_of(primary);
        let is_its = |node: &&RedisServer| {
            let told = node.ask(&["CLUSTER", "NODES"]);
            told.lines().any(|line| line.contains("myself,slave") && line.contains(&id))
        };
        let replica = self.cluster.nodes().iter().find(is_its).expect("each primary has a replica");
        self.cluster.wait(|_| replica.follows());
        replica
    }

    /// Moves a slot that has keys.
    fn move_slot(&self, dice: &mut Dice) {
        let from = self.primary(dice);
        let told = from.ask(&["RANDOMKEY"]);
        let Some(key) = told.lines().nth(1) else { return };
        let slot = self.cluster.slot_of(key);
        let to = self.cluster.another_than(slot);
        RedisCluster::begin_move(slot, from, to);
        sleep(between(dice, 10, 100));
        while RedisCluster::move_keys(slot, from, to) > 0 {}
        sleep(between(dice, 10, 100));
        // What was made at the old place meanwhile.
        while RedisCluster::move_keys(slot, from, to) > 0 {}
        self.cluster.end_move(slot, to);
    }
}

/// Has a replica take the place of its primary, which waits until it has everything: whether it has. The two give up after
/// five seconds, or if the others are not sure, and are asked again.
fn hand_over(replica: &RedisServer) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < HANDOVER {
        replica.ask(&["CLUSTER", "FAILOVER"]);
        for _ in 0..120 {
            if replica.is_primary() {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
    }
    false
}

impl Setup for Clustered {
    fn urls(&self) -> [String; NODES] {
        std::array::from_fn(|_| self.cluster.url())
    }

    fn faults(&self) -> &'static [Fault] {
        &[
            Fault::PrimaryKilled,
            Fault::HandedOver,
            Fault::SlotsMoved,
            Fault::NodeKilled,
            Fault::NodeFrozen,
            Fault::Slow,
            Fault::Silent,
            Fault::AnswersLost,
            Fault::Cut,
            Fault::Refused,
            Fault::StoreFrozen,
            Fault::ScriptsFlushed,
        ]
    }

    fn networks(&self) -> &[Proxy] {
        self.cluster.proxies()
    }

    fn strike(&mut self, fault: Fault, dice: &mut Dice, world: &World) {
        let primary = self.primary(dice);
        match fault {
            Fault::PrimaryKilled => {
                let replica = self.replica_of(primary);
                let from = world.now();
                primary.kill();
                world.note(Promise::MayLose, from);
                self.cluster.wait(|_| replica.is_primary());
                primary.start_again();
                self.cluster.wait(|_| primary.follows());
            }
            Fault::HandedOver => {
                let replica = self.replica_of(primary);
                let from = world.now();
                if hand_over(replica) {
                    self.cluster.wait(|_| !primary.is_primary());
                    world.note(Promise::MayBeStale, from);
                    self.cluster.wait(|_| primary.follows());
                }
            }
            Fault::SlotsMoved => (0..3).for_each(|_| self.move_slot(dice)),
            // Shorter than the others wait.
            Fault::StoreFrozen => freeze(primary, between(dice, 200, 500)),
            Fault::ScriptsFlushed => flush(primary, dice),
            other => unknown(other),
        }
    }

    fn primaries(&self) -> Vec<u16> {
        let primaries = self.cluster.nodes().iter().filter(|node| node.is_primary());
        primaries.map(RedisServer::port).collect()
    }

    fn redis(&self) -> Vec<&RedisServer> {
        self.cluster.nodes().iter().filter(|node| node.is_primary()).collect()
    }
}
