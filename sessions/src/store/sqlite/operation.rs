//! What the writer is asked for: each operation of the contract as steps on the rows of a transaction. How operations
//! come together in one, and when they are answered, is the writer's.

use std::time::Instant;

use rusqlite::{OptionalExtension, params};

use super::rows::{Known, Rows, forgotten, id_of, key, last_seen, number, version};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Ended, Expected, Loaded,
    Millis, Owner, SessionId, Touch, Touched, Version,
};

/// An operation that writes. It can be applied again after a transaction was rolled back.
pub(super) trait Write: Send + 'static {
    type Answer: Send + 'static;

    /// Applies it. `called` is the instant of the call, for what must not be applied too late.
    fn apply(&self, rows: &Rows<'_>, called: Instant) -> rusqlite::Result<Self::Answer>;
}

/// Whether a deadline has passed: at the call, or while the operation waited.
fn is_late(deadline: Millis, now: Millis, called: Instant) -> bool {
    let waited = Millis::try_from(called.elapsed().as_millis()).unwrap_or(Millis::MAX);
    deadline < now.saturating_add(waited)
}

impl Write for Cas {
    type Answer = CasOutcome;

    fn apply(&self, rows: &Rows<'_>, called: Instant) -> rusqlite::Result<CasOutcome> {
        if is_late(self.deadline, self.now, called) {
            return Ok(CasOutcome::Late);
        }
        if let Expected::Version(expected) = self.expected
            && replace(rows, self, expected)?
        {
            return Ok(CasOutcome::Stored);
        }
        Ok(match (rows.look(self.id, self.now)?, self.expected) {
            (Known::Live(_, stored), Expected::Version(expected)) if stored.version() == expected => {
                shorten(rows, self)?;
                CasOutcome::Stored
            }
            (Known::Live(_, stored), _) => CasOutcome::Conflict(stored),
            (Known::Ended(reason), _) => CasOutcome::Gone(Some(reason)),
            (Known::Absent, Expected::Version(_)) => CasOutcome::Gone(None),
            (Known::Absent, Expected::Absent) => {
                rows.insert(self.id, self.owner, &self.record, self.expires)?;
                CasOutcome::Stored
            }
        })
    }
}

/// Replaces a live record of this version, unless it would have to be swept sooner than it is: whether it did.
fn replace(rows: &Rows<'_>, cas: &Cas, expected: Version) -> rusqlite::Result<bool> {
    let replaced = rows.run(
        "UPDATE session SET version = ?3, record = ?4, last_seen = max(last_seen, ?5), \
         expires = CASE WHEN last_seen > ?5 THEN max(expires, ?6) ELSE ?6 END \
         WHERE id = ?1 AND version = ?2 AND ended IS NULL AND expires > ?7 AND due <= ?6",
        params![
            key(cas.id),
            version(expected),
            version(Version::of_record(&cas.record)),
            cas.record,
            last_seen(&cas.record),
            number(cas.expires),
            number(cas.now),
        ],
    )?;
    Ok(replaced > 0)
}

/// Replaces a live record by one that expires before the sweep would look at it.
fn shorten(rows: &Rows<'_>, cas: &Cas) -> rusqlite::Result<()> {
    rows.run(
        "UPDATE session SET version = ?2, record = ?3, last_seen = max(last_seen, ?4), \
         expires = CASE WHEN last_seen > ?4 THEN max(expires, ?5) ELSE ?5 END, due = ?5 \
         WHERE id = ?1",
        params![
            key(cas.id),
            version(Version::of_record(&cas.record)),
            cas.record,
            last_seen(&cas.record),
            number(cas.expires),
        ],
    )?;
    Ok(())
}

impl Write for Touch {
    type Answer = Touched;

    fn apply(&self, rows: &Rows<'_>, _: Instant) -> rusqlite::Result<Touched> {
        let (seen, expires) = (number(self.seen), number(self.expires));
        let touched = rows.run(
            "UPDATE session SET last_seen = max(last_seen, ?2), expires = max(expires, ?3) \
             WHERE id = ?1 AND ended IS NULL AND expires > ?2",
            params![key(self.id), seen, expires],
        )?;
        if touched > 0 {
            return Ok(Touched::Noted);
        }
        // What was judged to be dead becomes a tombstone, so that no clock that is behind finds it alive.
        rows.look(self.id, self.seen)?;
        Ok(Touched::Gone)
    }
}

impl Write for Admit {
    type Answer = Admitted;

    fn apply(&self, rows: &Rows<'_>, called: Instant) -> rusqlite::Result<Admitted> {
        if is_late(self.deadline, self.now, called) {
            return Ok(Admitted::Late);
        }
        if !matches!(rows.look(self.id, self.now)?, Known::Absent) {
            return Ok(Admitted::Exists);
        }
        if is_revoked(rows, self)? {
            return Ok(Admitted::Revoked);
        }
        let replaced = replaced(rows, self)?;
        let evicted = match victims(rows, self, replaced)? {
            Ok(evicted) => evicted,
            Err(live) => return Ok(Admitted::LimitReached { live }),
        };
        if let Some(id) = replaced {
            end(rows, id, EndReason::Superseded, self.now)?;
        }
        for id in &evicted {
            end(rows, *id, EndReason::Evicted, self.now)?;
        }
        rows.insert(self.id, Some(self.owner), &self.record, self.expires)?;
        Ok(Admitted::Stored { evicted })
    }
}

fn is_revoked(rows: &Rows<'_>, admit: &Admit) -> rusqlite::Result<bool> {
    let stamp: Option<i64> = rows
        .connection()
        .prepare_cached("SELECT stamp FROM revocation WHERE owner = ?1")?
        .query_row([admit.owner.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(stamp.is_some_and(|stamp| number(admit.began) < stamp))
}

/// The session that a login replaces, if it is live and of the owner that logs in or of no one.
fn replaced(rows: &Rows<'_>, admit: &Admit) -> rusqlite::Result<Option<SessionId>> {
    let Some(id) = admit.replaces else { return Ok(None) };
    let Known::Live(found, _) = rows.look(id, admit.now)? else { return Ok(None) };
    Ok(found.owner.is_none_or(|owner| owner == *admit.owner.as_bytes()).then_some(id))
}

/// Which sessions have to go for a new one, or how many live ones there are if it is refused.
fn victims(
    rows: &Rows<'_>,
    admit: &Admit,
    replaced: Option<SessionId>,
) -> rusqlite::Result<Result<Vec<SessionId>, u32>> {
    let Some(limit) = admit.limit else { return Ok(Ok(Vec::new())) };
    let others = limit.max.saturating_sub(1) as usize;
    let mut live = live_of(rows, admit.owner, admit.now)?;
    live.retain(|id| Some(*id) != replaced);
    let over = live.len().saturating_sub(others);
    Ok(match limit.behavior {
        _ if over == 0 => Ok(Vec::new()),
        BehaviorOnLimit::EvictOldest => {
            live.truncate(over);
            Ok(live)
        }
        BehaviorOnLimit::EvictAll => Ok(live),
        _ => Err(u32::try_from(live.len()).unwrap_or(u32::MAX)),
    })
}

/// The live sessions of an owner, oldest login first. The expired ones become tombstones.
fn live_of(rows: &Rows<'_>, owner: Owner, now: Millis) -> rusqlite::Result<Vec<SessionId>> {
    let mut statement = rows.connection().prepare_cached(
        "SELECT id, expires, seq FROM session WHERE owner = ?1 AND ended IS NULL ORDER BY seq",
    )?;
    let (mut live, mut dead) = (Vec::new(), Vec::new());
    let mut found = statement.query([owner.as_bytes()])?;
    while let Some(row) = found.next()? {
        let until: i64 = row.get(1)?;
        if until > number(now) {
            live.push(id_of(row.get_ref(0)?.as_blob()?)?);
        } else {
            dead.push((row.get::<_, i64>(2)?, until));
        }
    }
    for (seq, until) in dead {
        rows.lapse_row(seq, Some(*owner.as_bytes()), (true, until), now)?;
    }
    Ok(live)
}

/// Ends a session: whether it was live.
fn end(rows: &Rows<'_>, id: SessionId, reason: EndReason, now: Millis) -> rusqlite::Result<bool> {
    let Known::Live(found, _) = rows.look(id, now)? else { return Ok(false) };
    rows.entomb(found.seq, found.owner, (reason, forgotten(now)), now)?;
    Ok(true)
}

impl Write for End {
    type Answer = Ended;

    fn apply(&self, rows: &Rows<'_>, _: Instant) -> rusqlite::Result<Ended> {
        let mut ids = Vec::new();
        match self.target {
            EndTarget::Session { id, .. } => {
                if end(rows, id, self.reason, self.now)? {
                    ids.push(id);
                }
            }
            EndTarget::Owner { owner, except } => {
                rows.revoke(owner, self.stamp, self.now)?;
                for id in live_of(rows, owner, self.now)? {
                    if Some(id) != except && end(rows, id, self.reason, self.now)? {
                        ids.push(id);
                    }
                }
            }
        }
        Ok(Ended { ids })
    }
}

/// Judges a session that a reader found expired, so that it is dead to every clock from then on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lapse {
    pub(super) id: SessionId,
    pub(super) now: Millis,
}

impl Write for Lapse {
    type Answer = Loaded;

    fn apply(&self, rows: &Rows<'_>, _: Instant) -> rusqlite::Result<Loaded> {
        rows.look(self.id, self.now).map(Loaded::from)
    }
}

/// Frees what is due, looking at no more than so many rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    pub(super) now: Millis,
    pub(super) looks: usize,
}

/// What a [`Sweep`] has done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swept {
    /// Records and tombstones that were freed.
    pub(super) freed: usize,
    /// Whether it looked at everything that was due.
    pub(super) done: bool,
}

impl Write for Sweep {
    type Answer = Swept;

    fn apply(&self, rows: &Rows<'_>, _: Instant) -> rusqlite::Result<Swept> {
        let due = due(rows, self)?;
        let mut freed = 0;
        for row in &due {
            if row.expires > number(self.now) {
                // It was touched since.
                rows.run("UPDATE session SET due = expires WHERE seq = ?1", [row.seq])?;
            } else {
                rows.lapse_row(row.seq, row.owner, (row.is_session, row.expires), self.now)?;
                freed += 1;
            }
        }
        let forgotten = rows.run(
            "DELETE FROM revocation WHERE rowid IN \
             (SELECT rowid FROM revocation WHERE due <= ?1 ORDER BY due LIMIT ?2)",
            params![number(self.now), number((self.looks - due.len().min(self.looks)) as u64)],
        )?;
        Ok(Swept { freed, done: due.len() + forgotten < self.looks })
    }
}

struct Due {
    seq: i64,
    owner: Option<[u8; 32]>,
    expires: i64,
    is_session: bool,
}

fn due(rows: &Rows<'_>, sweep: &Sweep) -> rusqlite::Result<Vec<Due>> {
    let mut statement = rows.connection().prepare_cached(
        "SELECT seq, owner, expires, ended IS NULL FROM session WHERE due <= ?1 ORDER BY due LIMIT ?2",
    )?;
    let due = statement.query_map(params![number(sweep.now), number(sweep.looks as u64)], |row| {
        Ok(Due { seq: row.get(0)?, owner: row.get(1)?, expires: row.get(2)?, is_session: row.get(3)? })
    })?;
    due.collect()
}
