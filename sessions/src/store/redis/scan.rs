//! Reading through the store, server by server: a bookmark is a server and the place where its own scan goes on.

use redis::{Pipeline, Value};

use super::{
    Inner,
    failure::Failure,
    upkeep::ask_all,
    value::Held,
    wire::{Answer, Wire},
};
use crate::{
    record::owner_of,
    store::{Bookmark, Millis, Scan, Scanned},
};

impl Inner {
    pub(super) async fn scan(
        &self,
        from: Option<&Bookmark>,
        limit: usize,
        now: Millis,
    ) -> Result<Scan, Failure> {
        let until = self.until()?;
        let mut wires = self.servers.primaries(until).await?;
        wires.sort_by(|one, other| one.node.cmp(&other.node));
        // A server that has gone: its part is elsewhere now, so it begins anew.
        let at = from.and_then(|from| {
            let (cursor, node) = std::str::from_utf8(from.as_bytes()).ok()?.split_once(' ')?;
            let at = wires.iter().position(|wire| wire.node.to_string() == node)?;
            Some((at, cursor.parse::<u64>().ok()?))
        });
        let (at, cursor) = at.unwrap_or((0, 0));
        let Some(wire) = wires.get(at) else { return Ok(Scan::default()) };
        let (keys, cursor) = self.keys_from(wire, cursor, limit, until).await?;
        let sessions = self.sessions(wire, &keys, now, until).await?;
        let next = if cursor == 0 { wires.get(at + 1) } else { Some(wire) };
        let next = next.map(|wire| Bookmark::new(format!("{cursor} {}", wire.node)));
        Ok(Scan { sessions, next })
    }

    async fn keys_from(
        &self,
        wire: &Wire,
        cursor: u64,
        limit: usize,
        until: tokio::time::Instant,
    ) -> Result<(Vec<Vec<u8>>, u64), Failure> {
        let mut question = redis::cmd("SCAN");
        question.arg(cursor).arg("MATCH").arg(self.keys.pattern_of_sessions()).arg("COUNT").arg(limit.max(1));
        let parts = match wire.ask(&question, until).await? {
            Answer::Value(Value::Array(parts)) => parts,
            Answer::Value(_) => return Err(Failure::unreadable(&wire.node)),
            Answer::Refused(error) => return Err(Failure::refused(&wire.node, &error)),
        };
        let [Value::BulkString(next), Value::Array(found)] = parts.as_slice() else {
            return Err(Failure::unreadable(&wire.node));
        };
        let next = std::str::from_utf8(next).ok().and_then(|next| next.parse().ok());
        let next = next.ok_or_else(|| Failure::unreadable(&wire.node))?;
        let keys = found.iter().filter_map(|key| match key {
            Value::BulkString(key) => Some(key.clone()),
            _ => None,
        });
        Ok((keys.collect(), next))
    }

    async fn sessions(
        &self,
        wire: &Wire,
        keys: &[Vec<u8>],
        now: Millis,
        until: tokio::time::Instant,
    ) -> Result<Vec<Scanned>, Failure> {
        let named: Vec<_> = keys.iter().filter_map(|key| Some((key, self.keys.id_of(key)?))).collect();
        let mut pipeline = Pipeline::new();
        for (key, _) in &named {
            pipeline.cmd("GET").arg(*key);
        }
        let values = ask_all(wire, &pipeline, until).await?;
        let scanned = named.into_iter().zip(values).filter_map(|((_, id), value)| match value {
            Value::BulkString(value) => match Held::read(&value)? {
                Held::Session(expires, stored) if expires > now => {
                    Some(Scanned { id, owner: owner_of(&stored.record), stored, expires })
                }
                _ => None,
            },
            _ => None,
        });
        Ok(scanned.collect())
    }
}
