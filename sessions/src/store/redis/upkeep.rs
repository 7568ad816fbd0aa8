//! Sweeping and counting, both by looking at a bounded number of keys. The server frees what has expired by itself, a minute
//! later: a sweep only does it sooner, and by the caller's clock.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use redis::{Pipeline, Value};
use tokio::time::Instant;

use super::{
    Inner,
    check::size,
    failure::Failure,
    keys::Found,
    scripts::{By, Script},
    value::{LOOK, instant},
    wire::{Answer, Node, Wire},
};
use crate::store::{Millis, StoreStats};

/// How many keys one call looks at on each server.
const LOOKS: usize = 1_000;
/// How many are asked for at once.
const STEP: usize = 250;

/// Where the sweep of each server goes on.
#[derive(Debug, Default)]
pub(super) struct Upkeep(Mutex<HashMap<Node, u64>>);

/// Some keys of a server.
struct Keyspace {
    keys: Vec<Vec<u8>>,
    /// How many of the database's keys were looked at to find them, as far as the server tells.
    cursor: u64,
    /// Whether these are all that the store has there.
    is_whole: bool,
}

impl Inner {
    pub(super) async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, Failure> {
        let until = self.until()?;
        let mut freed = 0;
        for wire in self.servers.primaries(until).await? {
            if freed < limit {
                freed += self.sweep_server(&wire, now, limit - freed, until).await?;
            }
        }
        Ok(freed)
    }

    async fn sweep_server(
        &self,
        wire: &Arc<Wire>,
        now: Millis,
        limit: usize,
        until: Instant,
    ) -> Result<usize, Failure> {
        let from = self.upkeep.0.lock().unwrap_or_else(PoisonError::into_inner).get(&wire.node).copied();
        let found = self.look(wire, from.unwrap_or(0), until).await?;
        let mut freed = 0;
        let mut is_done = true;
        for keys in found.keys.chunks(STEP) {
            let (sessions, owners) = self.expired(wire, keys, now, until).await?;
            for (expiry, bucket) in owners {
                self.prune(wire, expiry, bucket, now, until).await?;
            }
            is_done &= sessions.len() <= limit - freed;
            freed += self.lapse_all(wire, &sessions[..sessions.len().min(limit - freed)], now, until).await?;
        }
        if is_done {
            let mut places = self.upkeep.0.lock().unwrap_or_else(PoisonError::into_inner);
            places.insert(wire.node.clone(), found.cursor);
        }
        Ok(freed)
    }

    /// Those of some keys that have something expired: sessions and tombstones, and owners with their bucket.
    async fn expired<'a>(
        &self,
        wire: &Wire,
        keys: &'a [Vec<u8>],
        now: Millis,
        until: Instant,
    ) -> Result<(Vec<&'a Vec<u8>>, Vec<(&'a Vec<u8>, u16)>), Failure> {
        let mut pipeline = Pipeline::new();
        for key in keys {
            match self.keys.read(key) {
                Some(Found::Expiry(_)) => pipeline.cmd("ZCOUNT").arg(key).arg("-inf").arg(instant(now)),
                _ => pipeline.cmd("GETRANGE").arg(key).arg(0).arg(LOOK - 1),
            };
        }
        let answers = ask_all(wire, &pipeline, until).await?;
        let (mut sessions, mut owners) = (Vec::new(), Vec::new());
        for (key, answer) in keys.iter().zip(answers) {
            match (self.keys.read(key), answer) {
                (Some(Found::Session), Value::BulkString(head))
                    if ends(&head).is_some_and(|ends| ends <= now) =>
                {
                    sessions.push(key);
                }
                (Some(Found::Expiry(bucket)), Value::Int(count)) if count > 0 => owners.push((key, bucket)),
                // It has gone meanwhile, or to another server.
                _ => {}
            }
        }
        Ok((sessions, owners))
    }

    async fn lapse_all(
        &self,
        wire: &Wire,
        keys: &[&Vec<u8>],
        now: Millis,
        until: Instant,
    ) -> Result<usize, Failure> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut pipeline = Pipeline::new();
        for key in keys {
            let mut call = Script::Lapse.call(By::Digest, std::slice::from_ref(key));
            call.arg(instant(now));
            pipeline.add_command(call);
        }
        let answers = ask_all(wire, &pipeline, until).await?;
        let is_freed = |answer: &&Value| match answer {
            Value::Array(parts) => matches!(parts.first(), Some(Value::BulkString(word)) if word == b"1"),
            _ => false,
        };
        Ok(answers.iter().filter(is_freed).count())
    }

    /// Takes what has expired out of an owner's index.
    async fn prune(
        &self,
        wire: &Wire,
        expiry: &[u8],
        bucket: u16,
        now: Millis,
        until: Instant,
    ) -> Result<(), Failure> {
        let mut question = redis::cmd("ZRANGEBYSCORE");
        question.arg(expiry).arg("-inf").arg(instant(now)).arg("LIMIT").arg(0).arg(STEP);
        let Answer::Value(Value::Array(sids)) = wire.ask(&question, until).await? else { return Ok(()) };
        let sids = sids.into_iter().filter_map(|sid| match sid {
            Value::BulkString(sid) => <[u8; 16]>::try_from(sid).ok(),
            _ => None,
        });
        let sids: Vec<_> = sids.collect();
        let mut keys = vec![expiry.to_vec(), self.keys.order_of(expiry)];
        keys.extend(sids.iter().map(|sid| self.keys.session(crate::store::SessionId::new(bucket, *sid))));
        let mut call = Script::Prune.call(By::Digest, &keys);
        call.arg(instant(now));
        for sid in &sids {
            call.arg(sid);
        }
        // Where it is refused, the next sweep does it.
        wire.ask(&call, until).await.map(|_| ())
    }

    pub(super) async fn stats(&self) -> Result<StoreStats, Failure> {
        let until = self.until()?;
        let mut stats = StoreStats::default();
        for wire in self.servers.primaries(until).await? {
            let found = self.look(&wire, 0, until).await?;
            let mut sessions = 0;
            for keys in found.keys.chunks(STEP) {
                sessions += self.live(&wire, keys, until).await?;
            }
            let is_owner = |key: &&Vec<u8>| matches!(self.keys.read(key), Some(Found::Expiry(_)));
            let principals = found.keys.iter().filter(is_owner).count() as u64;
            if found.is_whole {
                stats.sessions += sessions;
                stats.principals += principals;
            } else {
                let all = size(&wire, until).await?;
                let looked = LOOKS as u64;
                let share =
                    |count: u64| u64::try_from(u128::from(count) * u128::from(all) / u128::from(looked));
                stats.sessions += share(sessions).unwrap_or(u64::MAX);
                stats.principals += share(principals).unwrap_or(u64::MAX);
            }
        }
        Ok(stats)
    }

    /// How many of some keys are sessions.
    async fn live(&self, wire: &Wire, keys: &[Vec<u8>], until: Instant) -> Result<u64, Failure> {
        let mut pipeline = Pipeline::new();
        for key in keys.iter().filter(|key| self.keys.read(key) == Some(Found::Session)) {
            pipeline.cmd("GETRANGE").arg(key).arg(0).arg(0);
        }
        let answers = ask_all(wire, &pipeline, until).await?;
        let is_session = |answer: &&Value| matches!(answer, Value::BulkString(kind) if kind == b"S");
        Ok(answers.iter().filter(is_session).count() as u64)
    }

    /// Some keys of the store on a server, from a place on.
    async fn look(&self, wire: &Wire, from: u64, until: Instant) -> Result<Keyspace, Failure> {
        let (mut keys, mut cursor, mut looked) = (Vec::new(), from, 0);
        loop {
            let mut question = redis::cmd("SCAN");
            question.arg(cursor).arg("MATCH").arg(self.keys.pattern()).arg("COUNT").arg(STEP);
            let answer = match wire.ask(&question, until).await? {
                Answer::Value(Value::Array(parts)) => parts,
                Answer::Value(_) => return Err(Failure::unreadable(&wire.node)),
                Answer::Refused(error) => return Err(Failure::refused(&wire.node, &error)),
            };
            let [Value::BulkString(next), Value::Array(found)] = answer.as_slice() else {
                return Err(Failure::unreadable(&wire.node));
            };
            let next = std::str::from_utf8(next).ok().and_then(|next| next.parse().ok());
            cursor = next.ok_or_else(|| Failure::unreadable(&wire.node))?;
            keys.extend(found.iter().filter_map(|key| match key {
                Value::BulkString(key) if self.keys.read(key).is_some() => Some(key.clone()),
                _ => None,
            }));
            looked += STEP;
            if cursor == 0 || looked >= LOOKS {
                break;
            }
        }
        // A key may be found more than once.
        keys.sort_unstable();
        keys.dedup();
        Ok(Keyspace { keys, cursor, is_whole: from == 0 && cursor == 0 })
    }
}

/// When what has this beginning expires, or is forgotten.
fn ends(head: &[u8]) -> Option<Millis> {
    let (kind, instant) = head.split_first()?;
    matches!(kind, b'S' | b'E').then_some(u64::from_be_bytes(*instant.first_chunk()?))
}

pub(super) async fn ask_all(wire: &Wire, pipeline: &Pipeline, until: Instant) -> Result<Vec<Value>, Failure> {
    if pipeline.is_empty() {
        return Ok(Vec::new());
    }
    let answers = tokio::time::timeout_at(until, wire.ask_all(pipeline, pipeline.len())).await;
    answers.unwrap_or_else(|elapsed| Err(Failure::lost(&wire.node, &elapsed)))
}
