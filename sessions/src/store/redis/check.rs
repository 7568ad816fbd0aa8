//! What a server has to be to keep sessions: looked at once, when the store is opened. What loses sessions without a word is
//! warned of; what can't work is refused.

use redis::Value;
use sessions_policy::Durability;
use tokio::time::Instant;

use super::{
    failure::Failure,
    sentinel::text,
    servers::Servers,
    wire::{Answer, Wire},
};

/// The first version that has every command.
const OLDEST: (u32, u32) = (6, 2);
/// The longest prefix of keys, in bytes.
const LONGEST_PREFIX: usize = 128;

/// Refuses a prefix that would change which slot a key is in, or what SCAN matches.
pub(super) fn prefix(prefix: &str) -> Result<(), Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    if prefix.is_empty() || prefix.len() > LONGEST_PREFIX || !prefix.bytes().all(is_plain) {
        let why =
            "the prefix of a Redis store's keys has 1 to 128 letters, digits and `_-.:/`: choose another";
        return Err(Failure::setup(why.to_owned()));
    }
    Ok(())
}

/// Whether the server is a node of a cluster.
pub(super) async fn is_cluster(servers: &Servers, until: Instant) -> Result<bool, Failure> {
    let wires = servers.primaries(until).await?;
    let Some(wire) = wires.first() else { return Ok(false) };
    Ok(field(&info(wire, "cluster", until).await?, "cluster_enabled") == Some("1"))
}

/// Refuses servers that are too old, and warns of those that drop sessions to make room, and of those that have no replica
/// where writes wait for one.
pub(super) async fn servers(servers: &Servers, until: Instant) -> Result<(), Failure> {
    for wire in servers.primaries(until).await? {
        let server = info(&wire, "server", until).await?;
        let version = field(&server, "redis_version").unwrap_or_default();
        if parse(version).is_some_and(|version| version < OLDEST) {
            let why = format!("has version {version}: sessions need Redis 6.2, or Valkey, or later");
            return Err(Failure::unfit(&wire.node, &why));
        }
        if servers.durability() == Durability::Replicated {
            let replication = info(&wire, "replication", until).await?;
            if field(&replication, "connected_slaves") == Some("0") {
                tracing::warn!(
                    server = %wire.node,
                    "the Redis server {} has no replica: as long as that is so, no write counts (durability = \"replicated\")",
                    wire.node
                );
            }
        }
        let memory = info(&wire, "memory", until).await?;
        if let Some(policy) = field(&memory, "maxmemory_policy").filter(|policy| *policy != "noeviction") {
            tracing::warn!(
                server = %wire.node,
                "warning[SL072]: the Redis server {} drops keys when its memory is full (maxmemory-policy {policy}), and with them sessions: \
                 people are logged out, and limits are counted wrongly\n  = help: `CONFIG SET maxmemory-policy noeviction`, \
                 and in its configuration file",
                wire.node
            );
        }
    }
    Ok(())
}

async fn info(wire: &Wire, section: &str, until: Instant) -> Result<String, Failure> {
    let mut question = redis::cmd("INFO");
    question.arg(section);
    match wire.ask(&question, until).await? {
        Answer::Value(value) => Ok(text(&value).unwrap_or_default().to_owned()),
        // A user without the right to ask may keep sessions all the same.
        Answer::Refused(error) if error.code() == "NOPERM" => Ok(String::new()),
        Answer::Refused(error) => Err(Failure::refused(&wire.node, &error)),
    }
}

/// A field of what a server tells of itself.
pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// The number of keys of the server's database.
pub(super) async fn size(wire: &Wire, until: Instant) -> Result<u64, Failure> {
    match wire.ask(&redis::cmd("DBSIZE"), until).await? {
        Answer::Value(Value::Int(size)) => Ok(u64::try_from(size).unwrap_or(0)),
        Answer::Value(_) => Err(Failure::unreadable(&wire.node)),
        Answer::Refused(error) => Err(Failure::refused(&wire.node, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_plain() {
        for good in ["sessions", "a", "shop:eu-1/x.y_z"] {
            assert!(prefix(good).is_ok(), "{good}");
        }
        for bad in ["", "a{b}", "a*", "a b", "a\n", "é", &"x".repeat(129)] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_is_compared_as_numbers() {
        assert!(parse("6.0.16") < Some(OLDEST));
        for new in ["6.2.0", "7.0.15", "10.1"] {
            assert!(parse(new) >= Some(OLDEST), "{new}");
        }
    }
}
