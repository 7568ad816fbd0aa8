//! Each operation of the contract as what the server is asked, and what its answers mean.

use std::time::{Duration, Instant};

use redis::{Cmd, Value};

use super::{
    Inner,
    failure::Failure,
    scripts::Script,
    servers::Told,
    value::{Held, Seen, instant, letter, reason},
    wire::Wire,
};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Ended, Expected, Listed,
    Loaded, Millis, Owner, SessionId, Stamp, Stored, Touch, Touched,
};

/// An instant of the contract is a whole millisecond: what comes within it is in time.
const MILLISECOND: i64 = 1_000;
/// How many sessions of a list are read at once.
const PAGE: usize = 256;

/// When a write must not be applied any more.
#[derive(Clone, Copy, Debug)]
struct Deadline(Instant);

impl Deadline {
    /// The deadline of a call that comes now; `None` if it has passed.
    fn of(deadline: Millis, now: Millis) -> Option<Self> {
        let left = deadline.checked_sub(now)?.min(3_600_000);
        Some(Self(Instant::now() + Duration::from_millis(left)))
    }

    /// By the clock of a server, in microseconds.
    fn on(self, wire: &Wire) -> i64 {
        wire.clock.at(self.0).saturating_add(MILLISECOND)
    }
}

/// A script's answer: a word, the server's time where a deadline counts, and the rest.
struct Reply {
    word: String,
    rest: Vec<Value>,
}

impl Reply {
    /// Reads an answer. It came when it is read.
    fn read(told: Told) -> Result<Self, Failure> {
        let unreadable = || Failure::unreadable(&told.wire.node);
        let Value::Array(mut parts) = told.value else { return Err(unreadable()) };
        let word = parts.first().and_then(bytes).and_then(|word| std::str::from_utf8(word).ok());
        let word = word.ok_or_else(unreadable)?.to_owned();
        parts.remove(0);
        Ok(Self { word, rest: parts })
    }

    /// The same for a script that tells the server's time, which is learnt.
    fn timed(told: Told) -> Result<(Self, std::sync::Arc<Wire>), Failure> {
        let (wire, received) = (std::sync::Arc::clone(&told.wire), Instant::now());
        let mut reply = Self::read(told)?;
        let time = reply.rest.first().and_then(number).ok_or_else(|| Failure::unreadable(&wire.node))?;
        reply.rest.remove(0);
        if reply.word == "LATE" {
            wire.clock.set(time, received);
        } else {
            wire.clock.note(time, received);
        }
        Ok((reply, wire))
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Int(number) => number.to_string().parse().ok(),
        other => std::str::from_utf8(bytes(other)?).ok()?.parse().ok(),
    }
}

/// The sids of an answer, as ids in a bucket.
fn ids(values: &[Value], bucket: u16) -> Option<Vec<SessionId>> {
    let id = |value| Some(SessionId::new(bucket, bytes(value)?.try_into().ok()?));
    values.iter().map(id).collect()
}

impl Inner {
    pub(super) async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, Failure> {
        let until = self.until()?;
        let key = self.keys.session(id);
        let question = |_: &Wire| {
            let mut get = redis::cmd("GET");
            get.arg(&key);
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
                Ok(self.lapse(id, now, until).await.unwrap_or(Loaded::Ended(EndReason::Expired)))
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
    fn keys_of(&self, id: SessionId, owner: Option<Owner>) -> Vec<Vec<u8>> {
        let mut keys = vec![self.keys.session(id)];
        // The sessions of an owner are in its bucket.
        if let Some(owner) = owner.filter(|owner| owner.bucket() == id.bucket()) {
            keys.extend(self.keys.owner(owner));
        }
        keys
    }

    pub(super) async fn cas(&self, write: &Cas) -> Result<CasOutcome, Failure> {
        let until = self.until()?;
        let Some(deadline) = Deadline::of(write.deadline, write.now) else { return Ok(CasOutcome::Late) };
        let keys = self.keys_of(write.id, write.owner);
        let expected = match write.expected {
            Expected::Absent => Vec::new(),
            Expected::Version(version) => version.as_u64().to_be_bytes().to_vec(),
        };
        let finish = |call: &mut Cmd, wire: &Wire| {
            call.arg(instant(write.now)).arg(deadline.on(wire)).arg(&expected).arg(instant(write.expires));
            call.arg(&write.record[..]).arg(write.id.sid());
        };
        let run = async || self.servers.run(write.id.bucket(), Script::Cas, &keys, &finish, until).await;
        let (mut reply, mut wire) = Reply::timed(run().await?)?;
        if reply.word == "LATE" {
            // If the server's clock has leapt, its answer has told.
            (reply, wire) = Reply::timed(run().await?)?;
        }
        let first = reply.rest.first().and_then(bytes);
        let outcome = match reply.word.as_str() {
            "STORED" => Some(CasOutcome::Stored),
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

    pub(super) async fn touch(&self, touch: Touch) -> Result<Touched, Failure> {
        let keys = self.keys_of(touch.id, touch.owner);
        let finish = |call: &mut Cmd, _: &Wire| {
            call.arg(instant(touch.seen)).arg(instant(touch.expires)).arg(touch.id.sid());
        };
        let told = self.servers.run(touch.id.bucket(), Script::Touch, &keys, &finish, self.until()?).await?;
        let wire = std::sync::Arc::clone(&told.wire);
        match Reply::read(told)?.word.as_str() {
            "NOTED" => Ok(Touched::Noted),
            "GONE" => Ok(Touched::Gone),
            _ => Err(Failure::unreadable(&wire.node)),
        }
    }

    pub(super) async fn admit(&self, admit: &Admit) -> Result<Admitted, Failure> {
        let until = self.until()?;
        let Some(deadline) = Deadline::of(admit.deadline, admit.now) else { return Ok(Admitted::Late) };
        let bucket = admit.owner.bucket();
        if admit.id.bucket() != bucket {
            return Err(Failure::setup("a session of an owner belongs into the owner's bucket".to_owned()));
        }
        let replaces = admit.replaces.filter(|id| id.bucket() == bucket);
        let mut named: Vec<SessionId> = replaces.into_iter().collect();
        let mut was_late = false;
        while tokio::time::Instant::now() < until {
            let told = self.try_admit(admit, (replaces, &named), deadline, until).await?;
            let (reply, wire) = Reply::timed(told)?;
            let ids = || ids(&reply.rest, bucket).ok_or_else(|| Failure::unreadable(&wire.node));
            return Ok(match reply.word.as_str() {
                "NAME" => {
                    named = ids()?;
                    continue;
                }
                // As for a write.
                "LATE" if !was_late => {
                    was_late = true;
                    continue;
                }
                "LATE" => Admitted::Late,
                "EXISTS" => Admitted::Exists,
                "REVOKED" => Admitted::Revoked,
                "STORED" => Admitted::Stored { evicted: ids()? },
                "LIMIT" => match reply.rest.first().and_then(number) {
                    Some(live) => Admitted::LimitReached { live },
                    None => return Err(Failure::unreadable(&wire.node)),
                },
                _ => return Err(Failure::unreadable(&wire.node)),
            });
        }
        Err(Failure::contended())
    }

    async fn try_admit(
        &self,
        admit: &Admit,
        (replaces, named): (Option<SessionId>, &[SessionId]),
        deadline: Deadline,
        until: tokio::time::Instant,
    ) -> Result<Told, Failure> {
        let mut keys = self.keys_of(admit.id, Some(admit.owner));
        keys.extend(named.iter().map(|id| self.keys.session(*id)));
        let (high, low) = halves(admit.began);
        let (most, behavior) = match admit.limit {
            None => (String::new(), ""),
            Some(limit) => (
                limit.max.max(1).to_string(),
                match limit.behavior {
                    BehaviorOnLimit::EvictOldest => "oldest",
                    BehaviorOnLimit::EvictAll => "all",
                    _ => "reject",
                },
            ),
        };
        let finish = |call: &mut Cmd, wire: &Wire| {
            call.arg(instant(admit.now)).arg(deadline.on(wire)).arg(instant(admit.expires));
            call.arg(&admit.record[..]).arg(admit.id.sid()).arg(&high).arg(&low).arg(&most).arg(behavior);
            call.arg(replaces.as_ref().map_or(&[][..], |id| &id.sid()[..]));
            for id in named {
                call.arg(id.sid());
            }
        };
        self.servers.run(admit.owner.bucket(), Script::Admit, &keys, &finish, until).await
    }

    pub(super) async fn end(&self, end: End) -> Result<Ended, Failure> {
        match end.target {
            EndTarget::Session { id, owner } => self.end_session(id, owner, end).await,
            EndTarget::Owner { owner, except } => self.end_owner(owner, except, end).await,
        }
    }

    async fn end_session(&self, id: SessionId, owner: Option<Owner>, end: End) -> Result<Ended, Failure> {
        let mut keys = self.keys_of(id, owner);
        keys.truncate(3);
        let finish = |call: &mut Cmd, _: &Wire| {
            call.arg(instant(end.now)).arg(letter(end.reason)).arg(id.sid());
        };
        let told = self.servers.run(id.bucket(), Script::End, &keys, &finish, self.until()?).await?;
        Ok(Ended { ids: EndedSome::read(told, id.bucket())?.ids })
    }

    async fn end_owner(&self, owner: Owner, except: Option<SessionId>, end: End) -> Result<Ended, Failure> {
        let (until, bucket) = (self.until()?, owner.bucket());
        let except = except.filter(|id| id.bucket() == bucket);
        let (high, low) = halves(end.stamp);
        let stamp = format!("{high}{low}");
        let (mut named, mut ended) = (Vec::<SessionId>::new(), None::<Ended>);
        while tokio::time::Instant::now() < until {
            let mut keys = self.keys.owner(owner).to_vec();
            keys.extend(named.iter().map(|id| self.keys.session(*id)));
            let finish = |call: &mut Cmd, _: &Wire| {
                call.arg(instant(end.now)).arg(letter(end.reason)).arg(&stamp);
                call.arg(except.as_ref().map_or(&[][..], |id| &id.sid()[..]));
                for id in &named {
                    call.arg(id.sid());
                }
            };
            let told = self.servers.run(bucket, Script::EndOwner, &keys, &finish, until).await;
            let some = told.and_then(|told| EndedSome::read(told, bucket));
            // Where some have ended already, it isn't certain that nothing was applied.
            let some =
                some.map_err(|failure| if ended.is_some() { failure.after_others() } else { failure })?;
            if some.is_to_name {
                named = some.ids;
                continue;
            }
            let all = ended.get_or_insert_default();
            all.ids.extend(some.ids);
            if !some.is_more {
                return Ok(std::mem::take(all));
            }
            named.clear();
        }
        let failure = Failure::contended();
        Err(if ended.is_some() { failure.after_others() } else { failure })
    }

    pub(super) async fn list(
        &self,
        owner: Owner,
        mut after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, Failure> {
        let until = self.until()?;
        let mut listed = Vec::new();
        // What ends between the two questions leaves a place, which a full page must not have.
        while listed.len() < limit {
            let most = PAGE.min(limit - listed.len());
            let page = self.page(owner, after, most, now, until).await?;
            let is_last = page.len() < most;
            after = page.last().copied().or(after);
            listed.extend(self.read_all(owner.bucket(), page, now, until).await?);
            if is_last {
                break;
            }
        }
        Ok(listed)
    }

    async fn page(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        most: usize,
        now: Millis,
        until: tokio::time::Instant,
    ) -> Result<Vec<SessionId>, Failure> {
        let [expiry, order, _] = self.keys.owner(owner);
        let after = after.filter(|id| id.bucket() == owner.bucket());
        let finish = |call: &mut Cmd, _: &Wire| {
            call.arg(instant(now)).arg(after.as_ref().map_or(&[][..], |id| &id.sid()[..])).arg(most);
        };
        let told = self.servers.run(owner.bucket(), Script::List, &[expiry, order], &finish, until).await?;
        let page = match &told.value {
            Value::Array(sids) => ids(sids, owner.bucket()),
            _ => None,
        };
        page.ok_or_else(|| Failure::unreadable(&told.wire.node))
    }

    /// The records of sessions of one bucket, those that live.
    async fn read_all(
        &self,
        bucket: u16,
        ids: Vec<SessionId>,
        now: Millis,
        until: tokio::time::Instant,
    ) -> Result<Vec<Listed>, Failure> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = ids.iter().map(|id| self.keys.session(*id)).collect();
        let question = |_: &Wire| {
            let mut get = redis::cmd("MGET");
            get.arg(&keys);
            get
        };
        let Told { value, wire } = self.servers.ask(bucket, &question, until).await?;
        let Value::Array(values) = value else { return Err(Failure::unreadable(&wire.node)) };
        let live = |(id, value): (SessionId, Value)| match bytes(&value).and_then(Held::read)?.judge(now) {
            Seen::Known(Loaded::Live(stored)) => Some(listed(id, stored)),
            _ => None,
        };
        Ok(ids.into_iter().zip(values).filter_map(live).collect())
    }
}

fn listed(id: SessionId, stored: Stored) -> Listed {
    Listed { id, stored }
}

/// A stamp as two numbers of ten digits, which the server's scripts can compare exactly.
fn halves(stamp: Stamp) -> (String, String) {
    let digits = format!("{stamp:020}");
    let (high, low) = digits.split_at(10);
    (high.to_owned(), low.to_owned())
}

/// What a script that ends sessions answers.
struct EndedSome {
    ids: Vec<SessionId>,
    /// None has ended: these have to be named.
    is_to_name: bool,
    /// There are more.
    is_more: bool,
}

impl EndedSome {
    fn read(told: Told, bucket: u16) -> Result<Self, Failure> {
        let wire = std::sync::Arc::clone(&told.wire);
        let unreadable = || Failure::unreadable(&wire.node);
        let Reply { word, rest } = Reply::read(told)?;
        let (is_to_name, is_more, sids) = match (word.as_str(), rest.split_first()) {
            ("NAME", _) => (true, true, rest.as_slice()),
            ("ENDED", Some((left, sids))) => (false, bytes(left) == Some(b"MORE"), sids),
            _ => return Err(unreadable()),
        };
        Ok(Self { ids: ids(sids, bucket).ok_or_else(unreadable)?, is_to_name, is_more })
    }
}
