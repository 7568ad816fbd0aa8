//! A session beyond its request: what a socket or a stream holds. It hears of the ending, whoever ended the session, and
//! reads and writes the session's data.
//!
//! The [`Hub`] knows all watches of a policy in this process. What ends a session here tells it at once; what another
//! process ends is found by one check for all watches at each tick, or told by the store. [`look`] is the task that does so.

mod data;
mod ending;
mod guarded;
mod hub;
mod look;
#[cfg(feature = "ws")]
mod ticket;
mod watched;

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use sessions_policy::SocketActivity;

pub(crate) use self::hub::Hub;
#[cfg(feature = "ws")]
use crate::event::{EventKind, SessionEvent};

#[cfg(feature = "ws")]
pub(crate) use self::ticket::Opened;
#[cfg(feature = "ws")]
pub use self::ticket::SocketTicket;
use self::watched::{Watched, judge};
pub use self::{ending::SessionEnding, guarded::Guarded};
use crate::{
    engine::{SessionEngine, waited::Waited},
    event::instant,
    fault::{Fault, SessionError},
    principal::SessionPrincipal,
    record::{Field, Record, Space},
    session::{
        Session,
        state::{Base, Client, Found, Inner, SessionState},
    },
    store::{Millis, SessionStore},
    token::{Handle, Secret, SessionId, Token},
};

/// A session that is watched for as long as a socket or a stream serves it. Clones are one watch, which ends with the last.
///
/// [`ended`](Self::ended) resolves when the session ends, by whatever and wherever: at once for what this process ends;
/// within a second for what another does; at the instant itself where a lifetime runs out. Data is read and written as in a
/// handler, through the same operations and the same commit; nothing is written by itself.
///
/// There is no login and no change of the id here: a socket can't hand its client another id. What changes the session's
/// id by a change of privilege ends the watch, and the client comes back with the new one. A rotation by time doesn't.
///
/// ```
/// # use sessions::{MemoryStore, SessionEngine, SessionEnding, SessionPolicy, SessionPrincipal};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sessions::SessionError> {
/// # let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(100));
/// # let mut session = engine.resolve(&http::Request::new(())).await?;
/// # session.mark_authenticated(SessionPrincipal::user("u1"));
/// # session.commit().await?;
/// let watch = session.watch().await?;
/// let seen = watch.update("messages", |n: &mut u64| { *n += 1; *n }).await?;
/// assert_eq!(seen, 1);
///
/// engine.revoke_all(&SessionPrincipal::user("u1")).await?;
/// assert_eq!(watch.ended().await, SessionEnding::Revoked);
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail,E0599
/// fn log_in(watch: sessions::SessionWatch) {
///     watch.mark_authenticated(sessions::SessionPrincipal::user("u1"));
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn rotate(watch: sessions::SessionWatch) {
///     watch.rotate();
/// }
/// ```
#[derive(Clone)]
#[must_use = "a watch ends with its last clone"]
pub struct SessionWatch {
    shared: Arc<Shared>,
}

struct Shared {
    watched: Arc<Watched>,
    state: Arc<SessionState>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.state.engine.shared.hub.leave(&self.watched);
    }
}

impl<P, G> Session<P, G> {
    /// Watches the session beyond its request: see [`SessionWatch`]. For a WebSocket, take
    /// [`WebSocketTransport`](crate::WebSocketTransport) instead, which does all of it.
    ///
    /// It registers first and reads the session once more then, so that no ending falls in between. What this request has
    /// recorded and not yet written isn't seen.
    ///
    /// # Errors
    /// - [`Fault::Required`]: nothing is stored of the session.
    /// - [`Fault::Gone`]: it has ended meanwhile.
    /// - [`Fault::ConcurrencyViolation`]: it has as many watches in this process as `socket.max_per_session` allows.
    /// - [`Fault::StoreUnavailable`]: the store can't tell, or the process is about to stop.
    /// - [`Fault::Unusable`]: there is no tokio runtime, which looks after it.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no watch.
    pub async fn watch(&self) -> Result<SessionWatch, SessionError> {
        let state = self.state();
        let base = state.lock().base.as_ref().map(|base| (base.token.id, Arc::clone(&base.record)));
        let Some((id, record)) = base else {
            return Err(SessionError::new(
                Fault::Required,
                "nothing is stored of the session that could be watched",
            ));
        };
        SessionWatch::open(&state.engine, id, record).await
    }
}

impl SessionWatch {
    /// Registers, reads the session strictly, and only then is there a watch.
    pub(crate) async fn open(
        engine: &SessionEngine,
        id: SessionId,
        record: Arc<Record>,
    ) -> Result<Self, SessionError> {
        let Some(store) = engine.store() else {
            return Err(SessionError::new(
                Fault::PolicyViolation,
                "the policy keeps no session that could be watched",
            ));
        };
        let hub = &engine.shared.hub;
        let watched = hub.register(engine, (id, engine.owner_of(&record)), Arc::clone(&record))?;
        // From here on it leaves the hub when it is dropped.
        let state = state_of(engine, id, &record);
        let watch = Self { shared: Arc::new(Shared { watched, state }) };
        let now = engine.shared.time.now();
        let loaded = store.load(id, now).await.map_err(|error| engine.store_failed(error))?;
        let ended = || engine.gone("the session ended while a socket was opened on it");
        let record = judge(engine, &record, loaded, now).map_err(|_| ended())?;
        if record.is_moving(now) || watch.ending().is_some() {
            return Err(ended());
        }
        watch.take_over(record);
        Ok(watch)
    }

    /// Resolves when the session has ended, and tells why. It may be asked any number of times, also after that.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    pub fn ended(&self) -> impl Future<Output = SessionEnding> + Send + 'static + use<> {
        let watch = self.clone();
        let mut hears = self.shared.watched.subscribe();
        async move {
            let ended = hears.wait_for(Option::is_some).await.map(|ending| *ending);
            drop(watch);
            // Its sender lives as long as the watch.
            ended.ok().flatten().unwrap_or(SessionEnding::Gone)
        }
    }

    /// Why the session has ended, if it has.
    #[must_use]
    pub fn ending(&self) -> Option<SessionEnding> {
        self.shared.watched.ending()
    }

    /// Who has logged in.
    #[must_use]
    pub fn principal(&self) -> Option<Arc<SessionPrincipal>> {
        self.shared.state.lock().stored_principal()
    }

    /// Whether someone has logged in.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.shared.watched.record().is_authenticated()
    }

    /// The public name of the session: no credential.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.shared.watched.record().handle
    }

    /// When it ends if it is not used again, as far as is known here.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        instant(self.engine().expires(&self.shared.watched.record()))
    }

    /// The settings that it is under.
    #[must_use]
    pub fn policy(&self) -> &sessions_policy::SessionPolicy {
        self.engine().policy()
    }

    /// Says that the client has done something, where the policy's `socket.activity` is `message`: a
    /// [`SessionSocket`](crate::SessionSocket) says it for each of its messages. The store is told as seldom as it is of
    /// requests.
    pub fn note_activity(&self) {
        let (engine, watched) = (self.engine(), &self.shared.watched);
        let counts = engine.policy().socket().activity() != SocketActivity::None;
        if counts && watched.saw(engine, engine.shared.time.now()) && !watched.is_being_looked_at() {
            engine.shared.hub.ask(watched);
        }
    }

    pub(crate) fn engine(&self) -> &SessionEngine {
        &self.shared.state.engine
    }

    /// Tells of the session what `fill` says beside its name.
    #[cfg(feature = "ws")]
    pub(crate) fn tell(&self, kind: EventKind, fill: impl FnOnce(&mut SessionEvent)) {
        let record = self.shared.watched.record();
        self.engine().event(kind, |event| {
            event.of(&record);
            fill(event);
        });
    }

    /// Goes on with a record that was read or written.
    fn take_over(&self, record: Arc<Record>) {
        self.shared.watched.adopt(&record);
        let mut inner = self.shared.state.lock();
        let is_newer = inner.base.as_ref().is_none_or(|base| base.record.version.is_before(record.version));
        if is_newer {
            inner.adopt(base_of(self.shared.watched.id, record));
        }
    }
}

/// What the name of a ticket's key begins with.
const TICKET: &str = "ticket.";

/// Whether a field is a ticket for a socket.
pub(crate) fn is_ticket(field: &Field) -> bool {
    field.is_in(Space::Own) && field.name().starts_with(TICKET)
}

/// A session that changes are recorded to, opened without a credential.
pub(crate) fn state_of(engine: &SessionEngine, id: SessionId, record: &Arc<Record>) -> Arc<SessionState> {
    let now: Millis = engine.shared.time.now();
    let base = base_of(id, Arc::clone(record));
    SessionState::new(
        engine.clone(),
        Inner::new(Found::Live, Some(base), Client::default(), now, Waited::default()),
    )
}

fn base_of(id: SessionId, record: Arc<Record>) -> Base {
    let token = Token { id, secret: Secret::none() };
    Base { token, digest: record.digest, record, by_previous: false, on_socket: true, hold: None }
}

impl fmt::Debug for SessionWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionWatch")
            .field("policy", &self.policy().name())
            .field("handle", &self.handle())
            .field("ending", &self.ending())
            .finish_non_exhaustive()
    }
}
