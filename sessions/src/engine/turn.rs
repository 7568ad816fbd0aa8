//! One request of a session at a time, where the policy says `on_conflict = "serial"`.
//!
//! Within a process requests wait in line. Over processes, a *lease* in the record says who has the session and until
//! when: it is written when the session is opened, and goes with the commit's own write. The version is the fence: a
//! request whose lease has run out and that another has followed finds a newer record without its name, and is refused.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use sessions_policy::SessionPolicy;
use tokio::{runtime::Handle, time::Instant};

use super::{
    SessionEngine,
    queue::{Queue, Turn},
    resolve::Resolved,
    validate::Verdict,
};
use crate::{
    clock::millis,
    event::EventKind,
    fault::{Fault, SessionError},
    record::{Lease, Record, Version},
    session::state::{Base, Client, Found, SessionState},
    store::{Cas, CasOutcome, Expected, Loaded, Millis, SessionStore},
    token::{SessionId, Token},
};

/// A lease that ends later than any policy's could was written under a clock that is wrong: no one has to wait for it.
const LONGEST_LEASE: Millis = 300_000;
/// The first and the longest pause between two looks at a lease of another process, in milliseconds.
const PAUSES: (u64, u64) = (4, 256);
/// How often a lease is given back in vain before it is left to run out.
const TRIES: u32 = 8;

/// How requests of one session take turns.
pub(super) struct Turns {
    wait: Duration,
    lease: Millis,
    line: Arc<Queue>,
}

impl Turns {
    /// As the policy says; `before` lends its line, so that a reload lets no one pass.
    pub(super) fn under(policy: &SessionPolicy, before: Option<&Self>) -> Option<Self> {
        let serial = policy.serial().filter(|_| policy.is_persistent())?;
        let line = before.map(|before| Arc::clone(&before.line)).unwrap_or_default();
        Some(Self { wait: serial.wait(), lease: millis(serial.lease()), line })
    }
}

/// What gives a request the session to itself. It is given back when the last that knows it lets go: at the end of the
/// commit, or because the request was dropped or has panicked.
pub(crate) struct Hold {
    claim: Claim,
    turn: Option<Turn>,
    /// The store may have the lease.
    stored: AtomicBool,
    /// The next write is the last of the request, and takes the lease away.
    ending: AtomicBool,
}

/// A lease by its holder's name.
#[derive(Clone)]
struct Claim {
    engine: SessionEngine,
    id: SessionId,
    holder: [u8; 16],
    /// The version that the lease was to be written over, while it isn't known whether it was.
    unsure: Option<Version>,
}

/// What a try to take the session came to.
enum Taken {
    Held(Base),
    /// Another write was faster.
    Missed(Turn, Loaded),
}

impl SessionEngine {
    /// Whether a request may have to wait for a session.
    pub(crate) fn takes_turns(&self) -> bool {
        self.shared.turns.is_some()
    }

    /// Opens a live session when it is this request's turn, as it is then.
    pub(super) async fn bind_in_turn(&self, turns: &Turns, base: Base, client: Client) -> Resolved {
        let mut patience = Patience::of(turns.wait);
        let Base { token, digest, record, by_previous, .. } = base;
        // What was read before the turn came may show the lease of the one before, who has just gone.
        let (mut turn, mut verdict, mut is_fresh) = match turns.line.turn_now(token.id) {
            Some(turn) => (turn, Verdict::Live { record, digest, by_previous }, false),
            None => match patience.in_time(turns.line.turn(token.id)).await {
                Some(turn) => (turn, self.look(&token, &client).await?, true),
                None => return Err(self.locked(&record)),
            },
        };
        loop {
            let now = self.shared.time.now();
            let Verdict::Live { record, digest, by_previous } = verdict else {
                drop(turn);
                return self.bind_verdict(token, verdict, client, now).await;
            };
            if record.lease.as_ref().is_some_and(|lease| is_held(lease, now)) {
                if is_fresh && !patience.pause().await {
                    return Err(self.locked(&record));
                }
                is_fresh = true;
                verdict = self.look(&token, &client).await?;
                continue;
            }
            let base = Base { token: token.clone(), digest, record, by_previous, hold: None };
            match self.take(turn, base, turns.lease, now).await? {
                Taken::Held(base) => return Ok(self.bind(Found::Live, Some(base), client, now)),
                Taken::Missed(given_back, loaded) => {
                    turn = given_back;
                    verdict = self.judge_loaded(&token, loaded, &client, self.shared.time.now());
                }
            }
        }
    }

    /// The session as it is now.
    async fn look(&self, token: &Token, client: &Client) -> Result<Verdict, SessionError> {
        let now = self.shared.time.now();
        let Some(store) = &self.shared.store else { return Ok(Verdict::Dead) };
        let loaded = store.load(token.id, now).await.map_err(|error| self.store_failed(error))?;
        Ok(self.judge_loaded(token, loaded, client, now))
    }

    /// Writes the lease. A store that does not answer at once is asked on a task of its own: a client that hangs up
    /// meanwhile leaves no lease that no one knows of.
    async fn take(&self, turn: Turn, base: Base, lease: Millis, now: Millis) -> Result<Taken, SessionError> {
        let mut taking: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(self.clone().write_lease(turn, base, lease, now));
        match poll_fn(|cx| Poll::Ready(taking.as_mut().poll(cx))).await {
            Poll::Ready(taken) => taken,
            Poll::Pending => self.uninterrupted(|_| taking).await,
        }
    }

    async fn write_lease(
        self,
        turn: Turn,
        base: Base,
        lease: Millis,
        now: Millis,
    ) -> Result<Taken, SessionError> {
        let Some(store) = self.shared.store.clone() else { return Ok(Taken::Missed(turn, Loaded::Absent)) };
        let claim = Claim {
            engine: self.clone(),
            id: base.token.id,
            holder: rand::random(),
            unsure: Some(base.record.version),
        };
        let until = now.saturating_add(lease);
        let next = Arc::new(Record {
            version: base.record.version.next(),
            // It is a use, and written anyway.
            last_seen: now.max(base.record.last_seen),
            lease: Some(Box::new(Lease { holder: claim.holder, until })),
            ..(*base.record).clone()
        });
        let mut hold =
            Hold { claim, turn: Some(turn), stored: AtomicBool::new(true), ending: AtomicBool::new(false) };
        let cas = self.cas_of(base.token.id, base.record.version, &next, now);
        let outcome = store.cas(cas).await.map_err(|error| self.store_failed(error))?;
        hold.claim.unsure = None;
        if matches!(outcome, CasOutcome::Stored) {
            return Ok(Taken::Held(Base { record: next, hold: Some(Arc::new(hold)), ..base }));
        }
        hold.has_ended();
        let turn = hold.turn.take();
        match (outcome, turn) {
            (CasOutcome::Conflict(stored), Some(turn)) => Ok(Taken::Missed(turn, Loaded::Live(stored))),
            (CasOutcome::Gone(Some(why)), Some(turn)) => Ok(Taken::Missed(turn, Loaded::Ended(why))),
            (CasOutcome::Gone(None), Some(turn)) => Ok(Taken::Missed(turn, Loaded::Absent)),
            _ => Err(SessionError::new(
                Fault::StoreUnavailable,
                "the store could not take the session's lease",
            )),
        }
    }

    fn cas_of(&self, id: SessionId, over: Version, next: &Record, now: Millis) -> Cas {
        Cas {
            id,
            owner: self.shared.store.as_ref().and_then(|store| self.owner_for(store, next)),
            expected: Expected::Version(over),
            record: next.encode(&self.shared.name),
            expires: self.shared.lifetimes.expires(next),
            now,
            deadline: now.saturating_add(self.shared.store.as_ref().map_or(0, |store| millis(store.limit()))),
        }
    }

    /// Lets the next request have the session: the one write of a request that changed nothing.
    pub(super) async fn end_turn(&self, state: &SessionState) {
        let Some((hold, record)) = let_go(state) else { return };
        if hold.is_stored() && hold.claim.free(Some(record)).await {
            hold.has_ended();
        }
    }

    fn locked(&self, record: &Record) -> SessionError {
        self.event(EventKind::Locked, |event| {
            event.handle = Some(record.handle);
            event.fault = Some(Fault::Locked);
        });
        SessionError::new(Fault::Locked, "another request of the session is under way: try again")
    }
}

/// Takes the hold out of a state whose request is over. What is returned gives the session back when it is dropped.
pub(crate) fn let_go(state: &SessionState) -> Option<(Arc<Hold>, Arc<Record>)> {
    let mut inner = state.lock();
    let base = inner.base.as_mut()?;
    Some((base.hold.take()?, Arc::clone(&base.record)))
}

/// Whether someone has the session now.
fn is_held(lease: &Lease, now: Millis) -> bool {
    lease.until > now && lease.until - now <= LONGEST_LEASE
}

/// What a request is told that was too slow.
pub(super) fn run_out() -> SessionError {
    let detail = "the request took longer than `serial.lease`, and another has had the session since";
    SessionError::new(Fault::Conflict, detail)
}

impl Hold {
    /// The lease after a write: as long again, or none if it is the request's last.
    pub(super) fn goes_on(&self, now: Millis) -> Option<Box<Lease>> {
        let lease = self.claim.engine.shared.turns.as_ref()?.lease;
        let holder = self.claim.holder;
        (!self.ending.load(SeqCst)).then(|| Box::new(Lease { holder, until: now.saturating_add(lease) }))
    }

    /// Whether a newer record is still this request's to change.
    pub(super) fn allows(&self, record: &Record) -> bool {
        !self.is_stored() || record.is_leased_to(&self.claim.holder)
    }

    pub(super) fn comes_to_its_end(&self) {
        self.ending.store(true, SeqCst);
    }

    /// A write of the request is stored.
    pub(super) fn was_written(&self) {
        if self.ending.load(SeqCst) {
            self.has_ended();
        }
    }

    /// The store has no lease any more.
    pub(super) fn has_ended(&self) {
        self.stored.store(false, SeqCst);
    }

    fn is_stored(&self) -> bool {
        self.stored.load(SeqCst)
    }
}

/// A request that is dropped, or panics, gives the session back. Without a runtime, the lease runs out.
impl Drop for Hold {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.is_stored() {
            let (claim, turn) = (self.claim.clone(), self.turn.take());
            runtime.spawn(async move {
                claim.free(None).await;
                // Who is next in line meets no lease.
                drop(turn);
            });
        }
    }
}

impl Claim {
    /// Takes the lease out of the record, if it is there; false if the store would not say so.
    async fn free(&self, mut known: Option<Arc<Record>>) -> bool {
        let engine = &self.engine;
        let Some(store) = &engine.shared.store else { return true };
        let mut patience = Patience::of(Duration::from_secs(1));
        for _ in 0..TRIES {
            let now = engine.shared.time.now();
            let current = match known.take() {
                Some(record) => record,
                None => match store.load(self.id, now).await {
                    Ok(Loaded::Live(stored)) => match engine.decode(&stored) {
                        Some(record) => record,
                        None => return true,
                    },
                    Ok(_) => return true,
                    Err(_) if patience.pause().await => continue,
                    Err(_) => return false,
                },
            };
            if !current.is_leased_to(&self.holder) && self.unsure != Some(current.version) {
                return true;
            }
            let next = Record { version: current.version.next(), lease: None, ..(*current).clone() };
            match store.cas(engine.cas_of(self.id, current.version, &next, now)).await {
                Ok(CasOutcome::Stored | CasOutcome::Gone(_)) => return true,
                Ok(CasOutcome::Conflict(stored)) => known = engine.decode(&stored),
                _ if patience.pause().await => {}
                _ => return false,
            }
        }
        false
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("stored", &self.stored).finish_non_exhaustive()
    }
}

/// How long a request still waits.
struct Patience {
    until: Instant,
    /// The next pause, in milliseconds.
    pause: u64,
}

impl Patience {
    fn of(wait: Duration) -> Self {
        Self { until: Instant::now() + wait, pause: PAUSES.0 }
    }

    /// What is waited for, if it comes in time. Without a runtime there is no timer, and it is waited for.
    async fn in_time<T>(&self, coming: impl Future<Output = T>) -> Option<T> {
        if Handle::try_current().is_err() {
            return Some(coming.await);
        }
        tokio::time::timeout_at(self.until, coming).await.ok()
    }

    /// Waits before another look, longer each time and with jitter, so that processes don't meet again and again; false
    /// if there is no time left.
    async fn pause(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() || Handle::try_current().is_err() {
            return false;
        }
        let pause = Duration::from_millis(rand::random_range(self.pause / 2..=self.pause));
        self.pause = (self.pause * 2).min(PAUSES.1);
        tokio::time::sleep(pause.min(left)).await;
        true
    }
}
