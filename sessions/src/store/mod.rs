//! Where records are kept: the contract between the engine and a store, and nothing of policy.
//!
//! A store keeps opaque records by [`SessionId`], compares versions, counts the sessions of an [`Owner`] and
//! remembers for a while that a session has *ended*. Merging, lifetimes, rotation and limits' meaning live in the
//! engine, once. Every operation is atomic for the ids that it names, and time comes in as an argument.
//!
//! Four answers are never confused: **absent** (never seen, or forgotten), **ended** (a tombstone says so),
//! **unavailable** ([`StoreError::Unavailable`]: certainly not applied) and **unknown** ([`StoreError::Unknown`]:
//! perhaps applied).

#[cfg(any(feature = "postgres", feature = "redis"))]
mod audience;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod calls;
mod endings;
mod erased;
mod file;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod identity;
mod memory;
mod migrate;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod scan;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::{outbox::Outbox, soon::all};

pub use self::endings::Endings;
pub use self::erased::SharedStore;
pub use self::file::FileStore;
pub use self::memory::{MemoryStore, WhenFull};
pub use self::migrate::{MigrateError, MigratingStore, Migration, MigrationPhase, Progress};
#[cfg(feature = "postgres")]
pub use self::postgres::{Pooler, PostgresAddress, PostgresStore, PostgresStoreBuilder};
#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, RedisStoreBuilder};
pub use self::scan::{Bookmark, Scan, Scanned};
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
pub use crate::record::Version;
pub use crate::token::{Owner, SessionId};
pub use sessions_policy::BehaviorOnLimit;
#[cfg(any(feature = "postgres", feature = "redis"))]
pub use sessions_policy::ClientCertificate;
#[cfg(feature = "redis")]
pub use sessions_policy::{Durability, RedisAddress, SentinelUser};

/// Milliseconds since the Unix epoch, in the clock of the engine that calls.
pub type Millis = u64;

/// A strictly increasing stamp: milliseconds since the Unix epoch, shifted left by 16 bits, plus a counter.
///
/// Two stamps of one process are never equal, so "before" and "after" are exact there, and as good as the clocks are
/// between processes.
pub type Stamp = u64;

/// How many sessions the default of [`SessionStore::load_many`] asks for at once.
const AT_ONCE: usize = 64;

/// How long a store remembers that a session has ended, in milliseconds: longer than any request in flight.
pub const TOMBSTONE_MS: Millis = 60_000;

/// A place that keeps session records.
///
/// Implementations keep bytes and compare versions; they never decode a record. Its first eight bytes are its
/// [`Version`] (big endian), the next eight the instant it was last seen, which [`touch`](Self::touch) moves without
/// changing the version.
///
/// # What holds for every operation
/// - It is atomic for the ids that it names, and every later call sees what it has acknowledged.
/// - A session is live until the instant at which it expires, and dead from that millisecond on, whether or not it was
///   freed. To every operation it has then ended with [`EndReason::Expired`], as long as the store remembers it, or is
///   absent.
/// - Time is what the caller says. Clocks step back, and those of two callers differ: what was ended, or freed because it
///   had expired, is not live to an earlier clock either.
/// - An id is its bucket and its sid: the same sid in another bucket is another session. The sessions of an owner are all
///   in [its bucket](Owner::bucket), and a store may refuse one that is not.
///
/// `sessions::testing::conformance!` (feature `testing`) makes a test of each of these promises, for any store.
///
/// # Cancel safety
/// A dropped future leaves the operation applied or not applied, never half of it.
pub trait SessionStore: Send + Sync + fmt::Debug + 'static {
    /// Reads one session: the record byte for byte as it was written, and when it was last seen.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn load(&self, id: SessionId, now: Millis) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// Reads several sessions, each as [`load`](Self::load) does, and answers in the order of `ids`: what open sockets ask
    /// for again and again, hundreds of sessions at a time. One that can't be told does not fail the others.
    ///
    /// The default loads them one by one, 64 at a time. A store that can read them in one go says it better here.
    fn load_many(
        &self,
        ids: &[SessionId],
        now: Millis,
    ) -> impl Future<Output = Vec<Result<Loaded, StoreError>>> + Send {
        let ids = ids.to_vec();
        async move {
            let mut loaded = Vec::with_capacity(ids.len());
            for some in ids.chunks(AT_ONCE) {
                loaded.extend(all(some.iter().map(|id| self.load(*id, now))).await);
            }
            loaded
        }
    }

    /// Writes one record if the stored version is the expected one. If it is not, the answer is the record that is stored.
    ///
    /// Never revives: an ended or absent session answers [`CasOutcome::Gone`], unless absence was expected. A write states
    /// when the session expires, sooner or later than before; it never moves the last use back. Where a later use has
    /// been noted than the record tells, it doesn't move an end back either: [`Cas::over`] works that out.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn cas(&self, write: Cas) -> impl Future<Output = Result<CasOutcome, StoreError>> + Send;

    /// Notes that a session was seen, and until when it lives now. Never shortens either, never revives.
    /// The record and its version stay as they are.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn touch(&self, touch: Touch) -> impl Future<Output = Result<Touched, StoreError>> + Send;

    /// Stores a new session of an owner, within the limit: prunes expired ones, counts, evicts or refuses, and
    /// inserts, in one atomic step. A login that is refused changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn admit(&self, admit: Admit) -> impl Future<Output = Result<Admitted, StoreError>> + Send;

    /// Ends sessions: removes the record and leaves a tombstone for [`TOMBSTONE_MS`].
    ///
    /// A session that has ended keeps its reason. The revocation of all sessions of an owner is remembered at least until
    /// the owner has had no session for [`TOMBSTONE_MS`], and an earlier one that comes late does not undo it.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn end(&self, end: End) -> impl Future<Output = Result<Ended, StoreError>> + Send;

    /// Lists the live sessions of an owner, oldest login first, at most `limit` after the id `after`.
    ///
    /// If that session has ended meanwhile, the list may begin anew; it never leaves out a live session.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send;

    /// Frees at most `limit` expired records or tombstones and tells how many it freed. Called until it frees none, it
    /// leaves the live sessions and the tombstones whose time is not over.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn sweep(&self, now: Millis, limit: usize) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Counts what is stored. Counts may lag behind by what has expired and is not yet freed.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn stats(&self) -> impl Future<Output = Result<StoreStats, StoreError>> + Send;

    /// Reads some of the store's sessions, about `limit`, from a bookmark on, or from the beginning: what a
    /// [migration](MigratingStore) needs. A session that is live from the first page to the last is in one of them, perhaps
    /// in several; the order is the store's. A bookmark is of use to every process, and after a restart.
    ///
    /// The default is [`StoreError::Unavailable`]: such a store can be migrated to, and not away from.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't tell.
    fn scan(
        &self,
        from: Option<&Bookmark>,
        limit: usize,
        now: Millis,
    ) -> impl Future<Output = Result<Scan, StoreError>> + Send {
        let _ = (from, limit, now);
        std::future::ready(Err(StoreError::Unavailable(Some("the store can't be read through".into()))))
    }

    /// Whether the store remembers whose each session is, so that [`cas`](Self::cas) and [`touch`](Self::touch) are not
    /// told: their `owner` is `None` then, because it would cost a digest a write. The default is `false`.
    fn remembers_owners(&self) -> bool {
        false
    }

    /// Asks the store to tell of sessions that end, in whatever process, so that open sockets need not be looked for every
    /// second. True if it will, from now on and until it says [`Endings::lost`]. The default is `false`, and asks for
    /// nothing else.
    ///
    /// It is called once for each policy on the store that has open sockets, or copies (`near_cache`). See [`Endings`] for what
    /// to tell.
    fn tell_endings(&self, to: Endings) -> bool {
        let _ = to;
        false
    }

    /// How long a call takes at most, where the store gives up by itself then. `None`, the default, of one that leaves it to
    /// its caller: [`SharedStore`] sets it a limit.
    fn time_limit(&self) -> Option<Duration> {
        None
    }

    /// Where the store keeps events for consumers, if it does: what this answers is asked for once, and changes that end
    /// a session or its privileges are then made through it. A store around another one hands on what that answers, or has
    /// none: the default.
    fn outbox(&self) -> Option<Outbox> {
        None
    }

    /// Makes everything acknowledged durable and releases what the store holds; other calls may fail from then
    /// on, and a second call is fine. The default does nothing.
    ///
    /// # Errors
    /// [`StoreError`] if something acknowledged could not be made durable.
    fn shutdown(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// The last use that a record tells of: the instant in its bytes 8 to 15, or 0 if there are fewer.
pub(crate) fn last_seen(record: &[u8]) -> Millis {
    record.get(8..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| Millis::from_be_bytes(*bytes))
}

/// A record as it is stored, with the instant it was last seen.
#[derive(Clone)]
pub struct Stored {
    /// The encoded record.
    pub record: Arc<[u8]>,
    /// When the session was last seen: at least what the record says, later after a touch.
    pub last_seen: Millis,
}

impl Stored {
    /// A record that was just stored: the session was last seen when it says so in its bytes 8 to 15.
    ///
    /// ```
    /// let mut record = [0; 17];
    /// record[15] = 7;
    /// assert_eq!(sessions::store::Stored::new(record.into()).last_seen, 7);
    /// assert_eq!(sessions::store::Stored::new([1; 15].into()).last_seen, 0, "it is too short to say so");
    /// ```
    pub fn new(record: Arc<[u8]>) -> Self {
        Self { last_seen: last_seen(&record), record }
    }

    /// The version in the record's first eight bytes.
    pub fn version(&self) -> Version {
        Version::of_record(&self.record)
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("bytes", &self.record.len())
            .field("last_seen", &self.last_seen)
            .finish()
    }
}

/// What [`SessionStore::load`] found.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// A live record.
    Live(Stored),
    /// The session has ended, and the store still remembers it.
    Ended(EndReason),
    /// Nothing is known under this id.
    Absent,
}

/// A conditional write.
#[derive(Clone)]
pub struct Cas {
    /// The session to write.
    pub id: SessionId,
    /// Whose index the session is in, if it is authenticated and the store
    /// [has to be told](SessionStore::remembers_owners).
    pub owner: Option<Owner>,
    /// What has to be stored now.
    pub expected: Expected,
    /// Others have to hear of it as of an ending, where the store [tells of those](SessionStore::tell_endings): it is a
    /// change of privilege, or they keep copies.
    pub announced: bool,
    /// The record to store.
    pub record: Arc<[u8]>,
    /// When the stored session is dead if nothing touches it.
    pub expires: Millis,
    /// The instant of the call.
    pub now: Millis,
    /// After this instant the write must not be applied any more.
    pub deadline: Millis,
}

impl Cas {
    /// What is stored once the record takes the place of one whose last use and end are these, and when it is dead.
    ///
    /// A use that was noted after the one which the new record tells of stays noted, and the end that it gave stays if it is
    /// the later one: a write that was under way takes no time from the session.
    ///
    /// ```
    /// # use sessions::store::{Cas, Expected, SessionId};
    /// let mut record = [0; 17];
    /// record[15] = 7;
    /// # let (id, record) = (SessionId::new(0, [0; 16]), record.into());
    /// # let (owner, expected, announced, now, deadline) = (None, Expected::Absent, false, 7, 9);
    /// let write = Cas { id, owner, expected, announced, record, expires: 100, now, deadline };
    /// assert_eq!(write.over(5, 200).1, 100, "the record tells of a later use: its end holds");
    /// let (stored, expires) = write.over(8, 200);
    /// assert_eq!((stored.last_seen, expires), (8, 200), "a use was noted after it");
    /// ```
    pub fn over(&self, last_seen: Millis, expires: Millis) -> (Stored, Millis) {
        let mut stored = Stored::new(Arc::clone(&self.record));
        if last_seen <= stored.last_seen {
            return (stored, self.expires);
        }
        stored.last_seen = last_seen;
        (stored, self.expires.max(expires))
    }
}

impl fmt::Debug for Cas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, expected) = (&self.id, &self.expected);
        f.debug_struct("Cas").field("id", id).field("expected", expected).finish_non_exhaustive()
    }
}

impl fmt::Debug for Admit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admit").field("id", &self.id).field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// The state that a [`Cas`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No record and no tombstone: creation.
    Absent,
    /// A live record of this version.
    Version(Version),
}

/// The answer to a [`Cas`].
#[derive(Clone, Debug)]
pub enum CasOutcome {
    /// Written.
    Stored,
    /// Another version is stored; here it is.
    Conflict(Stored),
    /// The session has ended (or, with `None`, is absent): nothing was written.
    Gone(Option<EndReason>),
    /// The deadline had passed: nothing was written.
    Late,
    /// The store is full and may not evict: nothing was written.
    Full,
}

/// A note that a session was seen.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    /// The session that was seen.
    pub id: SessionId,
    /// Whose index the session is in, if it is authenticated and the store
    /// [has to be told](SessionStore::remembers_owners).
    pub owner: Option<Owner>,
    /// When it was seen.
    pub seen: Millis,
    /// When the session is dead if nothing touches it again.
    pub expires: Millis,
}

/// The answer to a [`Touch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Noted.
    Noted,
    /// The session has ended or is absent.
    Gone,
}

/// A new session of an owner.
#[derive(Clone)]
pub struct Admit {
    /// The id of the new session.
    pub id: SessionId,
    /// The policy and principal that it belongs to.
    pub owner: Owner,
    /// Its record.
    pub record: Arc<[u8]>,
    /// When it is dead if nothing touches it.
    pub expires: Millis,
    /// How many live sessions the owner may have, and what happens at the limit; `None` is unlimited.
    pub limit: Option<Limit>,
    /// A session of the same owner that this one replaces: it is ended as superseded and does not count.
    pub replaces: Option<SessionId>,
    /// When the login began: refused if all sessions of the owner were revoked after this stamp.
    pub began: Stamp,
    /// The instant of the call.
    pub now: Millis,
    /// After this instant the session must not be stored any more.
    pub deadline: Millis,
}

/// How many sessions an owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most live sessions, the new one included. At least 1.
    pub max: u32,
    /// What happens when the new one would be one too many.
    pub behavior: BehaviorOnLimit,
}

/// The answer to an [`Admit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Stored; these were evicted for it.
    Stored {
        /// The sessions that were ended to make room.
        evicted: Vec<SessionId>,
    },
    /// The owner has this many live sessions and the limit refuses another: nothing changed.
    LimitReached {
        /// The live sessions of the owner.
        live: u32,
    },
    /// All sessions of the owner were revoked after this login began: nothing changed.
    Revoked,
    /// The id is taken: nothing changed.
    Exists,
    /// The deadline had passed: nothing changed.
    Late,
    /// The store is full and may not evict: nothing changed.
    Full,
}

/// Which sessions to end.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// One session, or those of an owner.
    pub target: EndTarget,
    /// Why: the tombstone says it.
    pub reason: EndReason,
    /// The instant of the call.
    pub now: Millis,
    /// For an owner: logins that began before this stamp are refused from now on.
    pub stamp: Stamp,
}

/// The sessions that an [`End`] names.
#[derive(Clone, Copy, Debug)]
pub enum EndTarget {
    /// One session.
    Session {
        /// Its id.
        id: SessionId,
        /// Whose index it is in, if it is authenticated.
        owner: Option<Owner>,
    },
    /// All sessions of an owner, and every login of it that began before.
    Owner {
        /// Whose sessions.
        owner: Owner,
        /// The one session to keep.
        except: Option<SessionId>,
    },
}

/// The sessions that an [`End`] ended: those that were live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Their ids.
    pub ids: Vec<SessionId>,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// Its user logged out, or its data was cleared.
    LoggedOut,
    /// It was revoked by its principal or an operator.
    Revoked,
    /// A newer login of the same principal took its place.
    Evicted,
    /// A lifetime ran out.
    Expired,
    /// A privilege change moved it to a successor, which lives.
    Superseded,
    /// An old id was used after its successor: a sign of theft.
    Reuse,
}

impl EndReason {
    /// The stable word that events name it by.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Revoked => "revoked",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Reuse => "reuse",
        }
    }
}

/// One session in a [`SessionStore::list`].
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: SessionId,
    /// Its record.
    pub stored: Stored,
    /// When it is dead if nothing touches it.
    pub expires: Millis,
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Records, expired ones that are not yet freed included.
    pub sessions: u64,
    /// Owners with at least one record.
    pub principals: u64,
    /// Records that were ended to keep the store within its bound, since it was made.
    pub evicted_for_space: u64,
}

/// A store that could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Certainly not applied: the store could not be reached or refused.
    #[error("the store is unavailable")]
    Unavailable(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// Perhaps applied: the answer was lost, or did not come in time.
    #[error("the store did not answer: the operation may or may not have been applied")]
    Unknown(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
}
