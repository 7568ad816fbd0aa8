//! What happened to a session, told to whoever listens, never on the request's time.

use std::{
    fmt,
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
};

use chrono::{DateTime, Utc};

use crate::{fault::Fault, store::Millis, token::Handle};

/// How many events wait for slow listeners before further ones are dropped and counted.
pub const EVENT_QUEUE: usize = 4_096;

/// A kind of event, with a stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A record was created.
    Created,
    /// A stored session was read for a request.
    Loaded,
    /// Changes were written.
    Committed,
    /// The id changed, by time or by a change of privilege.
    Rotated,
    /// A principal logged in, or confirmed who it is.
    Authenticated,
    /// A principal logged out.
    LoggedOut,
    /// A session was ended by clearing it.
    Destroyed,
    /// Sessions were revoked.
    Revoked,
    /// A password or another factor was changed: the principal's other sessions were revoked.
    CredentialsChanged,
    /// A login evicted an older session.
    Evicted,
    /// A login was refused because of the limit.
    LimitReached,
    /// An id was presented whose session has expired, by ttl or absolute end.
    Expired,
    /// An id was presented whose session was idle for too long.
    IdleTimeout,
    /// The presented id is not of the canonical form.
    Malformed,
    /// Several different ids were presented for one policy.
    Duplicate,
    /// The presented id is not known (any more).
    Unknown,
    /// The presented id has ended, and the store still remembers it.
    Ended,
    /// The presented id was superseded by a change of privilege.
    Superseded,
    /// An earlier id was used after its successor: the session was revoked.
    Reused,
    /// The client is not the one that the session was bound to.
    FingerprintMismatch,
    /// A record, or a value in it, could not be read.
    Corrupted,
    /// A plain write replaced a change that another request made since the read.
    Overwritten,
    /// A commit met a session that had ended.
    Gone,
    /// An unsafe request from another site was refused.
    CrossSite,
    /// A guard refused the request.
    Refused,
    /// A request waited in vain for its turn: another has the session to itself.
    Locked,
    /// The store failed.
    StoreFailed,
    /// The application wrote a cookie under a policy's name: it was removed.
    ForeignCookie,
}

impl EventKind {
    /// The stable name, such as `session_created`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "session_created",
            Self::Loaded => "session_loaded",
            Self::Committed => "session_committed",
            Self::Rotated => "session_rotated",
            Self::Authenticated => "session_authenticated",
            Self::LoggedOut => "session_logged_out",
            Self::Destroyed => "session_destroyed",
            Self::Revoked => "session_revoked",
            Self::CredentialsChanged => "session_credentials_changed",
            Self::Evicted => "session_evicted",
            Self::LimitReached => "session_limit_reached",
            Self::Expired => "session_expired",
            Self::IdleTimeout => "session_idle_timeout",
            Self::Malformed => "session_invalid",
            Self::Duplicate => "session_duplicate",
            Self::Unknown => "session_unknown",
            Self::Ended => "session_ended",
            Self::Superseded => "session_superseded",
            Self::Reused => "session_reused",
            Self::FingerprintMismatch => "session_fingerprint_mismatch",
            Self::Corrupted => "session_corrupted",
            Self::Overwritten => "session_overwritten",
            Self::Gone => "session_gone",
            Self::CrossSite => "session_cross_site",
            Self::Refused => "session_refused",
            Self::Locked => "session_locked",
            Self::StoreFailed => "session_store_failed",
            Self::ForeignCookie => "session_foreign_cookie",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that happened. It names the session by its handle, never by its id.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionEvent {
    /// What happened.
    pub kind: EventKind,
    /// When, in milliseconds since the Unix epoch.
    pub at: Millis,
    /// Under which policy.
    pub policy: Arc<str>,
    /// To which session, where there is one.
    pub handle: Option<Handle>,
    /// The kind of its principal, such as `user`.
    pub principal_kind: Option<String>,
    /// The id of its principal.
    pub principal_id: Option<String>,
    /// The fault that it is about.
    pub fault: Option<Fault>,
    /// More, in words, without ids or values.
    pub detail: Option<&'static str>,
    /// How many sessions or keys it is about.
    pub count: u64,
}

impl SessionEvent {
    pub(crate) fn new(kind: EventKind, policy: &Arc<str>, at: Millis) -> Self {
        Self {
            kind,
            at,
            policy: Arc::clone(policy),
            handle: None,
            principal_kind: None,
            principal_id: None,
            fault: None,
            detail: None,
            count: 1,
        }
    }

    /// When it happened.
    pub fn timestamp(&self) -> DateTime<Utc> {
        instant(self.at)
    }
}

/// An instant of the public API.
pub(crate) fn instant(at: Millis) -> DateTime<Utc> {
    i64::try_from(at).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

type Listener = Arc<dyn Fn(&SessionEvent) + Send + Sync>;

/// Takes events from requests to listeners through a bounded queue and a thread of its own.
#[derive(Clone, Default)]
pub(crate) struct Bus {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: OnceLock<SyncSender<SessionEvent>>,
    listeners: Arc<RwLock<Vec<Listener>>>,
    dropped: AtomicU64,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

impl Bus {
    pub(crate) fn listen(&self, listener: impl Fn(&SessionEvent) + Send + Sync + 'static) {
        let listeners = &self.shared.listeners;
        listeners.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(Arc::new(listener));
        self.shared.queue.get_or_init(|| {
            let (sender, receiver) = sync_channel::<SessionEvent>(EVENT_QUEUE);
            let listeners = Arc::clone(listeners);
            let spawned = std::thread::Builder::new().name("session-events".to_owned()).spawn(move || {
                for event in receiver {
                    deliver(&listeners, &event);
                }
            });
            if let Err(error) = spawned {
                tracing::error!(%error, "no thread for session events: they are dropped and counted");
            }
            sender
        });
    }

    /// Whether anyone listens: events that no one hears are not even made.
    pub(crate) fn is_heard(&self) -> bool {
        self.shared.queue.get().is_some()
    }

    pub(crate) fn send(&self, event: SessionEvent) {
        let Some(queue) = self.shared.queue.get() else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(event) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

fn deliver(listeners: &RwLock<Vec<Listener>>, event: &SessionEvent) {
    // Without the lock: a listener may add a listener.
    let listeners = listeners.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    for listener in &listeners {
        let heard = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| listener(event)));
        if heard.is_err() {
            tracing::error!(event = event.kind.name(), "a listener for session events panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> SessionEvent {
        SessionEvent::new(EventKind::Created, &Arc::from("p"), 0)
    }

    #[test]
    fn a_hanging_listener_costs_events_and_nothing_else() {
        let bus = Bus::default();
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        bus.listen(move |_| {
            let _ = gate.lock().unwrap().recv();
        });
        for _ in 0..EVENT_QUEUE + 100 {
            bus.send(event());
        }
        assert!(bus.dropped() >= 98, "{}", bus.dropped());
        drop(release);
    }

    #[test]
    fn a_panicking_listener_does_not_silence_the_others() {
        let bus = Bus::default();
        let (sender, heard) = std::sync::mpsc::channel();
        bus.listen(|_| panic!("listener"));
        bus.listen(move |event| {
            let _ = sender.send(event.kind);
        });
        bus.send(event());
        bus.send(event());
        for _ in 0..2 {
            assert_eq!(heard.recv_timeout(std::time::Duration::from_secs(5)).unwrap(), EventKind::Created);
        }
    }
}
