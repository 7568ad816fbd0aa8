//! The store on a Redis or Valkey server: shared by any number of processes. This file is the contract's side of it;
//! `operation` and `owners` are what the server is asked, `scripts` the atomic steps that it takes, `keys` and `value` what it
//! stores, `servers` which server has what, `link` and `wire` the connections, `sentinel` and `switches` who knows the primary
//! and says when it is another, `listener` what is heard of other processes, `clock` what is known of the server's time,
//! `upkeep` sweeping and counting, `outbox` events for consumers, `scan` reading through, `check` what a server has to be, and `failure` what is told
//! when it fails.
//!
//! # Whose clock
//! The contract gives every call an instant, and a session lives until one: both are the callers', and every value holds
//! its own. The scripts compare the two, so expiry is exact to the millisecond however the server's clock goes. The time to
//! live of a key only frees memory. It is a length, not an instant: what is left of the session by the caller's clock, and a
//! minute more, so no clock that is less than a minute behind the last writer's finds a session gone before its end.
//!
//! A deadline is different: it is for a write that was delayed on its way, after its caller has given up. Only the server
//! knows when it runs it, so a deadline is translated to the server's clock, from the times in its answers (`clock`).
//!
//! # Twice and late
//! No write is sent a second time once it may have been applied: a lost answer is [`StoreError::Unknown`], and only what
//! a server has certainly refused is asked again, elsewhere or later. A write that comes late meets its deadline. If
//! something between repeats one, the second finds another version and conflicts, finds its id taken, or ends what has
//! ended. That is why records carry no list of the operations that they have seen.

mod check;
mod clock;
mod cluster;
mod counted;
mod failure;
mod keys;
mod link;
mod listener;
mod operation;
mod outbox;
mod owners;
mod scan;
mod scripts;
mod sentinel;
mod servers;
mod switches;
mod tls;
mod upkeep;
mod value;
mod wire;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sessions_policy::{ClientCertificate, Durability, RedisAddress, SentinelUser};
use tokio::time::Instant;

use self::{
    failure::Failure,
    keys::Keys,
    outbox::{Noted, Stream},
    servers::{Servers, Setup},
    upkeep::Upkeep,
    wire::Access,
};
use super::{
    Admit, Admitted, Bookmark, Cas, CasOutcome, End, Ended, Endings, Listed, Loaded, Millis, Owner, Scan,
    SessionId, SessionStore, StoreError, StoreStats, Touch, Touched, audience::Audience,
};
use crate::outbox::Outbox;

/// What keys begin with unless something else is asked for.
const PREFIX: &str = "sessions";
/// What an operation takes of its time at most, so that its own answer comes before its caller gives up.
const OWN_SHARE: f64 = 0.95;

/// Keeps sessions on a Redis or Valkey server of version 6.2 or later. Clones share its connections.
///
/// Any number of processes may share one: versions, limits and revocations hold among them, because every operation is one
/// atomic step of the server. It reads in one trip, writes in one, and logs in in one, or two if sessions have to go
/// for the new one. Who first finds a session expired takes another, to note it. There is one connection to each
/// server, made when it is needed and again when it is lost.
///
/// A server that replicates does so after it has answered. When it fails over, the last writes may be lost, a logout or
/// a revocation among them: `docs/REDIS.md` says how to make that rare, and which policies need another store.
///
/// Redis frees what has expired by itself, so nothing depends on [`sweep`](SessionStore::sweep), which looks at a
/// thousand keys at most. [`stats`](SessionStore::stats) looks at as many, counts a small store exactly, and estimates
/// a larger one from them.
///
/// # Example
/// ```no_run
/// use sessions::store::{RedisStore, SessionStore};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::open("redis://localhost").await?;
/// assert_eq!(store.stats().await?.sessions, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    address: RedisAddress,
    keys: Keys,
    /// How long an operation may take.
    patience: Duration,
    servers: Servers,
    upkeep: Upkeep,
    audience: Arc<Audience>,
    is_closed: AtomicBool,
    /// For how long events are kept for consumers, if they are.
    outbox: Option<Duration>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.servers.close();
    }
}

/// Chooses how a [`RedisStore`] is opened.
#[derive(Clone, Debug)]
#[must_use = "a store is opened by `open`"]
pub struct RedisStoreBuilder {
    address: RedisAddress,
    key_prefix: String,
    durability: Durability,
    sentinel_user: Option<SentinelUser>,
    certificate: Option<ClientCertificate>,
    timeout: Duration,
    outbox: Option<Duration>,
}

impl RedisStoreBuilder {
    /// What the store's keys begin with, `sessions` if nothing else is said. Two applications on one server need two.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// When a write counts: once the primary has it, unless something else is said. Under [`Durability::Replicated`] one
    /// that no replica has in time is [`StoreError::Unknown`]: it is on the primary, and a failover may undo it. Touches wait
    /// for no replica.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Who asks the Sentinels. Without it they are asked as no one, and, where they want a password, as the user of the
    /// address.
    pub fn sentinel_user(mut self, user: SentinelUser) -> Self {
        self.sentinel_user = Some(user);
        self
    }

    /// By what connections prove who they are, where TLS is asked for. The files are read when the store is opened.
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// How long one call may take, and one connection; 2 s if nothing else is said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For how long events are kept for consumers; none are if nothing is said. See [`Outbox`].
    pub fn outbox(mut self, kept: impl Into<Option<Duration>>) -> Self {
        self.outbox = kept.into();
        self
    }

    /// Connects to the server, and looks whether it can keep sessions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], whose source tells the address and what to do, if
    /// - the server can't be reached in time, or refuses the user or the password;
    /// - it is older than Redis 6.2;
    /// - the prefix has a brace or a control character in it, or is longer than 128 bytes;
    /// - TLS is asked for, and the system has no certificates to trust, or the certificate of the client or its key can't be
    ///   read.
    ///
    /// # Cancel safety
    /// A dropped future leaves nothing behind.
    pub async fn open(self) -> Result<RedisStore, StoreError> {
        RedisStore::connect(self).await.map_err(Failure::of_read)
    }
}

impl RedisStore {
    /// Opens the store on the server of this address, as `stores.NAME.url` has it.
    ///
    /// # Errors
    /// As [`RedisStoreBuilder::open`], and if the address is none.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let address =
            RedisAddress::parse(url).map_err(|error| StoreError::Unavailable(Some(error.into())))?;
        Self::builder(address).open().await
    }

    /// Opens it with more choices.
    ///
    /// ```
    /// use sessions::store::{RedisAddress, RedisStore};
    /// use std::time::Duration;
    ///
    /// let address = RedisAddress::parse("redis://sessions.internal")?;
    /// let builder = RedisStore::builder(address).key_prefix("shop").timeout(Duration::from_millis(500));
    /// # drop(builder);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(address: RedisAddress) -> RedisStoreBuilder {
        RedisStoreBuilder {
            address,
            key_prefix: PREFIX.to_owned(),
            durability: Durability::default(),
            sentinel_user: None,
            certificate: None,
            timeout: super::SharedStore::DEFAULT_LIMIT,
            outbox: None,
        }
    }

    async fn connect(builder: RedisStoreBuilder) -> Result<Self, Failure> {
        let RedisStoreBuilder {
            address,
            key_prefix,
            durability,
            sentinel_user,
            certificate,
            timeout,
            outbox,
        } = builder;
        check::prefix(&key_prefix)?;
        let access = Access {
            tls: if address.is_tls() { Some(tls::connector(certificate.as_ref())?) } else { None },
            username: address.username().map(str::to_owned),
            password: address.password().map(|password| password.to_owned().into()),
            database: address.database(),
        };
        let patience = timeout.mul_f64(OWN_SHARE);
        let until = Instant::now() + patience;
        let setup = Setup { address, access, sentinel_user, durability, patience };
        let servers = if setup.address.nodes().len() > 1 && setup.address.sentinel().is_none() {
            Servers::cluster(&setup)
        } else {
            let single = Servers::single(&setup);
            if check::is_cluster(&single, until).await? { Servers::cluster(&setup) } else { single }
        };
        check::servers(&servers, until).await?;
        let (keys, upkeep) = (Keys::new(&key_prefix), Upkeep::default());
        let is_closed = AtomicBool::new(false);
        let (address, audience) = (setup.address, Arc::default());
        let inner = Inner { address, keys, patience, servers, upkeep, audience, is_closed, outbox };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("address", &self.inner.address).finish_non_exhaustive()
    }
}

impl Inner {
    /// Until when an operation that begins now may take.
    fn until(&self) -> Result<Instant, Failure> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Failure::closed());
        }
        Ok(Instant::now() + self.patience)
    }
}

impl SessionStore for RedisStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.inner.load(id, now).await.map_err(Failure::of_read)
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.inner.cas(&write, Noted::nothing()).await.map_err(Failure::of_write)
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.inner.touch(touch).await.map_err(Failure::of_write)
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.inner.admit(&admit, Noted::nothing()).await.map_err(Failure::of_write)
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.inner.end(end, Noted::nothing()).await.map_err(Failure::of_write)
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.inner.list(owner, after, limit, now).await.map_err(Failure::of_read)
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.inner.sweep(now, limit).await.map_err(Failure::of_write)
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.inner.stats().await.map_err(Failure::of_read)
    }

    /// True if this is called on a tokio runtime. A connection of its own then hears of endings, on each server of a cluster,
    /// and is asked twice a second whether it does.
    fn tell_endings(&self, to: Endings) -> bool {
        listener::tell(&self.inner, to)
    }

    fn time_limit(&self) -> Option<Duration> {
        Some(self.inner.patience)
    }

    fn outbox(&self) -> Option<Outbox> {
        Some(Outbox::new(Stream { inner: Arc::clone(&self.inner), kept: self.inner.outbox? }))
    }

    /// One server after the other. A page may hold what an earlier one held. Whose a session is, its record tells. A
    /// failover, or slots that move to another server meanwhile, may hide sessions: a migration looks a second time.
    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        self.inner.scan(from, limit, now).await.map_err(Failure::of_read)
    }

    /// Closes the connections. What was acknowledged is with the server. From the call on, every other operation is
    /// [`StoreError::Unavailable`].
    async fn shutdown(&self) -> Result<(), StoreError> {
        self.inner.is_closed.store(true, Ordering::Release);
        self.inner.servers.close();
        Ok(())
    }
}
