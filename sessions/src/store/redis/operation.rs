//! The operations on one session as what the server is asked, and what its answers mean.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redis::{Cmd, Value};

use super::{
    Inner,
    failure::Failure,
    outbox::Noted,
    scripts::Script,
    servers::Told,
    value::{Held, Seen, instant, known, reason, stay, value},
    wire::{Wire, micros},
};
use crate::store::{Cas, CasOutcome, EndReason, Loaded, Millis, Owner, SessionId, Touch, Touched};

/// An instant of the contract is a whole millisecond: what comes within it is in time.
const MILLISECOND: i64 = 1_000;

/// When a write must not be applied any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// The deadline of a call that comes now; `None` if it has passed.
    pub(super) fn of(deadline: Millis, now: Millis) -> Option<Self> {
        let left = deadline.checked_sub(now)?.min(3_600_000);
        Some(Self(Instant::now() + Duration::from_millis(left)))
    }

    /// By the clock of a server, in microseconds.
    pub(super) fn on(self, wire: &Wire) -> i64 {
        wire.clock.at(self.0).saturating_add(MILLISECOND)
    }
}

/// A script's answer: a word, the server's time where a deadline counts, and the rest.
pub(super) struct Reply {
    pub(super) word: String,
    pub(super) rest: Vec<Value>,
}

impl Reply {
    /// Reads an answer. It came when it is read.
    pub(super) fn read(told: Told) -> Result<Self, Failure> {
        let unreadable = || Failure::unreadable(&told.wire.node);
        let Value::Array(mut parts) = told.value else { return Err(unreadable()) };
        let word = parts.first().and_then(bytes).and_then(|word| std::str::from_utf8(word).ok());
        let word = word.ok_or_else(unreadable)?.to_owned();
        parts.remove(0);
        Ok(Self { word, rest: parts })
    }

    /// The same for a script that tells the server's time, which is learnt.
    pub(super) fn timed(told: Told) -> Result<(Self, Arc<Wire>), Failure> {
        let (wire, received) = (Arc::clone(&told.wire), Instant::now());
        let mut reply = Self::read(told)?;
        let time = reply.rest.get(..2).and_then(micros).ok_or_else(|| Failure::unreadable(&wire.node))?;
        reply.rest.drain(..2);
        if reply.word == "LATE" {
            wire.clock.set(time, received);
        } else {
            wire.clock.note(time, received);
        }
        Ok((reply, wire))
    }
}

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(super) fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Int(number) => number.to_string().parse().ok(),
        other => std::str::from_utf8(bytes(other)?).ok()?.parse().ok(),
    }
}

/// The sids of an answer, as ids in a bucket.
pub(super) fn ids(values: &[Value], bucket: u16) -> Option<Vec<SessionId>> {
    let id = |value| Some(SessionId::new(bucket, bytes(value)?.try_into().ok()?));
    values.iter().map(id).collect()
}

impl Inner {
    pub(super) async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, Failure> {
        let until = self.until()?;
        let key = self.keys.session(id);
        let question = |_: &Wire| {
            let mut get = Cmd::with_capacity(2, "GET".len() + key.len());
            get.arg("GET").arg(&key);
            get
        };
        let Told { value, wire } = self.servers.ask(id.bucket(), &question, until).await?;
        let held = match &value {
            Value::Nil => return Ok(Loaded::Absent),
            value => bytes(value).and_then(Held::read).ok_or_else(|| Failure::unreadable(&wire.node))?,
        };
        match held.judge(now) {
            Seen::Known(loaded) => Ok(loaded),
            // Noted at once, so that it is dead to a clock that is behind as well. It is dead even if that fails.
            Seen::Expired => {
                let lapsed = Box::pin(self.lapse(id, now, until)).await;
                Ok(lapsed.unwrap_or(Loaded::Ended(EndReason::Expired)))
            }
        }
    }

    async fn lapse(
        &self,
        id: SessionId,
        now: Millis,
        until: tokio::time::Instant,
    ) -> Result<Loaded, Failure> {
        let finish = |call: &mut Cmd, _: &Wire| {
            call.arg(instant(now));
        };
        let keys = [self.keys.session(id)];
        let told = self.servers.run(id.bucket(), Script::Lapse, &keys, &finish, until).await?;
        let reply = Reply::read(told)?;
        let letter = reply.rest.first().and_then(bytes).unwrap_or_default();
        Ok(match reason(letter) {
            Some(reason) => Loaded::Ended(reason),
            None if reply.word == "1" => Loaded::Absent,
            // By a clock that is behind, someone has prolonged what is dead to this one.
            None => Loaded::Ended(EndReason::Expired),
        })
    }

    /// The key of a session, and those of its owner's index.
    pub(super) fn keys_of(&self, id: SessionId, owner: Option<Owner>) -> Vec<Vec<u8>> {
        let mut keys = vec![self.keys.session(id)];
        // The sessions of an owner are in its bucket.
        if let Some(owner) = owner.filter(|owner| owner.bucket() == id.bucket()) {
            keys.extend(self.keys.owner(owner));
        }
        keys
    }

    pub(super) async fn cas(&self, write: &Cas, noted: Noted<'_>) -> Result<CasOutcome, Failure> {
        let until = self.until()?;
        let Some(deadline) = Deadline::of(write.deadline, write.now) else { return Ok(CasOutcome::Late) };
        let mut keys = self.keys_of(write.id, write.owner);
        let script = noted.of(Script::Cas, &mut keys, write.id.bucket());
        let value = value(instant(write.expires), &write.record);
        let known = known(write.expected, &value);
        let finish = |call: &mut Cmd, wire: &Wire| {
            call.arg(instant(write.now)).arg(deadline.on(wire)).arg(&known).arg(&value);
            call.arg(stay(write.expires, write.now)).arg(write.id.sid()).arg(u8::from(write.announced));
            noted.finish(call);
        };
        let run = || self.servers.run(write.id.bucket(), script, &keys, &finish, until);
        match written(run().await?)? {
            // If the server's clock has leapt, its answer has told.
            CasOutcome::Late => written(Box::pin(run()).await?),
            outcome => Ok(outcome),
        }
    }

    pub(super) async fn touch(&self, touch: Touch) -> Result<Touched, Failure> {
        let keys = self.keys_of(touch.id, touch.owner);
        let finish = |call: &mut Cmd, _: &Wire| {
            call.arg(instant(touch.seen)).arg(instant(touch.expires)).arg(touch.id.sid());
        };
        let told = self.servers.run(touch.id.bucket(), Script::Touch, &keys, &finish, self.until()?).await?;
        let wire = Arc::clone(&told.wire);
        match Reply::read(told)?.word.as_str() {
            "NOTED" => Ok(Touched::Noted),
            "GONE" => Ok(Touched::Gone),
            _ => Err(Failure::unreadable(&wire.node)),
        }
    }
}

/// What a write came to: the server's time alone if it was stored.
fn written(told: Told) -> Result<CasOutcome, Failure> {
    if let Value::Int(at) = told.value {
        told.wire.clock.note(at, Instant::now());
        return Ok(CasOutcome::Stored);
    }
    let (reply, wire) = Reply::timed(told)?;
    let first = reply.rest.first().and_then(bytes);
    let outcome = match reply.word.as_str() {
        "LATE" => Some(CasOutcome::Late),
        "GONE" => first.map(|letter| CasOutcome::Gone(reason(letter))),
        "CONFLICT" => match first.and_then(Held::read) {
            Some(Held::Session(_, stored)) => Some(CasOutcome::Conflict(stored)),
            _ => None,
        },
        _ => None,
    };
    outcome.ok_or_else(|| Failure::unreadable(&wire.node))
}
