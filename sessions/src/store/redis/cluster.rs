//! Which server of a cluster has which slots, as far as this process knows: learnt from any node, and corrected by every
//! server that says a slot has moved.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use redis::Value;
use tokio::time::{Instant, timeout_at};

use super::{
    failure::Failure,
    link::{Link, Target},
    sentinel::text,
    servers::Lane,
    wire::{Access, Answer, Node, Wire},
};

/// How long one node may take to tell the slots.
const PATIENCE: Duration = Duration::from_millis(500);
/// The slots are not asked for more often than this.
const PAUSE: Duration = Duration::from_millis(100);

/// A cluster as seen from here.
#[derive(Debug)]
pub(super) struct Cluster {
    seeds: Vec<Node>,
    access: Arc<Access>,
    patience: Duration,
    links: Mutex<HashMap<(Node, Lane), Arc<Link>>>,
    slots: RwLock<Slots>,
    /// When the slots were asked for last. Held while they are.
    learning: tokio::sync::Mutex<Option<Instant>>,
}

/// Ranges of slots with their primaries, in order.
#[derive(Clone, Debug, Default)]
struct Slots(Vec<Range>);

#[derive(Clone, Debug)]
struct Range {
    first: u16,
    last: u16,
    node: Node,
}

impl Slots {
    fn owner(&self, slot: u16) -> Option<&Node> {
        let after = self.0.partition_point(|range| range.first <= slot);
        self.0[..after].last().filter(|range| slot <= range.last).map(|range| &range.node)
    }

    /// Notes that one slot is elsewhere.
    fn give(&mut self, slot: u16, node: &Node) {
        let mut ranges = Vec::with_capacity(self.0.len() + 2);
        for range in self.0.drain(..) {
            if (range.first..=range.last).contains(&slot) {
                if range.first < slot {
                    ranges.push(Range { last: slot - 1, ..range.clone() });
                }
                if slot < range.last {
                    ranges.push(Range { first: slot + 1, ..range });
                }
            } else {
                ranges.push(range);
            }
        }
        ranges.push(Range { first: slot, last: slot, node: node.clone() });
        ranges.sort_by_key(|range| range.first);
        self.0 = ranges;
    }

    /// Reads the answer of `node` to CLUSTER SLOTS.
    fn read(answer: &Value, node: &Node) -> Option<Self> {
        let Value::Array(entries) = answer else { return None };
        let number = |value: &Value| match value {
            Value::Int(number) => u16::try_from(*number).ok(),
            _ => None,
        };
        let mut ranges = Vec::with_capacity(entries.len());
        for entry in entries {
            let Value::Array(parts) = entry else { return None };
            let [first, last, Value::Array(primary), ..] = parts.as_slice() else { return None };
            let [host, port, ..] = primary.as_slice() else { return None };
            // A node that doesn't know its own address leaves it out.
            let host = text(host).filter(|host| !host.is_empty() && *host != "?").unwrap_or(&node.host);
            let node = Node { host: host.to_owned(), port: number(port)? };
            ranges.push(Range { first: number(first)?, last: number(last)?, node });
        }
        ranges.sort_by_key(|range| range.first);
        Some(Self(ranges))
    }
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Node>, access: &Access, patience: Duration) -> Self {
        Self {
            seeds,
            access: Arc::new(access.elsewhere()),
            patience,
            links: Mutex::default(),
            slots: RwLock::default(),
            learning: tokio::sync::Mutex::new(None),
        }
    }

    /// The link to a node.
    pub(super) fn link(&self, node: &Node, lane: Lane) -> Arc<Link> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Link::new(Target::Node(node.clone()), Arc::clone(&self.access), self.patience);
        Arc::clone(links.entry((node.clone(), lane)).or_insert_with(make))
    }

    /// The link to the primary of a slot.
    pub(super) async fn owner(&self, slot: u16, lane: Lane, until: Instant) -> Result<Arc<Link>, Failure> {
        for _ in 0..2 {
            let owner = self.slots.read().unwrap_or_else(PoisonError::into_inner).owner(slot).cloned();
            if let Some(node) = owner {
                return Ok(self.link(&node, lane));
            }
            self.learn(until).await?;
        }
        Err(Failure::unfit(&"of the cluster", "that has this slot is known to no node: see `CLUSTER INFO`"))
    }

    /// Every primary.
    pub(super) async fn primaries(&self, until: Instant) -> Result<Vec<Arc<Link>>, Failure> {
        self.learn(until).await?;
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut nodes: Vec<_> = slots.0.into_iter().map(|range| range.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes.iter().map(|node| self.link(node, Lane::Common)).collect())
    }

    /// Notes what a server said of one slot. `host` may be empty: then it is that server's own.
    pub(super) fn moved(&self, slot: u16, node: &Node) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).give(slot, node);
    }

    /// Asks the nodes for the slots, one after another, unless that was done a moment ago.
    pub(super) async fn learn(&self, until: Instant) -> Result<(), Failure> {
        let slow = |_| Failure::slow(&"of the cluster");
        let asked = timeout_at(until, self.learning.lock()).await.map_err(slow)?;
        self.learn_now(asked, until).await
    }

    /// The same, unless someone does it already.
    pub(super) async fn learn_if_idle(&self, until: Instant) {
        if let Ok(asked) = self.learning.try_lock() {
            // What is known goes on to be used.
            let _ = self.learn_now(asked, until).await;
        }
    }

    async fn learn_now(
        &self,
        mut asked: tokio::sync::MutexGuard<'_, Option<Instant>>,
        until: Instant,
    ) -> Result<(), Failure> {
        if asked.is_some_and(|asked| asked.elapsed() < PAUSE) {
            return Ok(());
        }
        let mut last = Failure::slow(&"of the cluster");
        for node in self.known() {
            match timeout_at(until.min(Instant::now() + PATIENCE), self.ask(&node)).await {
                Ok(Ok(slots)) => {
                    self.retain(&slots);
                    *self.slots.write().unwrap_or_else(PoisonError::into_inner) = slots;
                    *asked = Some(Instant::now());
                    return Ok(());
                }
                Ok(Err(failure)) => last = failure,
                Err(_) => {}
            }
        }
        *asked = Some(Instant::now());
        Err(last)
    }

    /// Closes every connection.
    pub(super) fn close(&self) {
        for link in self.links.lock().unwrap_or_else(PoisonError::into_inner).values() {
            link.close();
        }
    }

    /// Those that have answered lately first.
    fn known(&self) -> Vec<Node> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let common = links.iter().filter(|((_, lane), _)| *lane == Lane::Common);
        let mut nodes: Vec<_> = common.map(|((node, _), link)| (!link.is_up(), node.clone())).collect();
        drop(links);
        nodes.sort_unstable();
        let mut nodes: Vec<_> = nodes.into_iter().map(|(_, node)| node).collect();
        nodes.extend(self.seeds.iter().filter(|seed| !nodes.contains(seed)).cloned().collect::<Vec<_>>());
        nodes
    }

    async fn ask(&self, node: &Node) -> Result<Slots, Failure> {
        let until = Instant::now() + PATIENCE;
        let wire = self.link(node, Lane::Common).wire(until).await?;
        let mut question = redis::cmd("CLUSTER");
        question.arg("SLOTS");
        match wire.ask(&question, until).await? {
            Answer::Value(value) => Slots::read(&value, node).ok_or_else(|| Failure::unreadable(node)),
            Answer::Refused(error) => Err(Failure::refused(node, &error)),
        }
    }

    /// Forgets the links to nodes that are neither seeds nor primaries any more.
    fn retain(&self, slots: &Slots) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|(node, _), _| {
            self.seeds.contains(node) || slots.0.iter().any(|range| range.node == *node)
        });
    }
}

/// The slot and the node of a MOVED or ASK; a node without a host is the one that said it, by another port.
pub(super) fn redirection(details: Option<&str>, wire: &Wire) -> Option<(u16, Node)> {
    let (slot, address) = details?.split_once(' ')?;
    let (host, port) = address.trim().rsplit_once(':')?;
    let host = if host.is_empty() { &wire.node.host } else { host };
    Some((slot.parse().ok()?, Node { host: host.to_owned(), port: port.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(port: u16) -> Node {
        Node { host: "h".to_owned(), port }
    }

    #[test]
    fn a_slot_that_moved_is_looked_for_where_it_is() {
        let mut slots = Slots(vec![
            Range { first: 0, last: 99, node: node(1) },
            Range { first: 100, last: 199, node: node(2) },
        ]);
        for slot in [0, 50, 99] {
            slots.give(slot, &node(2));
        }
        let owners: Vec<_> =
            [0, 1, 49, 50, 51, 98, 99, 100, 199].map(|slot| slots.owner(slot).unwrap().port).into();
        assert_eq!(owners, [2, 1, 1, 2, 1, 1, 2, 2, 2]);
        assert!(slots.owner(200).is_none());
    }

    #[test]
    fn an_answer_tells_ranges_and_primaries() {
        let host = |host: &str| Value::BulkString(host.as_bytes().to_vec());
        let range = |first, last, name: &str, port| {
            let primary = Value::Array(vec![host(name), Value::Int(port), host("id")]);
            Value::Array(vec![Value::Int(first), Value::Int(last), primary])
        };
        let answer = Value::Array(vec![range(8_192, 16_383, "b", 2), range(0, 8_191, "", 1)]);
        let slots = Slots::read(&answer, &node(9)).unwrap();
        assert_eq!(slots.owner(0), Some(&node(1)));
        assert_eq!(slots.owner(16_383).unwrap().host, "b");
        assert!(Slots::read(&Value::Okay, &node(9)).is_none());
    }
}
