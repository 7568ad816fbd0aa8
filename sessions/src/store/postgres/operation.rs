//! Each operation of the contract as one statement: its parameters, and what its answer means.

use std::time::Instant;

use tokio_postgres::Row;

use super::{
    failure::Failure,
    link::Link,
    links::Links,
    statement::{COUNTED, Call},
    value::{Columns, Value, code, key, last_seen, number, version},
};
use crate::outbox::Notes;
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Ended, Expected, Listed,
    Loaded, Millis, Owner, Scanned, SessionId, StoreStats, Touch, Touched, Version,
};

/// What a write is refused with that came after its deadline.
const LATE: &str = "SES01";
/// What a login is refused with whose id was taken while it ran.
const TAKEN: &str = "SES03";

/// How long an operation has, from its call on.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    called: Instant,
    left: Millis,
}

impl Deadline {
    /// `None` if it has passed at the call.
    fn of(deadline: Millis, now: Millis) -> Option<Self> {
        Some(Self { called: Instant::now(), left: deadline.checked_sub(now)? })
    }

    fn has_passed(self) -> bool {
        self.called.elapsed().as_millis() > u128::from(self.left)
    }

    /// The last instant of the server's clock at which a change may be made.
    fn value<'a>(self, link: &Link) -> Value<'a> {
        Value::Until(link.until(self.called, self.left))
    }
}

impl Links {
    /// How long a statement may wait for a lock, in milliseconds. 0 would be for ever.
    pub(super) fn locks<'a>(&self) -> Value<'a> {
        Value::Int(i32::try_from(self.patience().as_millis()).unwrap_or(i32::MAX).max(1))
    }

    pub(super) async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, Failure> {
        let rows = self.read(Call::Load, &[Value::Key(key(id))]).await?;
        let Some(row) = rows.first() else { return Ok(Loaded::Absent) };
        let columns = Columns::of(row, self.server());
        if columns.get::<i64>("expires")? > number(now) {
            return Ok(match columns.reason("ended")? {
                Some(reason) => Loaded::Ended(reason),
                None => Loaded::Live(columns.stored("record", "last_seen")?),
            });
        }
        // Noted at once, so that it is dead to a clock that is behind as well. It is dead even if that fails.
        Ok(match self.lapse(id, now).await {
            Ok(loaded) => loaded,
            Err(_) if columns.reason("ended")?.is_some() => Loaded::Absent,
            Err(_) => Loaded::Ended(EndReason::Expired),
        })
    }

    async fn lapse(&self, id: SessionId, now: Millis) -> Result<Loaded, Failure> {
        let row = self.write(Call::Lapse, |_| [Value::Key(key(id)), Value::long(now), self.locks()]).await?;
        let columns = Columns::of(&row, self.server());
        Ok(match columns.get::<i16>("o_outcome")? {
            0 => Loaded::Live(columns.stored("o_record", "o_seen")?),
            1 => Loaded::Ended(columns.reason("o_ended")?.unwrap_or(EndReason::Expired)),
            _ => Loaded::Absent,
        })
    }

    pub(super) async fn cas(&self, write: &Cas, notes: Option<&Notes>) -> Result<CasOutcome, Failure> {
        let Some(deadline) = Deadline::of(write.deadline, write.now) else { return Ok(CasOutcome::Late) };
        let expected = match write.expected {
            Expected::Absent => None,
            Expected::Version(expected) => Some(version(expected)),
        };
        let values = |link: &Link| {
            [
                Value::Key(key(write.id)),
                Value::Bytes(write.owner.as_ref().map(|owner| owner.as_bytes().as_slice())),
                Value::Long(expected),
                Value::Bytes(Some(&write.record)),
                Value::Long(Some(version(Version::of_record(&write.record)))),
                Value::Long(Some(last_seen(&write.record))),
                Value::long(write.expires),
                Value::Short(i16::from(write.announced)),
                Value::long(write.now),
                deadline.value(link),
                self.locks(),
            ]
        };
        let written = match notes {
            None => self.write(Call::Cas, values).await,
            Some(notes) => {
                let noting =
                    |link: &Link| values(link).into_iter().chain([events(notes)]).collect::<Vec<_>>();
                self.write(Call::CasNoting, noting).await
            }
        };
        match written {
            Ok(row) => cas_outcome(Columns::of(&row, self.server())),
            Err(failure) if is_late(&failure, deadline) => Ok(CasOutcome::Late),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn touch(&self, touch: Touch) -> Result<Touched, Failure> {
        let values = |_: &Link| {
            [Value::Key(key(touch.id)), Value::long(touch.seen), Value::long(touch.expires), self.locks()]
        };
        let row = self.write(Call::Touch, values).await?;
        let is_noted = Columns::of(&row, self.server()).get::<bool>("o_noted")?;
        Ok(if is_noted { Touched::Noted } else { Touched::Gone })
    }

    pub(super) async fn admit(&self, admit: &Admit, notes: Option<&Notes>) -> Result<Admitted, Failure> {
        let Some(deadline) = Deadline::of(admit.deadline, admit.now) else { return Ok(Admitted::Late) };
        let replaces = admit.replaces.map(key);
        let values = |link: &Link| {
            [
                Value::Key(key(admit.id)),
                Value::Bytes(Some(admit.owner.as_bytes())),
                lock(admit.owner),
                Value::Bytes(Some(&admit.record)),
                Value::Long(Some(version(Version::of_record(&admit.record)))),
                Value::Long(Some(last_seen(&admit.record))),
                Value::long(admit.expires),
                Value::Long(admit.limit.map(|limit| i64::from(limit.max))),
                Value::Short(behavior(admit)),
                Value::Bytes(replaces.as_ref().map(<[u8; 18]>::as_slice)),
                Value::long(admit.began),
                Value::long(admit.now),
                deadline.value(link),
                self.locks(),
            ]
        };
        let written = match notes {
            None => self.write(Call::Admit, values).await,
            Some(notes) => self.write(Call::AdmitNoting, |link| with_notes(values(link), notes)).await,
        };
        match written {
            Ok(row) => admitted(Columns::of(&row, self.server())),
            Err(failure) if is_late(&failure, deadline) => Ok(Admitted::Late),
            Err(failure) if failure.is(TAKEN) => Ok(Admitted::Exists),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn end(&self, end: End, notes: Option<&Notes>) -> Result<Ended, Failure> {
        let row = match end.target {
            EndTarget::Session { id, .. } => {
                let values = |_: &Link| {
                    [Value::Key(key(id)), Value::Short(code(end.reason)), Value::long(end.now), self.locks()]
                };
                match notes {
                    None => self.write(Call::End, values).await?,
                    Some(notes) => {
                        self.write(Call::EndNoting, |link| with_notes(values(link), notes)).await?
                    }
                }
            }
            EndTarget::Owner { owner, except } => {
                let except = except.map(key);
                let values = |_: &Link| {
                    [
                        Value::Bytes(Some(owner.as_bytes())),
                        lock(owner),
                        Value::Bytes(except.as_ref().map(<[u8; 18]>::as_slice)),
                        Value::Short(code(end.reason)),
                        Value::long(end.stamp),
                        Value::long(end.now),
                        self.locks(),
                    ]
                };
                match notes {
                    None => self.write(Call::EndAll, values).await?,
                    Some(notes) => {
                        self.write(Call::EndAllNoting, |link| with_notes(values(link), notes)).await?
                    }
                }
            }
        };
        Ok(Ended { ids: Columns::of(&row, self.server()).ids("o_ended")? })
    }

    pub(super) async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, Failure> {
        let after = after.map(key);
        let values = [
            Value::Bytes(Some(owner.as_bytes())),
            Value::long(now),
            Value::Bytes(after.as_ref().map(<[u8; 18]>::as_slice)),
            Value::long(limit as u64),
        ];
        let rows = self.read(Call::List, &values).await?;
        let listed = |row: &Row| {
            let columns = Columns::of(row, self.server());
            let stored = columns.stored("record", "last_seen")?;
            Ok(Listed { id: columns.id("id")?, stored, expires: columns.instant("expires")? })
        };
        rows.iter().map(listed).collect()
    }

    /// Live sessions in the order of their ids, those after a key.
    pub(super) async fn scan(
        &self,
        after: &[u8],
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Scanned>, Failure> {
        let values = [Value::Bytes(Some(after)), Value::long(now), Value::long(limit.max(1) as u64)];
        let rows = self.read(Call::Scan, &values).await?;
        let scanned = |row: &Row| {
            let columns = Columns::of(row, self.server());
            Ok(Scanned {
                id: columns.id("id")?,
                owner: columns.owner("owner")?,
                stored: columns.stored("record", "last_seen")?,
                expires: columns.instant("expires")?,
            })
        };
        rows.iter().map(scanned).collect()
    }

    /// Looks at so many rows that are due: how many it freed, and whether it has looked at all.
    pub(super) async fn sweep(&self, now: Millis, looks: usize) -> Result<(usize, bool), Failure> {
        let looks = i32::try_from(looks).unwrap_or(i32::MAX);
        let row = self.write(Call::Sweep, |_| [Value::long(now), Value::Int(looks), self.locks()]).await?;
        let columns = Columns::of(&row, self.server());
        let freed = usize::try_from(columns.get::<i32>("o_freed")?).unwrap_or(0);
        Ok((freed, columns.get::<i32>("o_looked")? < looks))
    }

    pub(super) async fn stats(&self) -> Result<StoreStats, Failure> {
        let rows = self.read(Call::Stats, &[Value::Long(Some(COUNTED))]).await?;
        let row = rows.first().ok_or_else(|| Failure::damaged(self.server(), "sessions"))?;
        stats(Columns::of(row, self.server()))
    }
}

/// What a statement that notes takes beside what it takes otherwise.
fn with_notes<'a, const N: usize>(values: [Value<'a>; N], notes: &'a Notes) -> Vec<Value<'a>> {
    values.into_iter().chain([events(notes), each(notes)]).collect()
}

fn events(notes: &Notes) -> Value<'_> {
    Value::Texts(&notes.events)
}

fn each(notes: &Notes) -> Value<'_> {
    Value::Texts(notes.each.as_ref().map_or(&[], |each| &each.0))
}

/// Whether a write came after its deadline, or waited for a lock until it had passed. It was not applied then.
fn is_late(failure: &Failure, deadline: Deadline) -> bool {
    failure.is(LATE) || failure.gave_up() && deadline.has_passed()
}

/// What the logins and revocations of an owner take one after the other: 32 bits of its digest. Two owners that share
/// them wait for each other, and no more.
fn lock<'a>(owner: Owner) -> Value<'a> {
    let [a, b, c, d, ..] = *owner.as_bytes();
    // 0 is the lock of migrations.
    Value::Int(i32::from_be_bytes([a, b, c, d | 1]))
}

fn behavior(admit: &Admit) -> i16 {
    match admit.limit.map(|limit| limit.behavior) {
        Some(BehaviorOnLimit::EvictOldest) => 1,
        Some(BehaviorOnLimit::EvictAll) => 2,
        _ => 0,
    }
}

fn cas_outcome(columns: Columns<'_>) -> Result<CasOutcome, Failure> {
    Ok(match columns.get::<i16>("o_outcome")? {
        0 => CasOutcome::Stored,
        1 => CasOutcome::Conflict(columns.stored("o_record", "o_seen")?),
        _ => CasOutcome::Gone(columns.reason("o_ended")?),
    })
}

fn admitted(columns: Columns<'_>) -> Result<Admitted, Failure> {
    Ok(match columns.get::<i16>("o_outcome")? {
        0 => Admitted::Stored { evicted: columns.ids("o_evicted")? },
        1 => {
            let live = columns.get::<i64>("o_live")?;
            Admitted::LimitReached { live: u32::try_from(live).unwrap_or(u32::MAX) }
        }
        2 => Admitted::Revoked,
        _ => Admitted::Exists,
    })
}

/// Exact counts of a small store; of a large one, the server's estimate of its rows, and as many principals in proportion
/// as among those that were counted.
fn stats(columns: Columns<'_>) -> Result<StoreStats, Failure> {
    let of = |column| Ok(u64::try_from(columns.get::<i64>(column)?).unwrap_or(0));
    let (sessions, principals, rows) = (of("sessions")?, of("principals")?, of("rows")?);
    if sessions < COUNTED.unsigned_abs() {
        return Ok(StoreStats { sessions, principals, ..StoreStats::default() });
    }
    let estimated = rows.max(sessions);
    let principals = u128::from(principals) * u128::from(estimated) / u128::from(sessions);
    let principals = u64::try_from(principals).unwrap_or(u64::MAX);
    Ok(StoreStats { sessions: estimated, principals, ..StoreStats::default() })
}
