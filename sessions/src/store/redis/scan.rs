//! Reading through the store, server by server: a bookmark is a server and the place where its own scan goes on.

use redis::{Pipeline, Value};

use super::{
    Inner,
    check::field,
    failure::Failure,
    sentinel::text,
    upkeep::ask_all,
    value::Held,
    wire::{Node, Wire},
};
use crate::{
    record::owner_of,
    store::{Bookmark, Millis, Scan, Scanned},
};

/// Where a scan is: a number means something to one run of one server alone, as each run keeps its keys in an order of its own.
struct Place<'a> {
    cursor: u64,
    run: &'a str,
    node: &'a str,
}

impl<'a> Place<'a> {
    fn read(bookmark: &'a Bookmark) -> Option<Self> {
        let mut parts = std::str::from_utf8(bookmark.as_bytes()).ok()?.splitn(3, ' ');
        let (cursor, run, node) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        Some(Self { cursor, run, node })
    }

    fn bookmark(cursor: u64, run: &str, node: &Node) -> Bookmark {
        Bookmark::new(format!("{cursor} {run} {node}"))
    }
}

/// What a server has at a place.
struct Found {
    keys: Vec<Vec<u8>>,
    /// Where it goes on; 0 if this was all.
    cursor: u64,
    /// Which run of the server has answered.
    run: String,
}

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
        let from = from.and_then(Place::read);
        let at = |place: &Place<'_>| wires.iter().position(|wire| wire.node.to_string() == place.node);
        // A server that has gone: its part is elsewhere now, so all begins anew.
        let from = from.and_then(|place| Some((at(&place)?, place)));
        let (at, cursor) = from.as_ref().map_or((0, 0), |(at, place)| (*at, place.cursor));
        let Some(wire) = wires.get(at) else { return Ok(Scan::default()) };
        let found = self.keys_from(wire, cursor, limit, until).await?;
        if from.is_some_and(|(_, place)| place.cursor > 0 && place.run != found.run) {
            // It was started again since: its part begins anew.
            let next = Some(Place::bookmark(0, &found.run, &wire.node));
            return Ok(Scan { sessions: Vec::new(), next });
        }
        let sessions = self.sessions(wire, &found.keys, now, until).await?;
        let next = match found.cursor {
            0 => wires.get(at + 1).map(|wire| Place::bookmark(0, "", &wire.node)),
            cursor => Some(Place::bookmark(cursor, &found.run, &wire.node)),
        };
        Ok(Scan { sessions, next })
    }

    async fn keys_from(
        &self,
        wire: &Wire,
        cursor: u64,
        limit: usize,
        until: tokio::time::Instant,
    ) -> Result<Found, Failure> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("INFO").arg("server");
        pipeline.cmd("SCAN").arg(cursor).arg("MATCH").arg(self.keys.pattern_of_sessions());
        pipeline.arg("COUNT").arg(limit.max(1));
        let answers = ask_all(wire, &pipeline, until).await?;
        let unreadable = || Failure::unreadable(&wire.node);
        let (info, parts) = match answers.as_slice() {
            [info, Value::Array(parts)] => (info, parts),
            [_, Value::ServerError(error)] => return Err(Failure::refused(&wire.node, error)),
            _ => return Err(unreadable()),
        };
        let [Value::BulkString(next), Value::Array(found)] = parts.as_slice() else {
            return Err(unreadable());
        };
        let next = std::str::from_utf8(next).ok().and_then(|next| next.parse().ok());
        let keys = found.iter().filter_map(|key| match key {
            Value::BulkString(key) => Some(key.clone()),
            _ => None,
        });
        // A user who may not ask gets none: then a server that was started again goes unnoticed.
        let run = text(info).and_then(|info| field(info, "run_id")).unwrap_or_default();
        Ok(Found { keys: keys.collect(), cursor: next.ok_or_else(unreadable)?, run: run.to_owned() })
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
