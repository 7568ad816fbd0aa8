//! One Redis server that has what it acknowledged on the disk, and a network to each node.

use std::{thread::sleep, time::Duration};

use sessions_tests::{crash::Dice, proxy::Proxy, servers::redis::RedisServer};

use super::{Setup, unknown};
use crate::{
    faults::{Fault, between},
    world::{NODES, World},
};

/// One server.
#[derive(Debug)]
pub(crate) struct Single {
    server: RedisServer,
    networks: Vec<Proxy>,
}

impl Single {
    pub(crate) fn start() -> Self {
        let server = RedisServer::durable();
        let networks = (0..NODES).map(|_| Proxy::to(server.port())).collect();
        Self { server, networks }
    }
}

impl Setup for Single {
    fn urls(&self) -> [String; NODES] {
        std::array::from_fn(|node| format!("redis://127.0.0.1:{}", self.networks[node].port()))
    }

    fn faults(&self) -> &'static [Fault] {
        &[
            Fault::Stalled,
            Fault::NodeKilled,
            Fault::NodeFrozen,
            Fault::Slow,
            Fault::Silent,
            Fault::AnswersLost,
            Fault::Cut,
            Fault::Refused,
            Fault::StoreKilled,
            Fault::StoreRestarted,
            Fault::StoreFrozen,
            Fault::ScriptsFlushed,
            Fault::OutOfMemory,
            Fault::ReadOnly,
        ]
    }

    fn networks(&self) -> &[Proxy] {
        &self.networks
    }

    fn strike(&mut self, fault: Fault, dice: &mut Dice, _: &World) {
        let time = between(dice, 200, 900);
        match fault {
            Fault::StoreKilled => {
                self.server.kill();
                sleep(time);
                self.server.start_again();
            }
            Fault::StoreRestarted => {
                self.server.shut_down();
                sleep(time);
                self.server.start_again();
            }
            Fault::StoreFrozen => freeze(&self.server, time * 2),
            Fault::ScriptsFlushed => flush(&self.server, dice),
            Fault::OutOfMemory => {
                self.server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
                sleep(time);
                self.server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            // The replica of no one who is there.
            Fault::ReadOnly => {
                self.server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
                sleep(time);
                self.server.ask(&["REPLICAOF", "NO", "ONE"]);
            }
            other => unknown(other),
        }
    }

    fn redis(&self) -> Vec<&RedisServer> {
        vec![&self.server]
    }
}

/// Lets a server stand still.
pub(super) fn freeze(server: &RedisServer, time: Duration) {
    server.signal("STOP");
    sleep(time);
    server.signal("CONT");
}

/// Has a server forget its scripts a few times.
pub(super) fn flush(server: &RedisServer, dice: &mut Dice) {
    for _ in 0..3 {
        server.ask(&["SCRIPT", "FLUSH"]);
        sleep(between(dice, 20, 200));
    }
}
