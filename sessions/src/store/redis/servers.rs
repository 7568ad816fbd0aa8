//! The servers of a store, whichever way they are arranged: one, one of several that Sentinels watch, or a cluster. Finds
//! the one that a bucket belongs to, and follows when it moves. What may have been applied is never sent again.

use std::{sync::Arc, time::Duration};

use redis::{Cmd, Value};
use sessions_policy::RedisAddress;
use tokio::time::{Instant, sleep};

use super::{
    cluster::{Cluster, redirection},
    failure::Failure,
    keys,
    link::{Link, Target},
    scripts::{By, Script},
    sentinel::Sentinels,
    wire::{Access, Answer, Node, Wire},
};

/// How often a question follows a bucket that has moved.
const FOLLOWS: usize = 8;
/// How long to wait for a slot of which a part has moved.
const MOVING: Duration = Duration::from_millis(15);

/// The servers of a store.
#[derive(Debug)]
pub(super) enum Servers {
    /// One at a time.
    One(Arc<Link>),
    /// Several, each with a part of the buckets.
    Cluster(Cluster),
}

/// An answer, and over which connection it came.
pub(super) struct Told {
    pub(super) value: Value,
    pub(super) wire: Arc<Wire>,
}

impl Servers {
    /// One server, or the one that Sentinels name.
    pub(super) fn single(address: &RedisAddress, access: Access, patience: Duration) -> Self {
        let nodes = nodes(address);
        let target = match (address.sentinel(), nodes.first()) {
            (Some(name), _) => Target::Watched(Arc::new(Sentinels::new(name, nodes, &access))),
            // An address has at least one node.
            (None, first) => Target::Node(first.cloned().unwrap_or(Node { host: String::new(), port: 0 })),
        };
        Self::One(Link::new(target, Arc::new(access), patience))
    }

    /// A cluster.
    pub(super) fn cluster(address: &RedisAddress, access: &Access, patience: Duration) -> Self {
        Self::Cluster(Cluster::new(nodes(address), access, patience))
    }

    /// Runs a script on the server of a bucket. `finish` adds the arguments, for which it may need the server's clock.
    pub(super) async fn run(
        &self,
        bucket: u16,
        script: Script,
        keys: &[Vec<u8>],
        finish: &(dyn Fn(&mut Cmd, &Wire) + Sync),
        until: Instant,
    ) -> Result<Told, Failure> {
        let call = |by| {
            move |wire: &Wire| {
                let mut call = script.call(by, keys);
                finish(&mut call, wire);
                call
            }
        };
        match self.ask(bucket, &call(By::Digest), until).await {
            // Certainly not applied: the server has lost its scripts.
            Err(failure) if failure.code() == Some("NOSCRIPT") => {
                self.ask(bucket, &call(By::Source), until).await
            }
            told => told,
        }
    }

    /// Asks the server of a bucket.
    pub(super) async fn ask(
        &self,
        bucket: u16,
        question: &(dyn Fn(&Wire) -> Cmd + Sync),
        until: Instant,
    ) -> Result<Told, Failure> {
        match self {
            Self::One(link) => ask_one(link, question, until).await,
            Self::Cluster(cluster) => ask_cluster(cluster, keys::slot(bucket), question, until).await,
        }
    }

    /// A connection to each primary.
    pub(super) async fn primaries(&self, until: Instant) -> Result<Vec<Arc<Wire>>, Failure> {
        let links = match self {
            Self::One(link) => vec![Arc::clone(link)],
            Self::Cluster(cluster) => cluster.primaries(until).await?,
        };
        let mut wires = Vec::with_capacity(links.len());
        for link in links {
            wires.push(link.wire(until).await?);
        }
        Ok(wires)
    }

    /// How connections to its servers are made.
    pub(super) fn access(&self) -> &Access {
        match self {
            Self::One(link) => link.access(),
            Self::Cluster(cluster) => cluster.access(),
        }
    }

    /// Closes every connection for good.
    pub(super) fn close(&self) {
        match self {
            Self::One(link) => link.close(),
            Self::Cluster(cluster) => cluster.close(),
        }
    }
}

fn nodes(address: &RedisAddress) -> Vec<Node> {
    address.nodes().iter().map(|(host, port)| Node { host: host.clone(), port: *port }).collect()
}

async fn ask_one(
    link: &Arc<Link>,
    question: &(dyn Fn(&Wire) -> Cmd + Sync),
    until: Instant,
) -> Result<Told, Failure> {
    let mut has_followed = false;
    loop {
        let wire = link.wire(until).await?;
        match wire.ask(&question(&wire), until).await {
            Ok(Answer::Value(value)) => return Ok(Told { value, wire }),
            // The connection had ended and no one knew yet.
            Err(failure) if failure.is_certain() && !has_followed => has_followed = true,
            Err(failure) => return Err(failure),
            Ok(Answer::Refused(error)) => {
                let failure = Failure::refused(&wire.node, &error);
                // It was demoted: the address, or the Sentinels, may lead to another by now.
                if matches!(failure.code(), Some("READONLY" | "MASTERDOWN")) {
                    link.drop_wire(&wire);
                    if !has_followed {
                        has_followed = true;
                        continue;
                    }
                }
                return Err(failure);
            }
        }
    }
}

async fn ask_cluster(
    cluster: &Cluster,
    slot: u16,
    question: &(dyn Fn(&Wire) -> Cmd + Sync),
    until: Instant,
) -> Result<Told, Failure> {
    let mut asking: Option<Node> = None;
    let mut failure = None;
    let mut follows = 0;
    while follows < FOLLOWS {
        follows += 1;
        let is_asking = asking.is_some();
        let link = match asking.take() {
            Some(node) => cluster.link(&node),
            None => cluster.owner(slot, until).await?,
        };
        let wire = match link.wire(until).await {
            Ok(wire) => wire,
            Err(unreachable) => {
                // A replica may have taken over; if it has, it is asked at once.
                let before = Arc::clone(&link);
                cluster.learn(until).await?;
                if Arc::ptr_eq(&before, &cluster.owner(slot, until).await?) {
                    return Err(unreachable);
                }
                failure = Some(unreachable);
                continue;
            }
        };
        let question = question(&wire);
        let answer = if is_asking {
            wire.ask_moving(&question, until).await
        } else {
            wire.ask(&question, until).await
        };
        let error = match answer {
            Ok(Answer::Value(value)) => return Ok(Told { value, wire }),
            Ok(Answer::Refused(error)) => error,
            // The connection had ended and no one knew yet.
            Err(lost) if lost.is_certain() && failure.is_none() => {
                failure = Some(lost);
                continue;
            }
            Err(lost) => return Err(lost),
        };
        let refused = Failure::refused(&wire.node, &error);
        match refused.code() {
            Some("MOVED") => match redirection(error.details(), &wire) {
                Some((slot, node)) => {
                    cluster.learn_if_idle(until).await;
                    cluster.moved(slot, &node);
                }
                None => return Err(refused),
            },
            Some("ASK") => asking = redirection(error.details(), &wire).map(|(_, node)| node),
            // A slot that moves takes no step that names several keys until all of them are in one place.
            Some("TRYAGAIN") if Instant::now() + MOVING < until => {
                follows -= 1;
                sleep(MOVING).await;
            }
            // It was demoted, and may not know yet who has its slots.
            Some("READONLY" | "MASTERDOWN" | "CLUSTERDOWN") if failure.is_none() => {
                sleep(MOVING).await;
                let _ = cluster.learn(until).await;
            }
            _ => return Err(refused),
        }
        failure = Some(refused);
    }
    Err(failure.unwrap_or_else(|| Failure::slow(&"of the cluster")))
}
