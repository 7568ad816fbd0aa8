//! The store in PostgreSQL: durable, and shared by machines. This file is the contract's side of it; `operation` is what
//! each call of it asks for, `statement` the words, `value` what goes in and comes out; `links` keep connections open,
//! `link` is one of them, `dial` how it is made, `listener` what is heard of other processes, `clock` what it tells of the
//! server's time; `schema` is what is stored, `outbox` events for consumers, and
//! `failure` what is told when it fails.
//!
//! Every operation is one statement, so that no transaction has to hold a connection, and a dropped future leaves none
//! half done. Where a condition has to hold after a wait for a lock, the statement is a function of the schema.

mod clock;
mod dial;
mod failure;
mod link;
mod links;
mod listener;
mod operation;
mod outbox;
mod schema;
mod statement;
mod value;

use std::{fmt, sync::Arc, time::Duration};

use sessions_policy::ClientCertificate;
pub use sessions_policy::{Pooler, PostgresAddress};

use self::{dial::Dial, failure::Failure, links::Links, outbox::Events, schema::Found};
use super::{
    Admit, Admitted, Bookmark, Cas, CasOutcome, End, Ended, Endings, Listed, Loaded, Millis, Owner, Scan,
    SessionId, SessionStore, SharedStore, StoreError, StoreStats, Touch, Touched,
};
use crate::outbox::Outbox;

/// Rows that a sweep looks at in one transaction: others wait for it.
const LOOKS: usize = 256;

/// Keeps sessions in a database of PostgreSQL 12 or later, in the schema `sessions`. Clones share its connections.
///
/// What was acknowledged has been committed, with the durability that the server is set up for; only that a session was
/// *seen* does not wait for the disk. Versions, limits and revocations hold among all processes that use the database.
///
/// Four connections are shared by everything, and nothing waits for one to be free. They belong to the runtime on which the
/// store was opened. One that is lost is made anew; while there is none, an operation is
/// [unavailable](StoreError::Unavailable).
///
/// After it has expired, a session answers [`Loaded::Ended`] with [`EndReason::Expired`](super::EndReason::Expired) for
/// [`TOMBSTONE_MS`](super::TOMBSTONE_MS), then [`Loaded::Absent`]. The rows of sessions that no one asks for any more go
/// with [`sweep`](SessionStore::sweep). [`stats`](SessionStore::stats) is exact for fewer than 10,000 sessions, and the
/// server's estimate beyond.
///
/// # Example
/// ```no_run
/// use sessions::store::{PostgresStore, SessionStore};
///
/// # async fn example() -> Result<(), sessions::store::StoreError> {
/// let store = PostgresStore::open("postgres://shop@db.example.com/shop").await?;
/// assert_eq!(store.stats().await?.sessions, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    links: Arc<Links>,
    /// For how long events are kept for consumers, if they are.
    outbox: Option<Duration>,
}

/// Chooses how a [`PostgresStore`] is opened.
#[derive(Clone, Debug)]
#[must_use = "a store is opened by `open`"]
pub struct PostgresStoreBuilder {
    address: PostgresAddress,
    certificate: Option<ClientCertificate>,
    pooler: Pooler,
    timeout: Duration,
    outbox: Option<Duration>,
}

impl PostgresStoreBuilder {
    /// What is between this process and the server.
    pub fn pooler(mut self, pooler: Pooler) -> Self {
        self.pooler = pooler;
        self
    }

    /// By what connections prove who they are, over TLS, where the server wants a certificate. The files are read when the
    /// store is opened.
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// How long an operation may take, at least 10 ms; by default [`SharedStore::DEFAULT_LIMIT`]. Statements that wait
    /// for a lock or run for three quarters of it are given up.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(10));
        self
    }

    /// For how long events are kept for consumers; none are if nothing is said. See [`Outbox`].
    pub fn outbox(mut self, kept: impl Into<Option<Duration>>) -> Self {
        self.outbox = kept.into();
        self
    }

    /// Opens the store, and brings its schema up to date.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    ///
    /// # Cancel safety
    /// As [`PostgresStore::open`].
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        self.try_open().await.map_err(Failure::unavailable)
    }

    async fn try_open(self) -> Result<PostgresStore, Failure> {
        let dial = Dial::new(&self.address, self.certificate.as_ref(), self.pooler, self.timeout)?
            .with_outbox(self.outbox.is_some());
        migrate(&dial).await?;
        let links = Links::start(dial);
        links.connected().await?;
        Ok(PostgresStore { links: Arc::new(links), outbox: self.outbox })
    }
}

impl PostgresStore {
    /// Opens the store in a database, as [`builder`](Self::builder) without other choices does. Makes the schema `sessions` if it is not
    /// there and brings it up to date; nodes that start at once wait for each other.
    ///
    /// `url` is `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. To another machine, the connection is over TLS, and the
    /// server's certificate and name are checked: against the authorities of the system, or those of the file that the
    /// parameter `sslrootcert` names. `sslmode=disable` turns that off.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], whose source tells the server and what to do, if
    /// - the address can't be read;
    /// - the server can't be reached, or refuses the user, the database or the connection;
    /// - it is a standby, or older than version 12;
    /// - the user may not make the schema, or use it;
    /// - the certificate of the client or its key can't be read;
    /// - a newer version of this library has migrated it, with which this one can't work.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// A migration is done or not begun.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let address = PostgresAddress::parse(url)
            .map_err(|problem| Failure::address(&problem.to_string()).unavailable())?;
        Self::builder(address).open().await
    }

    /// Opens it with more choices.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use sessions::store::{Pooler, PostgresAddress, PostgresStore};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let address = PostgresAddress::parse("postgres://shop@pooler.example.com:6432/shop")?;
    /// let builder = PostgresStore::builder(address).pooler(Pooler::Transaction).timeout(Duration::from_secs(1));
    /// let store = builder.open().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(address: PostgresAddress) -> PostgresStoreBuilder {
        let (pooler, timeout) = (Pooler::default(), SharedStore::DEFAULT_LIMIT);
        PostgresStoreBuilder { address, certificate: None, pooler, timeout, outbox: None }
    }
}

/// Brings the schema up to date, on a connection of its own.
async fn migrate(dial: &Dial) -> Result<(), Failure> {
    let (client, driver) = dial.plain().await?;
    let from = schema::migrate(&client, dial.server()).await;
    drop(client);
    // It says goodbye, unless the server does not listen any more.
    let _ = tokio::time::timeout(dial.limit(), driver).await;
    if from? == Found::Nothing {
        tracing::info!(server = %dial.server(), "the schema `sessions` was made");
    }
    Ok(())
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("server", &self.links).finish_non_exhaustive()
    }
}

impl SessionStore for PostgresStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.links.load(id, now).await.map_err(Failure::unavailable)
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.links.cas(&write, None).await.map_err(Failure::of_write)
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.links.touch(touch).await.map_err(Failure::of_write)
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.links.admit(&admit, None).await.map_err(Failure::of_write)
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.links.end(end, None).await.map_err(Failure::of_write)
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.links.list(owner, after, limit, now).await.map_err(Failure::unavailable)
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        let mut freed = 0;
        while freed < limit {
            let swept = self.links.sweep(now, LOOKS.min(limit - freed)).await;
            let (more, is_done) = swept.map_err(Failure::of_write)?;
            freed += more;
            if is_done {
                break;
            }
        }
        while let Some(kept) = self.outbox.filter(|_| freed < limit) {
            let looks = LOOKS.min(limit - freed);
            let more = self.links.trim(kept, looks).await.map_err(Failure::of_write)?;
            freed += more;
            if more < looks {
                break;
            }
        }
        Ok(freed)
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.links.stats().await.map_err(Failure::unavailable)
    }

    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        let after = from.map(Bookmark::as_bytes).unwrap_or_default();
        let sessions = self.links.scan(after, limit, now).await.map_err(Failure::unavailable)?;
        let is_last = sessions.len() < limit.max(1);
        let next = sessions.last().filter(|_| !is_last).map(|last| Bookmark::new(value::key(last.id)));
        Ok(Scan { sessions, next })
    }

    fn remembers_owners(&self) -> bool {
        true
    }

    /// True if this is called on a tokio runtime, and no pooler gives each statement to another server process: there `LISTEN`
    /// hears nothing. A connection of its own then hears of endings, and is asked twice a second whether it does.
    fn tell_endings(&self, to: Endings) -> bool {
        self.links.tell_endings(to)
    }

    fn outbox(&self) -> Option<Outbox> {
        self.outbox.map(|_| Outbox::new(Events(Arc::clone(&self.links))))
    }

    /// Answers everything that waits and closes the connections. From the call on, every other operation is
    /// [`StoreError::Unavailable`].
    async fn shutdown(&self) -> Result<(), StoreError> {
        self.links.shutdown().await;
        Ok(())
    }
}
