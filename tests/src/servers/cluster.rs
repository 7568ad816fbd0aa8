//! A Redis Cluster on this machine: three primaries, each with a replica.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    program,
    redis::{RedisServer, ask},
};
use crate::proxy::Proxy;

const START: Duration = Duration::from_secs(60);
const OPTIONS: &[&str] = &[
    "--cluster-enabled yes",
    "--cluster-node-timeout 1000",
    "--cluster-replica-validity-factor 0",
    "--repl-diskless-sync-delay 0",
    "--cluster-allow-replica-migration no",
];

/// Six servers that are one.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    /// What clients come through, where it is not the servers themselves.
    proxies: Vec<Proxy>,
}

impl RedisCluster {
    /// Starts six servers, and makes a cluster of them.
    ///
    /// # Panics
    /// If they don't become one.
    pub fn start() -> Self {
        Self::of((0..6).map(|_| RedisServer::start_with(OPTIONS)).collect(), Vec::new())
    }

    /// The same, each server behind a proxy, which is what it says that its address is. Only the servers' talk about who is
    /// one does not go through it.
    ///
    /// # Panics
    /// If they don't become one.
    pub fn behind_proxies() -> Self {
        let pairs = (0..6).map(|_| {
            let proxy = Proxy::to(0);
            let announced = format!("--cluster-announce-port {}", proxy.port());
            let server = RedisServer::start_with(&[OPTIONS, &[announced.as_str()]].concat());
            proxy.lead_to(server.port());
            (server, proxy)
        });
        let (nodes, proxies) = pairs.unzip();
        Self::of(nodes, proxies)
    }

    fn of(nodes: Vec<RedisServer>, proxies: Vec<Proxy>) -> Self {
        let mut create = Command::new(program("redis-cli"));
        create
            .args(["--cluster", "create"])
            .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())));
        create.args(["--cluster-replicas", "1", "--cluster-yes"]).stdin(Stdio::null());
        let made = create.output().expect("redis-cli runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let cluster = Self { nodes, proxies };
        cluster.wait(|cluster| {
            cluster.nodes.iter().all(|node| {
                let known = ask(node.port(), &["CLUSTER", "INFO"]).unwrap_or_default();
                known.contains("cluster_state:ok") && known.contains("cluster_known_nodes:6")
            })
        });
        // Each replica has what its primary has.
        cluster.wait(|cluster| {
            let linked =
                |node: &&RedisServer| node.ask(&["INFO", "replication"]).contains("master_link_status:up");
            cluster.nodes.iter().filter(linked).count() == 3
        });
        cluster
    }

    /// Its address, as `stores.NAME.url` has it.
    pub fn url(&self) -> String {
        let ports: Vec<_> = match self.proxies.as_slice() {
            [] => self.nodes.iter().map(RedisServer::port).collect(),
            proxies => proxies.iter().map(Proxy::port).collect(),
        };
        let nodes: Vec<_> = ports.iter().take(3).map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis://{}", nodes.join(","))
    }

    /// What is between clients and the servers, in the order of those.
    pub fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// The servers.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The primary of a slot.
    ///
    /// # Panics
    /// If there is none.
    pub fn primary_of(&self, slot: u16) -> &RedisServer {
        let has = |node: &&RedisServer| {
            let told = node.ask(&["CLUSTER", "NODES"]);
            let own = told.lines().find(|line| line.contains("myself")).unwrap_or_default();
            own.contains("master") && own.split(' ').skip(8).any(|range| holds(range, slot))
        };
        self.nodes.iter().find(has).expect("a slot has a primary")
    }

    /// A primary that has not got a slot.
    ///
    /// # Panics
    /// If there is none.
    pub fn another_than(&self, slot: u16) -> &RedisServer {
        let port = self.primary_of(slot).port();
        let is_primary = |node: &&RedisServer| {
            node.port() != port && node.ask(&["INFO", "replication"]).contains("role:master")
        };
        self.nodes.iter().find(is_primary).expect("three of them are primaries")
    }

    /// The slot of a key.
    pub fn slot_of(&self, key: &str) -> u16 {
        let answer = self.nodes[0].ask(&["CLUSTER", "KEYSLOT", key]);
        answer.trim().trim_start_matches(':').parse().unwrap()
    }

    /// Begins to move a slot.
    ///
    /// # Panics
    /// If the servers refuse.
    pub fn begin_move(slot: u16, from: &RedisServer, to: &RedisServer) {
        let (from_id, to_id, slot) = (Self::id_of(from), Self::id_of(to), slot.to_string());
        assert!(to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).starts_with("+OK"));
        assert!(from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).starts_with("+OK"));
    }

    /// Moves the keys that are in a slot now, one by one: how many.
    ///
    /// # Panics
    /// If a key can't be moved.
    pub fn move_keys(slot: u16, from: &RedisServer, to: &RedisServer) -> usize {
        let keys = from.ask(&["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), "100"]);
        let keys: Vec<_> = keys.lines().filter(|line| line.contains('{')).collect();
        for key in &keys {
            let port = to.port().to_string();
            let moved = from.ask(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
            assert!(moved.starts_with("+OK") || moved.starts_with("+NOKEY"), "{moved}");
        }
        keys.len()
    }

    /// Says that a slot has moved: to the others too, which learn it from no one before long.
    ///
    /// # Panics
    /// If its new server refuses.
    pub fn end_move(&self, slot: u16, to: &RedisServer) {
        let (to_id, slot) = (Self::id_of(to), slot.to_string());
        assert!(to.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]).starts_with("+OK"));
        for node in &self.nodes {
            node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        }
    }

    /// What a node is called among them.
    pub fn id_of(node: &RedisServer) -> String {
        let answer = node.ask(&["CLUSTER", "MYID"]);
        answer.lines().nth(1).unwrap_or_default().to_owned()
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// If that takes a minute.
    pub fn wait(&self, is_so: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < START, "the cluster does not come together");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether a range such as `0-5460` has a slot.
fn holds(range: &str, slot: u16) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    matches!((first.trim().parse::<u16>(), last.trim().parse::<u16>()), (Ok(first), Ok(last)) if (first..=last).contains(&slot))
}
