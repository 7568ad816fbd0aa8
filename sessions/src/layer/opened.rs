//! The sessions that one request has opened: who opens first, who shares, and that nothing is opened once the response is
//! ready. Resolving and committing them is not done here.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{
        AtomicBool,
        Ordering::{AcqRel, Acquire},
    },
};

use crate::{
    engine::{SessionEngine, turn},
    fault::{Fault, SessionError},
    registry::Settings,
    session::state::SessionState,
};

/// What one request has opened: nearly always one session, which then takes neither a list nor a lock.
pub(crate) struct Opened {
    pub(super) settings: Arc<Settings>,
    first: OnceLock<Arc<SessionState>>,
    more: OnceLock<Mutex<Vec<Arc<SessionState>>>>,
    /// Who opens a session that has to be waited for: what this request has opened, it must not wait for.
    opening: OnceLock<Box<tokio::sync::Mutex<()>>>,
    /// The response is ready: what is opened now could never be committed.
    closed: AtomicBool,
    #[cfg(feature = "actix")]
    unopened: Unopened,
}

/// Why sessions could not be opened, where the framework may keep that from the handler, or from the client.
#[cfg(feature = "actix")]
#[derive(Default)]
struct Unopened {
    /// Of an `Option<Session>`, which is `None` to its handler.
    hidden: OnceLock<SessionError>,
    /// Of any other, whose handler may have been told.
    told: OnceLock<SessionError>,
}

impl Opened {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        let (first, more, opening) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let closed = AtomicBool::new(false);
        Self {
            settings,
            first,
            more,
            opening,
            closed,
            #[cfg(feature = "actix")]
            unopened: Unopened::default(),
        }
    }

    /// The session of a policy, if it is open.
    pub(super) fn of(&self, engine: &SessionEngine) -> Result<Option<Arc<SessionState>>, SessionError> {
        if self.closed.load(Acquire) {
            return Err(closed());
        }
        Ok(match self.first.get() {
            Some(first) if first.engine.is(engine) => Some(Arc::clone(first)),
            Some(_) => {
                let more = self.more.get().map(lock);
                more.and_then(|more| more.iter().find(|state| state.engine.is(engine)).cloned())
            }
            None => None,
        })
    }

    /// Lets one extractor of the request at a time open a session.
    pub(super) async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.opening.get_or_init(Box::default).lock().await
    }

    /// Keeps a resolved session, unless another extractor of the same request was faster.
    pub(super) fn keep(&self, state: Arc<SessionState>) -> Result<Arc<SessionState>, SessionError> {
        let first = self.first.get_or_init(|| Arc::clone(&state));
        let kept = if first.engine.is(&state.engine) {
            Arc::clone(first)
        } else {
            let mut more = lock(self.more.get_or_init(Mutex::default));
            if let Some(other) = more.iter().find(|other| other.engine.is(&state.engine)) {
                Arc::clone(other)
            } else {
                more.push(Arc::clone(&state));
                state
            }
        };
        // A handler may have handed its request to another thread. This and `close` change the same atomic, so one comes
        // first: either this session is seen there and committed, or it is refused here.
        if self.closed.fetch_or(false, AcqRel) {
            return Err(closed());
        }
        Ok(kept)
    }

    /// Closes the list: what it holds is committed, and nothing joins it any more. Empty if it was closed before.
    pub(super) fn close(&self) -> Sessions {
        if self.closed.fetch_or(true, AcqRel) {
            return Sessions { first: None, more: Vec::new() };
        }
        let more = self.more.get().map(|more| std::mem::take(&mut *lock(more)));
        Sessions { first: self.first.get().cloned(), more: more.unwrap_or_default() }
    }
}

#[cfg(feature = "actix")]
impl Opened {
    /// Notes why a session could not be opened; of several the first.
    pub(crate) fn fail(&self, error: &SessionError, is_optional: bool) {
        let unopened = &self.unopened;
        let place = if is_optional { &unopened.hidden } else { &unopened.told };
        place.get_or_init(|| error.again());
    }
}

/// The handler's side of the request: when it is gone without a response, what it opened can't be changed any more.
pub(crate) struct Open(pub(super) Arc<Opened>);

impl Open {
    /// What was opened, when the response is ready.
    pub(crate) fn close(&self) -> Sessions {
        self.0.close()
    }

    /// Why a response of this status can't be the answer: a session could not be opened, and its handler wasn't told so or
    /// has answered a success all the same.
    #[cfg(feature = "actix")]
    pub(crate) fn failure(&self, status: http::StatusCode) -> Option<&SessionError> {
        let is_refusal = status.is_client_error() || status.is_server_error();
        let told = || self.0.unopened.told.get().filter(|_| !is_refusal);
        self.0.unopened.hidden.get().or_else(told)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        for state in self.0.close().iter() {
            state.lock().sent = true;
            drop(turn::let_go(state));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> SessionError {
    SessionError::new(Fault::Unusable, "the response has been sent: open the session before")
}

/// The sessions of a request whose handler is done.
pub(crate) struct Sessions {
    first: Option<Arc<SessionState>>,
    more: Vec<Arc<SessionState>>,
}

impl Sessions {
    /// The one session of a request that has no other.
    pub(super) fn only(&self) -> Option<&Arc<SessionState>> {
        self.first.as_ref().filter(|_| self.more.is_empty())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<SessionState>> {
        self.first.iter().chain(&self.more)
    }
}
