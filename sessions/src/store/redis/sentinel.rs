//! Asks Sentinels who the primary is, and makes sure that it takes itself for one.

use std::{fmt, sync::Arc, time::Duration};

use redis::{PushInfo, Value};
use sessions_policy::SentinelUser;
use tokio::{
    sync::mpsc::UnboundedSender,
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
    /// As whom they are asked.
    access: Arc<Access>,
    /// As whom those are asked that want to know more: as the user of the servers.
    more: Option<Arc<Access>>,
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
    /// Those who are asked as a user of theirs; without one as no one, and with the password of the servers where they ask
    /// for one.
    pub(super) fn new(name: &str, nodes: Vec<Node>, access: &Access, user: Option<&SentinelUser>) -> Self {
        let more = user.is_none().then(|| Arc::new(access.elsewhere()));
        Self { name: name.to_owned(), nodes, access: Arc::new(access.with_user(user)), more }
    }

    /// What they call the primary.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A connection to the primary.
    pub(super) async fn open(self: &Arc<Self>, access: &Access) -> Result<Wire, Failure> {
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
    pub(super) async fn primary(self: &Arc<Self>) -> Result<Node, Failure> {
        let mut asked = JoinSet::new();
        for node in &self.nodes {
            let (sentinels, node) = (Arc::clone(self), node.clone());
            asked.spawn(async move { timeout(PATIENCE, sentinels.ask(&node)).await });
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

    /// Asks one.
    async fn ask(&self, node: &Node) -> Result<Told, Failure> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("MASTER").arg(&self.name);
        let wire = self.connect(node, None).await?;
        match wire.ask(&question, Instant::now() + PATIENCE).await? {
            Answer::Value(value) => read(&value).ok_or_else(|| Failure::unreadable(node)),
            Answer::Refused(error) => Err(Failure::refused(node, &error)),
        }
    }

    /// A connection to one of them.
    pub(super) async fn connect(
        &self,
        node: &Node,
        tell: Option<UnboundedSender<PushInfo>>,
    ) -> Result<Wire, Failure> {
        match (Wire::open_telling(node, &self.access, tell.clone()).await, &self.more) {
            (Err(failure), Some(more)) if failure.code() == Some("NOAUTH") => {
                Wire::open_telling(node, more, tell).await
            }
            (wire, _) => wire,
        }
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
