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
}

impl RedisCluster {
    /// Starts six servers, and makes a cluster of them.
    ///
    /// # Panics
    /// If they don't become one.
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..6).map(|_| RedisServer::start_with(OPTIONS)).collect();
        let mut create = Command::new(program("redis-cli"));
        create
            .args(["--cluster", "create"])
            .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())));
        create.args(["--cluster-replicas", "1", "--cluster-yes"]).stdin(Stdio::null());
        let made = create.output().expect("redis-cli runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let cluster = Self { nodes };
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
        let nodes: Vec<_> =
            self.nodes.iter().take(3).map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis://{}", nodes.join(","))
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
