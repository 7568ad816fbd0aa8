//! Phase 6: what the request recorded is written once, when the response head is ready and before it is sent.
//!
//! This file decides what has to be done; the ways to do it are beside it: [`write`](self::write) changes a session in
//! place, [`login`](self::login) brings a principal in, [`admit`](self::admit) within its limit, [`leave`](self::leave) ends
//! or leaves one, [`early`](self::early) writes before the response is ready. [`work`](self::work) is what one commit takes
//! out of the request's state.

mod admit;
mod early;
mod leave;
mod login;
mod work;
mod write;

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Response;
use sessions_policy::Scope;

use self::work::{Part, Work};
use super::{SessionEngine, waited::Waiter};
use crate::{
    clock::millis,
    event::EventKind,
    fault::{Fault, SessionError},
    observe::{self, Phase, Timer, instrument, span},
    record::{Nonce, Record, Version},
    session::{
        Session,
        state::{Base, Emission, Found, Identity, Inner, SessionState, Source},
    },
    store::{Millis, SessionStore, Touch, Touched},
    token::{Handle, SessionId, Token},
    transport::Lifetime,
};

/// How the handler ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It answered, or asked for an early commit.
    Answered,
    /// It answered with a 5xx status.
    ServerError,
}

/// What a commit did, to be adopted by the state.
#[derive(Debug)]
enum Done {
    /// Nothing to tell.
    Nothing,
    /// The session is stored like this; its client has to be told if the token or its life changed.
    Stored { base: Base, issue: bool },
    /// The session is over; `here` if it was this request that ended it.
    Ended { here: bool },
}

impl SessionEngine {
    /// Writes what a session's request recorded, and tells the response: phases 6 and 7.
    ///
    /// At most one store write for a request that doesn't change the principal. After it the session can't be changed.
    ///
    /// # Errors
    /// The response must not be sent as it is then: send [`SessionError::into_http`] instead.
    /// - [`Fault::Gone`]: the session ended while the request was under way; nothing was written.
    /// - [`Fault::ConcurrencyViolation`]: the limit refused the login; nothing changed.
    /// - [`Fault::Conflict`], [`Fault::TooLarge`]: refused by the policy; nothing was written.
    /// - [`Fault::StoreUnavailable`]: the store could not say that it was written.
    /// - [`Fault::Unusable`]: the session is another policy's; it stays as it is.
    ///
    /// # Cancel safety
    /// Dropping the future leaves all or nothing: what takes more than one store call goes on by itself.
    pub async fn commit<P, G, B>(
        &self,
        session: &Session<P, G>,
        response: &mut Response<B>,
    ) -> Result<(), SessionError> {
        let outcome =
            if response.status().is_server_error() { Outcome::ServerError } else { Outcome::Answered };
        let state = session.state();
        if !self.is_of(&state.engine) {
            let (own, other) = (&state.engine.shared.name, &self.shared.name);
            let detail =
                format!("a session of the policy `{own}` is committed by its engine, not by `{other}`'s");
            return Err(SessionError::new(Fault::Unusable, detail));
        }
        // The one that knows the request, unless the session is another engine's.
        let engine = if self.is(&state.engine) { &state.engine } else { self };
        let result = engine.commit_last(state, outcome).await;
        engine.emit(state, response.headers_mut());
        result
    }

    /// The commit when the response head is ready: nothing can be changed after it.
    pub(crate) async fn commit_last(
        &self,
        state: &Arc<SessionState>,
        outcome: Outcome,
    ) -> Result<(), SessionError> {
        let result = if self.settle(state) {
            Ok(())
        } else {
            let timer = Timer::start();
            let committed = self.commit_state(state, outcome);
            let committed = instrument(committed, span!("session.commit", self)).await;
            self.shared.meter.phase(Phase::Commit, timer);
            committed
        };
        result.map_err(|error| {
            let carried = state.lock().client.carried;
            self.answering(error, carried)
        })
    }

    /// Closes a session for which nothing has to be written at all, and tells whether it was one: the commit of most
    /// requests, and it waits for nothing.
    pub(crate) fn settle(&self, state: &SessionState) -> bool {
        let mut inner = state.lock();
        if inner.has_changes() || inner.misuse.is_some() || inner.moving.is_some() {
            return false;
        }
        let base = inner.base.as_ref().filter(|_| self.shared.store.is_some());
        let settled = base.is_none_or(|base| {
            // While the store is away, time asks for nothing.
            inner.source == Source::Outage
                || base.hold.is_none() && !base.by_previous && !self.write_is_due(base, inner.now)
        });
        inner.sent |= settled;
        settled
    }

    /// Whether time asks for a write that no handler recorded.
    fn write_is_due(&self, base: &Base, now: Millis) -> bool {
        let record = &base.record;
        self.shared.lifetimes.touch_is_due(record, now)
            || self.rotation_is_due(record, base.by_previous, now)
            || record.previous.as_ref().is_some_and(|previous| !previous.successor_used && !base.by_previous)
    }

    /// Closes the session to changes and writes what is recorded.
    pub(crate) async fn commit_state(
        &self,
        state: &Arc<SessionState>,
        outcome: Outcome,
    ) -> Result<(), SessionError> {
        let result = match self.take_work(state, outcome, Part::Last).await {
            Ok(Some(work)) => {
                let moves = work.moves;
                let done = match self.time_limit() {
                    None => self.perform(work).await,
                    Some(limit) => Box::pin(self.perform_within(limit, state, work)).await,
                };
                self.adopt(state, moves, done)
            }
            Ok(None) => Ok(()),
            Err(error) => {
                self.tell_not_written(&state.lock(), &error);
                Err(error)
            }
        };
        if self.shared.turns.is_some() {
            Box::pin(self.end_turn(state)).await;
        }
        result
    }

    /// Brings the state up to what a commit did that began when the session had moved so often.
    fn adopt(
        &self,
        state: &SessionState,
        moves: u32,
        done: Result<Done, SessionError>,
    ) -> Result<(), SessionError> {
        let mut inner = state.lock();
        match done {
            Ok(Done::Nothing) => Ok(()),
            Ok(Done::Stored { base, .. }) if inner.is_past(&base) => Ok(()),
            Ok(Done::Stored { base, issue }) => {
                if issue {
                    let life = self.life_of(&base.record);
                    inner.emission = Emission::Issue(write::carried(&base), life);
                }
                inner.adopt(base);
                Ok(())
            }
            Ok(Done::Ended { here }) => {
                inner.emission = if here { Emission::Remove } else { Emission::Nothing };
                inner.forget(here);
                Ok(())
            }
            Err(error) => {
                self.tell_not_written(&inner, &error);
                // Where another commit of this request has moved the session meanwhile, it is that one's to tell.
                if error.fault() == Fault::Gone && inner.moves == moves {
                    inner.emission = Emission::Nothing;
                    inner.forget(false);
                }
                Err(error)
            }
        }
    }

    /// Takes the one way that the work asks for. All but the plain write are boxed: they are rare, and large.
    async fn perform(&self, work: Box<Work>) -> Result<Done, SessionError> {
        let authenticated = work.base.as_ref().is_some_and(|base| base.record.is_authenticated());
        match (&work.identity, &work.base) {
            (Identity::Login { principal, .. }, Some(base)) if work.same_party => {
                Box::pin(self.confirm(&work, base, principal)).await
            }
            (Identity::Login { principal, began }, _) => {
                let (principal, began) = (Arc::clone(principal), *began);
                let login = move |engine: Self| async move { engine.login(&work, principal, began).await };
                Box::pin(self.uninterrupted(login)).await
            }
            (Identity::Logout, Some(base)) if authenticated => {
                if work.changes.fields(Some(&base.record.fields)).is_empty() {
                    return Box::pin(self.end_session(base)).await;
                }
                let leave = move |engine: Self| async move { engine.leave(&work).await };
                Box::pin(self.uninterrupted(leave)).await
            }
            (_, Some(base)) => {
                if !authenticated && work.changes.clears() && work.changes.fields(None).is_empty() {
                    return Box::pin(self.end_session(base)).await;
                }
                self.write(&work, base).await
            }
            (_, None) => {
                if work.found == Found::Superseded {
                    return Err(self.gone("the session id was superseded"));
                }
                if work.changes.fields(None).is_empty() {
                    return Ok(Done::Nothing);
                }
                Box::pin(self.create(&work)).await
            }
        }
    }

    /// The same in the time that the request has left. Where it is over, what must not be cut in half goes on, and learns
    /// that no one waits for it.
    async fn perform_within(
        &self,
        limit: Duration,
        state: &SessionState,
        mut work: Box<Work>,
    ) -> Result<Done, SessionError> {
        let waits = Waiter::default();
        work.waiter = Some(waits.clone());
        let mut under_way = Box::pin(self.perform(work));
        let mut waited = state.lock().waited;
        let done = waited.spend(limit, under_way.as_mut()).await;
        state.lock().waited = waited;
        match done {
            Some(done) => done,
            None if waits.give_up() => Err(self.out_of_time()),
            None => under_way.await,
        }
    }

    /// Runs steps that must not be cut in half where a client that hangs up can't: within one poll if their store answers
    /// at once, else on a task of their own.
    pub(super) async fn uninterrupted<F, W, T>(&self, work: W) -> Result<T, SessionError>
    where
        T: Send + 'static,
        W: FnOnce(Self) -> F,
        F: Future<Output = Result<T, SessionError>> + Send + 'static,
    {
        let mut steps = Box::pin(work(self.clone()));
        if tokio::runtime::Handle::try_current().is_err() {
            return steps.await;
        }
        // What panics here would end the task, if it had one, and not the request.
        let poll =
            |cx: &mut Context<'_>| Poll::Ready(catch_unwind(AssertUnwindSafe(|| steps.as_mut().poll(cx))));
        let interrupted = || SessionError::new(Fault::StoreUnavailable, "the commit was interrupted");
        match poll_fn(poll).await {
            Ok(Poll::Ready(done)) => done,
            Ok(Poll::Pending) => {
                let going_on = self.shared.family.go_on(observe::follow(steps));
                going_on.await.unwrap_or_else(|stopped| Err(interrupted().because(stopped)))
            }
            Err(_) => Err(interrupted().because("a step of it panicked")),
        }
    }

    /// Notes a use, if it is due. A failure only ever shortens idle, so it does not fail the request. It tells the client
    /// nothing, because a touch can't see whether the client's id was superseded meanwhile.
    async fn touch(&self, base: &Base, now: Millis) -> Done {
        let lifetimes = &self.shared.lifetimes;
        let Some(store) = self.shared.store.as_ref().filter(|_| lifetimes.touch_is_due(&base.record, now))
        else {
            return Done::Nothing;
        };
        let record = base.record.seen_at(now);
        let expires = lifetimes.expires(&record);
        let touch = Touch { id: base.token.id, owner: self.owner_for(store, &record), seen: now, expires };
        match store.touch(touch).await {
            Ok(Touched::Noted) => {
                self.event(EventKind::Refreshed, |event| event.of(&record));
                self.shared.hub.near.saw(base.token.id, &record);
                Done::Stored { base: Base { record, ..base.clone() }, issue: false }
            }
            Ok(Touched::Gone) => Done::Ended { here: false },
            Err(error) => {
                self.store_failed(error);
                Done::Nothing
            }
        }
    }

    /// Whether the client keeps the session beyond its own run: a remembered one, or a device's.
    fn is_persistent_cookie(&self, record: &Record) -> bool {
        record.remembered || self.shared.policy.scope() == Scope::Device
    }

    /// How long the client is told to keep it.
    fn life_of(&self, record: &Record) -> Lifetime {
        if !self.is_persistent_cookie(record) {
            return Lifetime::Browser;
        }
        let now = self.shared.time.now();
        Lifetime::Until(Duration::from_millis(self.shared.lifetimes.end(record).saturating_sub(now)))
    }

    /// Tells what became of changes for which there is no event that says more.
    pub(crate) fn tell_not_written(&self, inner: &Inner, error: &SessionError) {
        let has_its_own =
            matches!(error.fault(), Fault::Gone | Fault::StoreUnavailable | Fault::ConcurrencyViolation);
        if !has_its_own {
            self.event(EventKind::NotWritten, |event| {
                if let Some(record) = inner.record() {
                    event.of(record);
                }
                event.fault = Some(error.fault());
            });
        }
    }

    pub(crate) fn gone(&self, detail: &'static str) -> SessionError {
        self.event(EventKind::Gone, |event| {
            event.fault = Some(Fault::Gone);
            event.detail = Some(detail);
        });
        SessionError::new(Fault::Gone, detail)
    }

    /// The instant after which a write that was sent now must not be applied any more.
    fn write_deadline(&self, now: Millis) -> Millis {
        let limit = self.shared.store.as_ref().map_or(0, |store| millis(store.limit()));
        now.saturating_add(limit)
    }

    /// A record that begins now.
    fn new_record(&self, token: &Token, handle: Handle, work: &Work) -> Record {
        let remembered = work.remember.unwrap_or(false) && self.shared.policy.remember().is_some();
        Record {
            version: Version::first(),
            last_seen: work.now,
            created: work.now,
            started: work.now,
            deadline: self.shared.lifetimes.deadline(work.now, remembered),
            authenticated: None,
            rotated: work.now,
            remembered,
            digest: token.secret.digest(&self.shared.tag),
            handle,
            stored: None,
            principal: None,
            previous: None,
            retired: Vec::new(),
            forward: None,
            lease: None,
            fingerprint: work.client.fingerprint,
            agent: None,
            address: None,
            fields: Vec::new().into(),
            unknown: Vec::new(),
        }
    }

    /// Encrypts what a record's fields have that was written since it was read, if values are encrypted; what comes `from`
    /// another session is bound to this one.
    fn seal_fields(
        &self,
        record: &mut Record,
        from: Option<SessionId>,
        id: SessionId,
    ) -> Result<(), SessionError> {
        if self.shared.ring.is_none() {
            return Ok(());
        }
        if from.is_some() {
            record.open(self.binding(from));
        }
        let nonce = || {
            let mut nonce = Nonce::default();
            self.shared.entropy.fill(&mut nonce).ok().map(|()| nonce)
        };
        let sealed = record.seal(self.binding(Some(id)), nonce);
        sealed.ok_or_else(|| SessionError::new(Fault::RotationFailed, "a value can't be encrypted now"))
    }

    /// Refuses a session that is larger than the policy allows, before anything is written.
    fn check_size(&self, record: &Record) -> Result<(), SessionError> {
        let (size, most) = (record.payload(), self.shared.policy.max_size());
        if size > most {
            let detail = format!("the session would hold {size} bytes, and `max_size` is {most}");
            return Err(SessionError::new(Fault::TooLarge, detail));
        }
        let (keys, most) = (record.fields.list().len(), self.shared.policy.max_keys());
        if keys > most {
            let detail = format!("the session would hold {keys} keys, and `max_keys` is {most}");
            return Err(SessionError::new(Fault::TooLarge, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        principal::SessionPrincipal,
        soon::sizes::{FAST, size_of_given},
        store::Stamp,
    };

    #[test]
    fn what_is_not_cut_in_half_is_no_large_block() {
        type Login = (SessionEngine, Box<Work>, Arc<SessionPrincipal>, Stamp);
        let login = size_of_given(|(engine, work, principal, began): Login| async move {
            engine.login(&work, principal, began).await
        });
        let leave =
            size_of_given(
                |(engine, work): (SessionEngine, Box<Work>)| async move { engine.leave(&work).await },
            );
        assert!(login <= FAST && leave <= FAST, "{login} and {leave} bytes");
    }
}
