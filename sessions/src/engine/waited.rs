//! How long one request waits for its store: all of its calls together no longer than the store's `timeout`. What becomes
//! of a call that is given up is not decided here.

use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::SessionEngine;
use crate::{
    fault::SessionError,
    session::state::SessionState,
    store::{SharedStore, StoreError},
};

/// What a request has waited. Time that passes otherwise gives as much back, so that a request that goes on for hours can
/// go on calling its store: this is the instant when all of it has been given back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waited(Option<Instant>);

impl Waited {
    /// What the calls answer, unless they take longer than is left of the limit. What answers at once needs no clock.
    pub(super) async fn spend<T>(&mut self, limit: Duration, calls: impl Future<Output = T>) -> Option<T> {
        let mut calls = pin!(calls);
        match poll_fn(|cx| Poll::Ready(calls.as_mut().poll(cx))).await {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => Box::pin(self.wait(limit, calls)).await,
        }
    }

    /// For calls that have just been polled.
    async fn wait<F: Future>(&mut self, limit: Duration, mut calls: Pin<&mut F>) -> Option<F::Output> {
        let began = Instant::now();
        let free = self.0.map_or(began, |free| free.max(began));
        let left = limit.saturating_sub(free - began);
        let mut end = pin!(sleep_until(began + left));
        let mut just_polled = true;
        let answer = poll_fn(|cx| {
            if !mem::take(&mut just_polled)
                && let Poll::Ready(answer) = calls.as_mut().poll(cx)
            {
                return Poll::Ready(Some(answer));
            }
            end.as_mut().poll(cx).map(|()| None)
        })
        .await;
        // As long as it took, and as long again: the time meanwhile gives nothing back.
        self.0 = Some(free + began.elapsed() * 2);
        answer
    }
}

/// Whether a request still waits for steps that go on without it.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiter(Arc<AtomicU8>);

const WAITS: u8 = 0;
const GONE: u8 = 1;
const TOLD: u8 = 2;

impl Waiter {
    /// The request answers that the store can't tell. False if the steps were done just before.
    pub(super) fn give_up(&self) -> bool {
        self.0.compare_exchange(WAITS, GONE, SeqCst, SeqCst).is_ok()
    }

    /// Whether the request has answered without them.
    pub(super) fn is_gone(&self) -> bool {
        self.0.load(SeqCst) == GONE
    }

    /// The steps are done, and their answer will be the request's. False if it has answered without them.
    pub(super) fn tell(&self) -> bool {
        self.0.compare_exchange(WAITS, TOLD, SeqCst, SeqCst).is_ok()
    }
}

impl SessionEngine {
    /// How long a request may wait for the store; `None` for one that answers at once.
    pub(super) fn time_limit(&self) -> Option<Duration> {
        self.shared.store.as_ref().filter(|store| !store.answers_at_once()).map(SharedStore::limit)
    }

    /// The longest time limit of the stores of a registry: for what goes through all policies.
    fn family_limit(&self) -> Option<Duration> {
        self.family().iter().filter_map(Self::time_limit).max()
    }

    /// What calls for a session's request come to, in the time that the request has left.
    pub(crate) async fn within<T>(
        &self,
        state: &SessionState,
        calls: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        self.within_limit(self.time_limit(), state, calls).await
    }

    /// The same for calls to the stores of all policies.
    pub(crate) async fn within_family<T>(
        &self,
        state: &SessionState,
        calls: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        self.within_limit(self.family_limit(), state, calls).await
    }

    /// What calls come to, in the time that is left of a request whose session isn't open yet.
    pub(super) async fn spend<T>(
        &self,
        waited: &mut Waited,
        calls: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        let Some(limit) = self.time_limit() else { return calls.await };
        waited.spend(limit, calls).await.unwrap_or_else(|| Err(self.out_of_time()))
    }

    async fn within_limit<T>(
        &self,
        limit: Option<Duration>,
        state: &SessionState,
        calls: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        let Some(limit) = limit else { return calls.await };
        // Commits of one request that overlap wait together: the last to come back says how long.
        let mut waited = state.lock().waited;
        let answer = waited.spend(limit, calls).await;
        state.lock().waited = waited;
        answer.unwrap_or_else(|| Err(self.out_of_time()))
    }

    /// What calls come to that no session asks for, to the stores of all policies: in one time limit together.
    pub(super) async fn in_time<T>(
        &self,
        calls: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        let Some(limit) = self.family_limit() else { return calls.await };
        Waited::default().spend(limit, calls).await.unwrap_or_else(|| Err(self.out_of_time()))
    }

    pub(super) fn out_of_time(&self) -> SessionError {
        self.store_failed(StoreError::Unknown(Some("the request has waited for its `timeout`".into())))
    }
}
