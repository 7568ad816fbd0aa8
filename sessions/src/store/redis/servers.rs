//! The servers of a store, whichever way they are arranged: one, one of several that Sentinels watch, or a cluster. Finds
//! the one that a bucket belongs to, and follows when it moves. What may have been applied is never sent again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use redis::{Cmd, Value};
use sessions_policy::{Durability, RedisAddress, SentinelUser};
use tokio::time::{Instant, sleep};

use super::{
    cluster::{Cluster, redirection},
    failure::Failure,
    keys,
    link::{Link, Target},
    scripts::{By, Script},
    sentinel::Sentinels,
    switches::Switches,
    wire::{Access, Along, Answer, Node, Wire},
};

/// How often a question follows a bucket that has moved.
const FOLLOWS: usize = 8;
/// How long to wait for a slot of which a part has moved.
const MOVING: Duration = Duration::from_millis(15);

/// How many connections to each server writes take that wait for a replica: while one waits, its connection answers no
/// other.
pub(super) const LANES: usize = 4;

/// Which of the connections to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Lane {
    /// The one for everything that waits for nothing.
    #[default]
    Common,
    /// One of those on which writes wait for a replica.
    Waiting(usize),
}

/// How servers are reached, and what their answers have to mean.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) address: RedisAddress,
    pub(super) access: Access,
    pub(super) sentinel_user: Option<SentinelUser>,
    pub(super) durability: Durability,
    /// How long an operation may take, and a connection.
    pub(super) patience: Duration,
}

/// The servers of a store.
#[derive(Debug)]
pub(super) struct Servers {
    kind: Kind,
    access: Access,
    durability: Durability,
    /// The lane of the next write that waits.
    next: AtomicUsize,
    /// Who hears of another primary.
    _switches: Option<Switches>,
}

#[derive(Debug)]
enum Kind {
    /// One at a time, with its lanes.
    One(Vec<Arc<Link>>),
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
    pub(super) fn single(setup: &Setup) -> Self {
        let (nodes, access) = (nodes(&setup.address), Arc::new(setup.access.clone()));
        let sentinels = setup.address.sentinel().map(|name| {
            let user = setup.sentinel_user.as_ref();
            Arc::new(Sentinels::new(name, nodes.clone(), &setup.access, user))
        });
        let target = match &sentinels {
            Some(sentinels) => Target::Watched(Arc::clone(sentinels)),
            // An address has at least one node.
            None => Target::Node(nodes.into_iter().next().unwrap_or(Node { host: String::new(), port: 0 })),
        };
        let lanes = if setup.durability == Durability::Replicated { LANES } else { 0 };
        let links: Vec<_> =
            (0..=lanes).map(|_| Link::new(target.clone(), Arc::clone(&access), setup.patience)).collect();
        let switches = sentinels.map(|sentinels| Switches::listen(sentinels, &links));
        Self::of(Kind::One(links), setup, switches)
    }

    /// A cluster.
    pub(super) fn cluster(setup: &Setup) -> Self {
        let cluster = Cluster::new(nodes(&setup.address), &setup.access, setup.patience);
        Self::of(Kind::Cluster(cluster), setup, None)
    }

    fn of(kind: Kind, setup: &Setup, switches: Option<Switches>) -> Self {
        let (access, durability) = (setup.access.clone(), setup.durability);
        Self { kind, access, durability, next: AtomicUsize::new(0), _switches: switches }
    }

    /// When a write counts.
    pub(super) fn durability(&self) -> Durability {
        self.durability
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
        let waits = self.durability == Durability::Replicated && script.is_acknowledged();
        let lane = if waits { Lane::Waiting(self.next.fetch_add(1, Relaxed) % LANES) } else { Lane::Common };
        match self.ask_on(lane, bucket, &call(By::Digest), until).await {
            // Certainly not applied: the server has lost its scripts.
            Err(failure) if failure.code() == Some("NOSCRIPT") => {
                Box::pin(self.ask_on(lane, bucket, &call(By::Source), until)).await
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
        self.ask_on(Lane::Common, bucket, question, until).await
    }

    async fn ask_on(
        &self,
        lane: Lane,
        bucket: u16,
        question: &(dyn Fn(&Wire) -> Cmd + Sync),
        until: Instant,
    ) -> Result<Told, Failure> {
        match &self.kind {
            Kind::One(links) => ask_one(one(links, lane)?, lane, question, until).await,
            // Boxed, so that the future of every question to a single server does not have to hold this one.
            Kind::Cluster(cluster) => {
                Box::pin(ask_cluster(cluster, lane, keys::slot(bucket), question, until)).await
            }
        }
    }

    /// A connection to each primary.
    pub(super) async fn primaries(&self, until: Instant) -> Result<Vec<Arc<Wire>>, Failure> {
        let links = match &self.kind {
            Kind::One(links) => vec![Arc::clone(one(links, Lane::Common)?)],
            Kind::Cluster(cluster) => cluster.primaries(until).await?,
        };
        let mut wires = Vec::with_capacity(links.len());
        for link in links {
            wires.push(link.wire(until).await?);
        }
        Ok(wires)
    }

    /// How connections to its servers are made.
    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    /// The cluster, if it is one.
    pub(super) fn as_cluster(&self) -> Option<&Cluster> {
        match &self.kind {
            Kind::One(_) => None,
            Kind::Cluster(cluster) => Some(cluster),
        }
    }

    /// Closes every connection for good.
    pub(super) fn close(&self) {
        match &self.kind {
            Kind::One(links) => links.iter().for_each(|link| link.close()),
            Kind::Cluster(cluster) => cluster.close(),
        }
    }
}

impl Lane {
    /// What goes along with a question on it.
    fn along(self, is_moving: bool) -> Along {
        Along { is_moving, waits: self != Self::Common }
    }
}

/// The link of a lane.
fn one(links: &[Arc<Link>], lane: Lane) -> Result<&Arc<Link>, Failure> {
    let place = match lane {
        Lane::Common => 0,
        Lane::Waiting(lane) => lane + 1,
    };
    links.get(place).ok_or_else(Failure::closed)
}

fn nodes(address: &RedisAddress) -> Vec<Node> {
    address.nodes().iter().map(|(host, port)| Node { host: host.clone(), port: *port }).collect()
}

async fn ask_one(
    link: &Arc<Link>,
    lane: Lane,
    question: &(dyn Fn(&Wire) -> Cmd + Sync),
    until: Instant,
) -> Result<Told, Failure> {
    let mut has_followed = false;
    loop {
        let wire = link.wire(until).await?;
        match wire.ask_along(&question(&wire), lane.along(false), until).await {
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
    lane: Lane,
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
            Some(node) => cluster.link(&node, lane),
            None => cluster.owner(slot, lane, until).await?,
        };
        let wire = match link.wire(until).await {
            Ok(wire) => wire,
            Err(unreachable) => {
                // A replica may have taken over; if it has, it is asked at once.
                let before = Arc::clone(&link);
                cluster.learn(until).await?;
                if Arc::ptr_eq(&before, &cluster.owner(slot, lane, until).await?) {
                    return Err(unreachable);
                }
                failure = Some(unreachable);
                continue;
            }
        };
        let question = question(&wire);
        let answer = wire.ask_along(&question, lane.along(is_asking), until).await;
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
