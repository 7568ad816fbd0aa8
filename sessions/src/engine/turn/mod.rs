//! One request of a session at a time, where the policy says `on_conflict = "serial"`.
//!
//! Within a process requests wait in line. Over processes, a *lease* in the record says who has the session and until
//! when: it is written when the session is opened, and goes with the commit's own write. The version is the fence: a
//! request whose lease has run out and that another has followed finds a newer record without its name, and is refused.

mod hold;
mod patience;

use std::{sync::Arc, time::Duration};

use sessions_policy::SessionPolicy;

pub(crate) use self::hold::Hold;
use self::patience::Patience;
use super::{
    SessionEngine,
    queue::{Queue, Turn},
    resolve::Resolved,
    validate::Verdict,
    waited::Waited,
};
use crate::{
    clock::millis,
    event::EventKind,
    fault::{Fault, SessionError},
    record::{Lease, Record, Version},
    session::state::{Base, Client, Found, SessionState},
    store::{Cas, CasOutcome, Expected, Loaded, Millis, SessionStore},
    token::{SessionId, Token},
    web::RequestHead,
};

/// A lease that ends later than any policy's could was written under a clock that is wrong: no one has to wait for it.
const LONGEST_LEASE: Millis = 300_000;

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
    pub(super) async fn bind_in_turn(
        &self,
        turns: &Turns,
        base: Base,
        client: Client,
        mut waited: Waited,
    ) -> Resolved {
        let mut patience = Patience::of(turns.wait);
        let Base { token, digest, record, by_previous, .. } = base;
        // What was read before the turn came may show the lease of the one before, who has just gone.
        let (mut turn, mut verdict, mut is_fresh) = match turns.line.turn_now(token.id) {
            Some(turn) => (turn, Verdict::Live { record, digest, by_previous }, false),
            None => match patience.in_time(turns.line.turn(token.id)).await {
                Some(turn) => (turn, self.spend(&mut waited, self.look(&token, &client)).await?, true),
                None => return Err(self.locked(&record)),
            },
        };
        loop {
            let now = self.shared.time.now();
            let Verdict::Live { record, digest, by_previous } = verdict else {
                drop(turn);
                return self.bind_verdict(token, verdict, client, now, waited).await;
            };
            if record.lease.as_ref().is_some_and(|lease| is_held(lease, now)) {
                if is_fresh && !patience.pause().await {
                    return Err(self.locked(&record));
                }
                is_fresh = true;
                verdict = self.spend(&mut waited, self.look(&token, &client)).await?;
                continue;
            }
            let base =
                Base { token: token.clone(), digest, record, by_previous, on_socket: false, hold: None };
            match self.spend(&mut waited, self.take(turn, base, now)).await? {
                Taken::Held(base) => return Ok(self.bind(Found::Live, Some(base), client, now, waited)),
                Taken::Missed(given_back, loaded) => {
                    turn = given_back;
                    verdict = self.judge_loaded(&token, loaded, &client, self.shared.time.now());
                }
            }
        }
    }

    /// Opens a session to end it: an ending waits for no one.
    pub(crate) async fn resolve_to_end(&self, head: RequestHead<'_>) -> Resolved {
        if let Some(engine) = self.for_request(head) {
            return Box::pin(engine.resolve_to_end(head)).await;
        }
        let (token, carried) = self.detect(head)?;
        let (client, now) = (Client { carried, ..self.client(head) }, self.shared.time.now());
        let mut waited = Waited::default();
        let Some(token) = token else { return Ok(self.bind(Found::Nothing, None, client, now, waited)) };
        match self.spend(&mut waited, self.look(&token, &client)).await? {
            Verdict::Live { record, digest, by_previous } => {
                let base = Base { token, digest, record, by_previous, on_socket: false, hold: None };
                Ok(self.bind(Found::Live, Some(base), client, now, waited))
            }
            verdict => self.bind_verdict(token, verdict, client, now, waited).await,
        }
    }

    /// The session as it is now.
    pub(crate) async fn look(&self, token: &Token, client: &Client) -> Result<Verdict, SessionError> {
        let now = self.shared.time.now();
        let Some(store) = &self.shared.store else { return Ok(Verdict::Dead) };
        let loaded = store.load(token.id, now).await.map_err(|error| self.store_failed(error))?;
        Ok(self.judge_loaded(token, loaded, client, now))
    }

    /// Writes the lease. A client that hangs up meanwhile leaves no lease that no one knows of.
    async fn take(&self, turn: Turn, base: Base, now: Millis) -> Result<Taken, SessionError> {
        self.uninterrupted(move |engine| engine.write_lease(turn, base, now)).await
    }

    async fn write_lease(self, turn: Turn, base: Base, now: Millis) -> Result<Taken, SessionError> {
        let Some(store) = self.shared.store.clone() else { return Ok(Taken::Missed(turn, Loaded::Absent)) };
        let hold = Hold::claiming(self.clone(), base.token.id, base.record.version, turn);
        let next = Arc::new(Record {
            version: base.record.version.next(),
            last_seen: self.shared.lifetimes.seen(&base.record, now, false),
            lease: hold.goes_on(now),
            ..(*base.record).clone()
        });
        let cas = self.cas_of(base.token.id, base.record.version, &next, now);
        let outcome = store.cas(cas).await.map_err(|error| self.store_failed(error))?;
        if matches!(outcome, CasOutcome::Stored) {
            return Ok(Taken::Held(Base { record: next, hold: Some(hold.has_begun()), ..base }));
        }
        match (outcome, hold.has_missed()) {
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
            announced: false,
            record: next.encode(&self.shared.name),
            expires: self.shared.lifetimes.expires(next),
            now,
            deadline: now.saturating_add(self.shared.store.as_ref().map_or(0, |store| millis(store.limit()))),
        }
    }

    /// Lets the next request have the session: the one write of a request that changed nothing.
    pub(super) async fn end_turn(&self, state: &SessionState) {
        let Some((hold, record)) = let_go(state) else { return };
        // Where there is no time left, the hold goes on to give it back when it is dropped.
        let given_back = async {
            hold.give_back(record).await;
            Ok(())
        };
        let _ = self.within(state, given_back).await;
    }

    /// Refuses a write of a socket while a request has the session to itself.
    pub(super) fn refuse_while_leased(&self, record: &Record) -> Result<(), SessionError> {
        let leased = record.lease.as_ref().is_some_and(|lease| is_held(lease, self.shared.time.now()));
        if self.shared.turns.is_some() && leased {
            return Err(SessionError::new(Fault::Locked, "a request of the session is under way: try again"));
        }
        Ok(())
    }

    fn locked(&self, record: &Record) -> SessionError {
        self.event(EventKind::Locked, |event| {
            event.of(record);
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
