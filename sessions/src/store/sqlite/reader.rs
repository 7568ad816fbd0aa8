//! The threads that read, each with a connection of its own: never behind the writer.

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::{
    failure::Failure,
    open::File,
    queue::{Answer, Queue},
    rows::{State, find, id_of, key, number, stored},
};
use crate::store::{
    EndReason, Listed, Loaded, Millis, Owner, Scanned, SessionId, StoreError, StoreStats, TOMBSTONE_MS,
};

/// An operation that reads, in one statement: a snapshot of what is committed.
pub(super) trait Read: Send + 'static {
    type Answer: Send + 'static;

    fn read(&self, connection: &Connection) -> rusqlite::Result<Self::Answer>;
}

/// An operation in the queue, of whatever kind.
pub(super) trait Queued: Send {
    fn read(self: Box<Self>, connection: &Connection, file: &File);
}

struct Pending<R: Read> {
    operation: R,
    caller: oneshot::Sender<Result<R::Answer, StoreError>>,
}

/// Puts an operation into a form that can wait, and gives where its answer comes.
pub(super) fn pending<R: Read>(operation: R) -> (Box<dyn Queued>, Answer<R::Answer>) {
    let (caller, answer) = oneshot::channel();
    (Box::new(Pending { operation, caller }), answer)
}

impl<R: Read> Queued for Pending<R> {
    fn read(self: Box<Self>, connection: &Connection, file: &File) {
        if self.caller.is_closed() {
            return;
        }
        let answer = self.operation.read(connection).map_err(|error| Failure::of(error, file.path()));
        // Looked at last: the file was still there when it was read.
        let answer = answer.and_then(|answer| file.check().map(|()| answer));
        let _ = self.caller.send(answer.map_err(Failure::unavailable));
    }
}

/// Reads until the queue is closed and empty.
pub(super) fn run(connection: &Connection, file: &File, queue: &Queue<Box<dyn Queued>>) {
    while let Some(operation) = queue.pop() {
        operation.read(connection, file);
    }
}

/// Reads one session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) id: SessionId,
    pub(super) now: Millis,
}

/// What a reader found under an id.
#[derive(Debug)]
pub(super) enum Seen {
    /// This is known.
    Known(Loaded),
    /// The session has expired, and no one has noted it. So it is judged.
    Expired(Loaded),
}

impl Read for Load {
    type Answer = Seen;

    fn read(&self, connection: &Connection) -> rusqlite::Result<Seen> {
        let Some(found) = find(connection, self.id)? else { return Ok(Seen::Known(Loaded::Absent)) };
        let over = found.is_over(self.now);
        Ok(match found.state {
            State::Live(_) if over => {
                let remembered = found.expires.saturating_add(number(TOMBSTONE_MS)) > number(self.now);
                let ended = Loaded::Ended(EndReason::Expired);
                Seen::Expired(if remembered { ended } else { Loaded::Absent })
            }
            State::Live(stored) => Seen::Known(Loaded::Live(stored)),
            State::Ended(_) if over => Seen::Known(Loaded::Absent),
            State::Ended(reason) => Seen::Known(Loaded::Ended(reason)),
        })
    }
}

/// Reads several sessions in one turn of a reader.
#[derive(Clone, Debug)]
pub(super) struct LoadMany {
    pub(super) ids: Vec<SessionId>,
    pub(super) now: Millis,
}

impl Read for LoadMany {
    type Answer = Vec<Seen>;

    fn read(&self, connection: &Connection) -> rusqlite::Result<Vec<Seen>> {
        self.ids.iter().map(|id| Load { id: *id, now: self.now }.read(connection)).collect()
    }
}

/// Reads a page of an owner's sessions.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) owner: Owner,
    pub(super) after: Option<SessionId>,
    pub(super) limit: usize,
    pub(super) now: Millis,
}

/// A page, and the sessions met on the way that have expired without anyone having noted it.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) listed: Vec<Listed>,
    pub(super) expired: Vec<SessionId>,
}

/// A tombstone keeps its place in the order, so that a page can begin after it. An id of no one begins anew.
pub(super) const PAGE: &str = "SELECT id, record, last_seen, expires FROM session \
     WHERE owner = ?1 AND ended IS NULL \
     AND seq > coalesce((SELECT seq FROM session WHERE id = ?2 AND owner = ?1), -1) ORDER BY seq";

impl Read for List {
    type Answer = Page;

    fn read(&self, connection: &Connection) -> rusqlite::Result<Page> {
        let mut statement = connection.prepare_cached(PAGE)?;
        let mut rows = statement.query(params![self.owner.as_bytes(), self.after.map(key)])?;
        let mut page = Page::default();
        while page.listed.len() < self.limit
            && let Some(row) = rows.next()?
        {
            let id = id_of(row.get_ref(0)?.as_blob()?)?;
            if row.get::<_, i64>(3)? > number(self.now) {
                let expires = row.get::<_, i64>(3)?.try_into().unwrap_or(0);
                page.listed.push(Listed { id, stored: stored(row, 1, 2)?, expires });
            } else {
                page.expired.push(id);
            }
        }
        Ok(page)
    }
}

/// Reads a page of all sessions, in the order in which they were stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanAll {
    pub(super) after: i64,
    pub(super) limit: usize,
    pub(super) now: Millis,
}

impl Read for ScanAll {
    type Answer = (Vec<Scanned>, Option<i64>);

    fn read(&self, connection: &Connection) -> rusqlite::Result<Self::Answer> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, id, owner, record, last_seen, expires FROM session \
             WHERE seq > ?1 AND ended IS NULL AND expires > ?2 ORDER BY seq LIMIT ?3",
        )?;
        let limit = number(self.limit.max(1) as u64);
        let mut rows = statement.query(params![self.after, number(self.now), limit])?;
        let (mut sessions, mut last) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            last = Some(row.get(0)?);
            sessions.push(Scanned {
                id: id_of(row.get_ref(1)?.as_blob()?)?,
                owner: row.get::<_, Option<[u8; 32]>>(2)?.map(Owner::from_digest),
                stored: stored(row, 3, 4)?,
                expires: row.get::<_, i64>(5)?.try_into().unwrap_or(0),
            });
        }
        let is_full = sessions.len() >= self.limit.max(1);
        Ok((sessions, last.filter(|_| is_full)))
    }
}

/// Reads the census.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stats;

impl Read for Stats {
    type Answer = StoreStats;

    fn read(&self, connection: &Connection) -> rusqlite::Result<StoreStats> {
        let mut statement = connection.prepare_cached("SELECT sessions, principals FROM census")?;
        statement.query_one([], |row| {
            let count = |index| row.get::<_, i64>(index).map(|count| count.try_into().unwrap_or(0));
            Ok(StoreStats { sessions: count(0)?, principals: count(1)?, evicted_for_space: 0 })
        })
    }
}
