//! One connection that many operations share: they are sent without waiting for each other, and answered in order.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use tokio_postgres::{
    Client, Error, Row, Statement,
    types::{ToSql, Type},
};

use super::{
    clock::{Micros, ServerClock},
    statement::{Call, PROBE},
    value::{Showed, Value},
};
use crate::{soon::all, store::Millis};

/// A connection that is ready.
#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    /// The first of [`Call::ALL`]; none where a pooler is between, which may hand the next statement to another server
    /// process.
    prepared: Vec<Statement>,
    clock: Mutex<ServerClock>,
    waiting: AtomicUsize,
    /// How often someone has stopped waiting before an answer came, and up to which of them all is well again.
    abandoned: AtomicU64,
    cleared: AtomicU64,
    condemned: AtomicBool,
    nudge: Notify,
}

impl Link {
    /// Makes a connection ready.
    pub(super) async fn ready(client: Client, named: &[Call]) -> Result<Self, Error> {
        // All at once: one trip, where a server that has just come back is slow and everyone waits for a connection.
        let prepared = all(named.iter().map(|call| client.prepare(call.sql()))).await;
        let prepared = prepared.into_iter().collect::<Result<_, _>>()?;
        let link = Self {
            client,
            prepared,
            clock: Mutex::new(ServerClock::new(Instant::now())),
            waiting: AtomicUsize::new(0),
            abandoned: AtomicU64::new(0),
            cleared: AtomicU64::new(0),
            condemned: AtomicBool::new(false),
            nudge: Notify::new(),
        };
        link.probe().await?;
        Ok(link)
    }

    /// Asks for one thing and reads the answer to its end: what is told before a commit is not yet true.
    pub(super) async fn ask(&self, call: Call, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        let flight = Flight::of(self);
        let sent = Instant::now();
        let rows = if let Some(statement) = self.prepared.get(call as usize) {
            let values: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            self.client.query(statement, &values).await
        } else {
            let values: Vec<(&(dyn ToSql + Sync), Type)> =
                values.iter().map(|value| (value as &(dyn ToSql + Sync), value.kind())).collect();
            self.client.query_typed(call.sql(), &values).await
        };
        flight.land();
        let rows = rows?;
        if call.tells_time()
            && let Some(Showed(showed)) = rows.first().and_then(|row| row.try_get("o_at").ok())
        {
            self.note(sent, showed);
        }
        Ok(rows)
    }

    /// Whether it still answers, and the server can be written.
    pub(super) async fn probe(&self) -> Result<bool, Error> {
        let abandoned = self.abandoned.load(SeqCst);
        let sent = Instant::now();
        let rows = self.client.query_typed(PROBE, &[]).await?;
        if let Some(Showed(showed)) = rows.first().and_then(|row| row.try_get(0).ok()) {
            self.note(sent, showed);
        }
        // Whatever was sent before has been answered.
        self.cleared.fetch_max(abandoned, SeqCst);
        Ok(rows.first().and_then(|row| row.try_get(1).ok()) != Some("on"))
    }

    fn note(&self, sent: Instant, showed: Micros) {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).note(sent, Instant::now(), showed);
    }

    /// The last instant of the server's clock for what has so long left since a call.
    pub(super) fn until(&self, called: Instant, left: Millis) -> Micros {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).until(called, left)
    }

    /// What speaks against it, least first: an answer that never came, then how many wait for theirs. `None` if it is of no
    /// use any more.
    pub(super) fn burden(&self) -> Option<(bool, usize)> {
        if self.client.is_closed() || self.condemned.load(SeqCst) {
            return None;
        }
        let is_doubtful = self.abandoned.load(SeqCst) > self.cleared.load(SeqCst);
        Some((is_doubtful, self.waiting.load(SeqCst)))
    }

    /// Takes nothing new from now on; what waits is still answered.
    pub(super) fn condemn(&self) {
        self.condemned.store(true, SeqCst);
        self.nudge.notify_one();
    }

    pub(super) fn is_condemned(&self) -> bool {
        self.condemned.load(SeqCst)
    }

    /// Waits until it should be probed: soon after an answer did not come, else after a while.
    pub(super) async fn rest(&self, while_idle: Duration) {
        let _ = tokio::time::timeout(while_idle, self.nudge.notified()).await;
    }

    /// Waits until nothing waits for an answer.
    pub(super) async fn drained(&self) {
        while self.waiting.load(SeqCst) > 0 && !self.client.is_closed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// An operation that waits for its answer. One that is dropped before has left the answer to come: the next ones wait
/// behind it, if it comes at all.
struct Flight<'a> {
    link: &'a Link,
    has_landed: bool,
}

impl<'a> Flight<'a> {
    fn of(link: &'a Link) -> Self {
        link.waiting.fetch_add(1, SeqCst);
        Self { link, has_landed: false }
    }

    fn land(mut self) {
        self.has_landed = true;
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if !self.has_landed {
            self.link.abandoned.fetch_add(1, SeqCst);
            self.link.nudge.notify_one();
        }
        self.link.waiting.fetch_sub(1, SeqCst);
    }
}
