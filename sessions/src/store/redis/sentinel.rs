//! Asks Sentinels who the primary is, and makes sure that it takes itself for one.

use std::{fmt, sync::Arc, time::Duration};

use redis::{Cmd, Value};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    failure::Failure,
    wire::{Access, Answer, Node, Wire},
};

/// How long one Sentinel may take: others are asked at the same time.
const PATIENCE: Duration = Duration::from_millis(800);

/// The Sentinels that watch a primary.
#[derive(Debug)]
pub(super) struct Sentinels {
    /// What they call it.
    name: String,
    nodes: Vec<Node>,
    access: Arc<Access>,
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {} Sentinels", self.name, self.nodes.len())
    }
}

/// What one Sentinel says.
#[derive(Debug)]
struct Told {
    epoch: u64,
    node: Node,
}

impl Sentinels {
    pub(super) fn new(name: &str, nodes: Vec<Node>, access: &Access) -> Self {
        Self { name: name.to_owned(), nodes, access: Arc::new(access.elsewhere()) }
    }

    /// A connection to the primary.
    pub(super) async fn open(&self, access: &Access) -> Result<Wire, Failure> {
        let node = self.primary().await?;
        let wire = Wire::open(&node, access).await?;
        let role = wire.ask(&redis::cmd("ROLE"), Instant::now() + PATIENCE).await?;
        // A Sentinel that was cut off may name one that was demoted.
        match role {
            Answer::Value(Value::Array(parts)) if parts.first().and_then(text) == Some("master") => Ok(wire),
            _ => Err(Failure::unfit(&node, "is no primary, though a Sentinel says so: it is asked again")),
        }
    }

    /// The primary: of those that a majority of Sentinels name, or all that answer, the one of the latest failover.
    pub(super) async fn primary(&self) -> Result<Node, Failure> {
        let mut asked = JoinSet::new();
        for node in &self.nodes {
            let (node, name, access) = (node.clone(), self.name.clone(), Arc::clone(&self.access));
            asked.spawn(async move { timeout(PATIENCE, ask(&node, &name, &access)).await });
        }
        let (mut told, mut last) = (Vec::new(), None);
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(Ok(answer))) => told.push(answer),
                Ok(Ok(Err(failure))) => last = Some(failure),
                _ => {}
            }
            if told.len() > self.nodes.len() / 2 {
                break;
            }
        }
        let primary = told.into_iter().max_by_key(|told| told.epoch).map(|told| told.node);
        primary.ok_or_else(|| last.unwrap_or_else(|| Failure::slow(self)))
    }
}

/// Asks one Sentinel: as no one, and with the password of the servers where it asks for one.
async fn ask(sentinel: &Node, name: &str, access: &Access) -> Result<Told, Failure> {
    let mut question = redis::cmd("SENTINEL");
    question.arg("MASTER").arg(name);
    let answer = match ask_as(sentinel, &access.anonymous(), &question).await {
        Err(failure) if failure.code() == Some("NOAUTH") => ask_as(sentinel, access, &question).await?,
        answer => answer?,
    };
    read(&answer).ok_or_else(|| Failure::unreadable(sentinel))
}

async fn ask_as(sentinel: &Node, access: &Access, question: &Cmd) -> Result<Value, Failure> {
    let wire = Wire::open(sentinel, access).await?;
    match wire.ask(question, Instant::now() + PATIENCE).await? {
        Answer::Value(value) => Ok(value),
        Answer::Refused(error) => Err(Failure::refused(sentinel, &error)),
    }
}

fn read(answer: &Value) -> Option<Told> {
    let field = |name: &str| match answer {
        Value::Map(pairs) => {
            pairs.iter().find(|(key, _)| text(key) == Some(name)).and_then(|(_, value)| text(value))
        }
        Value::Array(parts) => {
            let place = parts.iter().step_by(2).position(|key| text(key) == Some(name))?;
            parts.get(2 * place + 1).and_then(text)
        }
        _ => None,
    };
    let node = Node { host: field("ip")?.to_owned(), port: field("port")?.parse().ok()? };
    let epoch = field("config-epoch").and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
    Some(Told { epoch, node })
}

/// A text of an answer.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}
