//! The operations on what an owner has: logging in within the limit, ending, listing.

use std::sync::Arc;

use redis::{Cmd, Value};
use tokio::time::Instant;

use super::{
    Inner,
    failure::Failure,
    operation::{Deadline, Reply, bytes, ids, number},
    outbox::Noted,
    scripts::Script,
    servers::Told,
    value::{Held, instant, letter},
    wire::Wire,
};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, End, EndTarget, Ended, Listed, Millis, Owner, SessionId, Stamp,
};

/// How many sessions of a list are read at once.
const PAGE: usize = 256;

impl Inner {
    pub(super) async fn admit(&self, admit: &Admit, noted: Noted<'_>) -> Result<Admitted, Failure> {
        let until = self.until()?;
        let Some(deadline) = Deadline::of(admit.deadline, admit.now) else { return Ok(Admitted::Late) };
        let bucket = admit.owner.bucket();
        if admit.id.bucket() != bucket {
            return Err(Failure::setup("a session of an owner belongs into the owner's bucket".to_owned()));
        }
        let replaces = admit.replaces.filter(|id| id.bucket() == bucket);
        let mut named: Vec<SessionId> = replaces.into_iter().collect();
        let mut was_late = false;
        while Instant::now() < until {
            let told = self.try_admit(admit, noted, (replaces, &named), deadline, until).await?;
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
        noted: Noted<'_>,
        (replaces, named): (Option<SessionId>, &[SessionId]),
        deadline: Deadline,
        until: Instant,
    ) -> Result<Told, Failure> {
        let mut keys = self.keys_of(admit.id, Some(admit.owner));
        keys.extend(named.iter().map(|id| self.keys.session(*id)));
        let script = noted.of(Script::Admit, &mut keys, admit.owner.bucket());
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
            noted.finish(call);
        };
        self.servers.run(admit.owner.bucket(), script, &keys, &finish, until).await
    }

    pub(super) async fn end(&self, end: End, noted: Noted<'_>) -> Result<Ended, Failure> {
        match end.target {
            EndTarget::Session { id, owner } => self.end_session(id, owner, end, noted).await,
            EndTarget::Owner { owner, except } => self.end_owner(owner, except, end, noted).await,
        }
    }

    async fn end_session(
        &self,
        id: SessionId,
        owner: Option<Owner>,
        end: End,
        noted: Noted<'_>,
    ) -> Result<Ended, Failure> {
        let mut keys = self.keys_of(id, owner);
        keys.truncate(3);
        let script = noted.of(Script::End, &mut keys, id.bucket());
        let finish = |call: &mut Cmd, _: &Wire| {
            call.arg(instant(end.now)).arg(letter(end.reason)).arg(id.sid());
            noted.finish(call);
        };
        let told = self.servers.run(id.bucket(), script, &keys, &finish, self.until()?).await?;
        Ok(Ended { ids: EndedSome::read(told, id.bucket())?.ids })
    }

    async fn end_owner(
        &self,
        owner: Owner,
        except: Option<SessionId>,
        end: End,
        noted: Noted<'_>,
    ) -> Result<Ended, Failure> {
        let (until, bucket) = (self.until()?, owner.bucket());
        let except = except.filter(|id| id.bucket() == bucket);
        let (high, low) = halves(end.stamp);
        let stamp = format!("{high}{low}");
        let (mut named, mut ended) = (Vec::<SessionId>::new(), None::<Ended>);
        while Instant::now() < until {
            let mut keys = self.keys.owner(owner).to_vec();
            keys.extend(named.iter().map(|id| self.keys.session(*id)));
            // What is about all of them is noted with the first.
            let noted = if ended.is_some() { noted.of_each() } else { noted };
            let script = noted.of(Script::EndOwner, &mut keys, bucket);
            let finish = |call: &mut Cmd, _: &Wire| {
                call.arg(instant(end.now)).arg(letter(end.reason)).arg(&stamp);
                call.arg(except.as_ref().map_or(&[][..], |id| &id.sid()[..]));
                for id in &named {
                    call.arg(id.sid());
                }
                noted.finish(call);
            };
            let told = self.servers.run(bucket, script, &keys, &finish, until).await;
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
        until: Instant,
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
        until: Instant,
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
        let live = |(id, value): (SessionId, Value)| match bytes(&value).and_then(Held::read)? {
            Held::Session(expires, stored) if expires > now => Some(Listed { id, stored, expires }),
            _ => None,
        };
        Ok(ids.into_iter().zip(values).filter_map(live).collect())
    }
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
        let wire = Arc::clone(&told.wire);
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
