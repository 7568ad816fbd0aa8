//! The rows of a transaction or of a reader: what is stored under an id, and the changes that keep the census right.

use std::{cell::Cell, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Row, params, types::FromSqlError};

use crate::store::{self, EndReason, Loaded, Millis, Owner, SessionId, Stamp, Stored, TOMBSTONE_MS, Version};

/// An id as a key: 2 bytes of bucket, 16 of sid.
pub(super) fn key(id: SessionId) -> [u8; 18] {
    let mut key = [0; 18];
    key[..2].copy_from_slice(&id.bucket().to_be_bytes());
    key[2..].copy_from_slice(id.sid());
    key
}

/// The id of a key that was read.
pub(super) fn id_of(key: &[u8]) -> rusqlite::Result<SessionId> {
    match key {
        [high, low, sid @ ..] => match sid.try_into() {
            Ok(sid) => Ok(SessionId::new(u16::from_be_bytes([*high, *low]), sid)),
            Err(_) => Err(damaged("id")),
        },
        _ => Err(damaged("id")),
    }
}

/// A number of milliseconds, or a stamp: what is beyond the range is never, or last.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// When what ended at an instant is forgotten.
pub(super) fn forgotten(ended: Millis) -> i64 {
    number(ended.saturating_add(TOMBSTONE_MS))
}

/// What is never due.
const NEVER: i64 = i64::MAX;

pub(super) fn version(version: Version) -> i64 {
    version.as_u64().cast_signed()
}

/// The instant of last use that a record states.
pub(super) fn last_seen(record: &[u8]) -> i64 {
    number(store::last_seen(record))
}

/// A row that this library did not write.
fn damaged(column: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        0,
        rusqlite::types::Type::Null,
        Box::new(FromSqlError::Other(format!("the column `{column}` holds what it can't hold").into())),
    )
}

fn code(reason: EndReason) -> i64 {
    match reason {
        EndReason::LoggedOut => 1,
        EndReason::Revoked => 2,
        EndReason::Evicted => 3,
        EndReason::Expired => 4,
        EndReason::Superseded => 5,
        EndReason::Reuse => 6,
    }
}

fn reason(code: i64) -> rusqlite::Result<EndReason> {
    Ok(match code {
        1 => EndReason::LoggedOut,
        2 => EndReason::Revoked,
        3 => EndReason::Evicted,
        4 => EndReason::Expired,
        5 => EndReason::Superseded,
        6 => EndReason::Reuse,
        _ => return Err(damaged("ended")),
    })
}

/// A session or a tombstone as it is stored, not yet judged.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) seq: i64,
    pub(super) owner: Option<[u8; 32]>,
    pub(super) expires: i64,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Live(Stored),
    Ended(EndReason),
}

/// The columns that [`Found::read`] reads.
const FOUND: &str = "SELECT seq, owner, expires, ended, record, last_seen FROM session WHERE id = ?1";

impl Found {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let state = match row.get::<_, Option<i64>>(3)? {
            Some(code) => State::Ended(reason(code)?),
            None => State::Live(stored(row, 4, 5)?),
        };
        Ok(Self { seq: row.get(0)?, owner: row.get(1)?, expires: row.get(2)?, state })
    }

    pub(super) fn is_over(&self, now: Millis) -> bool {
        self.expires <= number(now)
    }
}

/// A record and when it was last seen, in these columns.
pub(super) fn stored(row: &Row<'_>, record: usize, last_seen: usize) -> rusqlite::Result<Stored> {
    let record: Arc<[u8]> = row.get_ref(record)?.as_blob()?.into();
    Ok(Stored { record, last_seen: row.get::<_, i64>(last_seen)?.try_into().unwrap_or(0) })
}

/// Reads what is stored under an id.
pub(super) fn find(connection: &Connection, id: SessionId) -> rusqlite::Result<Option<Found>> {
    connection.prepare_cached(FOUND)?.query_row([key(id)], Found::read).optional()
}

/// What is known under an id at an instant.
#[derive(Debug)]
pub(super) enum Known {
    Live(Found, Stored),
    Ended(EndReason),
    Absent,
}

impl From<Known> for Loaded {
    fn from(known: Known) -> Self {
        match known {
            Known::Live(_, stored) => Self::Live(stored),
            Known::Ended(reason) => Self::Ended(reason),
            Known::Absent => Self::Absent,
        }
    }
}

/// The rows of one transaction, and how many it has added.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    connection: &'a Connection,
    sessions: Cell<i64>,
    principals: Cell<i64>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, sessions: Cell::new(0), principals: Cell::new(0) }
    }

    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// Runs one statement and tells how many rows it has changed.
    pub(super) fn run(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }

    /// Notes in the census what has changed.
    pub(super) fn count(&self) -> rusqlite::Result<()> {
        let (sessions, principals) = (self.sessions.get(), self.principals.get());
        if (sessions, principals) != (0, 0) {
            self.run(
                "UPDATE census SET sessions = sessions + ?1, principals = principals + ?2",
                [sessions, principals],
            )?;
        }
        Ok(())
    }

    /// Judges what is stored under an id. An expired session becomes a tombstone, an expired tombstone is forgotten.
    pub(super) fn look(&self, id: SessionId, now: Millis) -> rusqlite::Result<Known> {
        let Some(found) = find(self.connection, id)? else { return Ok(Known::Absent) };
        if found.is_over(now) {
            return Ok(if self.lapse(&found, now)? {
                Known::Ended(EndReason::Expired)
            } else {
                Known::Absent
            });
        }
        Ok(match found.state {
            State::Live(ref stored) => {
                let stored = stored.clone();
                Known::Live(found, stored)
            }
            State::Ended(reason) => Known::Ended(reason),
        })
    }

    /// What has expired goes, and leaves a tombstone if it was a session until a short while ago: whether it did.
    pub(super) fn lapse(&self, found: &Found, now: Millis) -> rusqlite::Result<bool> {
        let is_session = matches!(found.state, State::Live(_));
        self.lapse_row(found.seq, found.owner, (is_session, found.expires), now)
    }

    /// The same for a row of which only this is known.
    pub(super) fn lapse_row(
        &self,
        seq: i64,
        owner: Option<[u8; 32]>,
        (is_session, expires): (bool, i64),
        now: Millis,
    ) -> rusqlite::Result<bool> {
        let until = expires.saturating_add(number(TOMBSTONE_MS));
        let entomb = is_session && until > number(now);
        if entomb {
            self.entomb(seq, owner, (EndReason::Expired, until), now)?;
        } else {
            self.run("DELETE FROM session WHERE seq = ?1", [seq])?;
            if is_session {
                self.left(owner, now)?;
            }
        }
        Ok(entomb)
    }

    /// Makes a tombstone of a session, for a reason and until an instant.
    pub(super) fn entomb(
        &self,
        seq: i64,
        owner: Option<[u8; 32]>,
        (reason, until): (EndReason, i64),
        now: Millis,
    ) -> rusqlite::Result<()> {
        self.run(
            "UPDATE session SET ended = ?2, record = NULL, expires = ?3, due = ?3 WHERE seq = ?1",
            params![seq, code(reason), until],
        )?;
        self.left(owner, now)
    }

    /// Counts a session less. A revocation of an owner without a session is forgotten after a while.
    fn left(&self, owner: Option<[u8; 32]>, now: Millis) -> rusqlite::Result<()> {
        self.sessions.set(self.sessions.get() - 1);
        if let Some(owner) = owner
            && !self.has_session(&owner)?
        {
            self.principals.set(self.principals.get() - 1);
            self.forget_revocation_at(&owner, forgotten(now))?;
        }
        Ok(())
    }

    fn forget_revocation_at(&self, owner: &[u8; 32], due: i64) -> rusqlite::Result<()> {
        self.run("UPDATE revocation SET due = ?2 WHERE owner = ?1", params![owner, due])?;
        Ok(())
    }

    /// Refuses every login of an owner that began before a stamp.
    pub(super) fn revoke(&self, owner: Owner, stamp: Stamp, now: Millis) -> rusqlite::Result<()> {
        let due = if self.has_session(owner.as_bytes())? { NEVER } else { forgotten(now) };
        self.run(
            "INSERT INTO revocation (owner, stamp, due) VALUES (?1, ?2, ?3) \
             ON CONFLICT (owner) DO UPDATE SET stamp = max(stamp, excluded.stamp), due = max(due, excluded.due)",
            params![owner.as_bytes(), number(stamp), due],
        )?;
        Ok(())
    }

    fn has_session(&self, owner: &[u8; 32]) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM session WHERE owner = ?1 AND ended IS NULL LIMIT 1")?
            .exists([owner])
    }

    /// Stores a session under an id that has no row.
    pub(super) fn insert(
        &self,
        id: SessionId,
        owner: Option<Owner>,
        record: &[u8],
        expires: Millis,
    ) -> rusqlite::Result<()> {
        if let Some(owner) = owner
            && !self.has_session(owner.as_bytes())?
        {
            self.principals.set(self.principals.get() + 1);
            self.forget_revocation_at(owner.as_bytes(), NEVER)?;
        }
        let owner = owner.map(|owner| *owner.as_bytes());
        self.run(
            "INSERT INTO session (id, owner, version, last_seen, expires, due, record) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
            params![
                key(id),
                owner,
                version(Version::of_record(record)),
                last_seen(record),
                number(expires),
                record
            ],
        )?;
        self.sessions.set(self.sessions.get() + 1);
        Ok(())
    }
}
