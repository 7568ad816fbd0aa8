//! The object-safe twin of [`SessionStore`], so that configuration picks the store and no type parameter leaks.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc, task::Poll, time::Duration};

use crate::soon::Soon;

use crate::{
    observe::{Answered, Operation, StoreMeter, Timer},
    outbox::{Notes, Outbox},
};

use super::{
    Admit, Admitted, Bookmark, Cas, CasOutcome, End, Ended, Endings, Listed, Loaded, MemoryStore, Millis,
    Owner, Scan, SessionId, SessionStore, StoreError, StoreStats, Touch, Touched,
};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

type Many<'a> = Pin<Box<dyn Future<Output = Vec<Result<Loaded, StoreError>>> + Send + 'a>>;

trait ErasedStore: Send + Sync + fmt::Debug {
    fn load(&self, id: SessionId, now: Millis) -> Answer<'_, Loaded>;
    fn load_many<'a>(&'a self, ids: &'a [SessionId], now: Millis) -> Many<'a>;
    fn cas(&self, write: Cas) -> Answer<'_, CasOutcome>;
    fn touch(&self, touch: Touch) -> Answer<'_, Touched>;
    fn admit(&self, admit: Admit) -> Answer<'_, Admitted>;
    fn end(&self, end: End) -> Answer<'_, Ended>;
    fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Answer<'_, Vec<Listed>>;
    fn sweep(&self, now: Millis, limit: usize) -> Answer<'_, usize>;
    fn stats(&self) -> Answer<'_, StoreStats>;
    fn scan<'a>(&'a self, from: Option<&'a Bookmark>, limit: usize, now: Millis) -> Answer<'a, Scan>;
    fn remembers_owners(&self) -> bool;
    fn tell_endings(&self, to: Endings) -> bool;
    fn time_limit(&self) -> Option<Duration>;
    fn outbox(&self) -> Option<Outbox>;
    fn shutdown(&self) -> Answer<'_, ()>;
}

impl<S: SessionStore> ErasedStore for S {
    fn load(&self, id: SessionId, now: Millis) -> Answer<'_, Loaded> {
        Box::pin(SessionStore::load(self, id, now))
    }
    fn load_many<'a>(&'a self, ids: &'a [SessionId], now: Millis) -> Many<'a> {
        Box::pin(SessionStore::load_many(self, ids, now))
    }
    fn cas(&self, write: Cas) -> Answer<'_, CasOutcome> {
        Box::pin(SessionStore::cas(self, write))
    }
    fn touch(&self, touch: Touch) -> Answer<'_, Touched> {
        Box::pin(SessionStore::touch(self, touch))
    }
    fn admit(&self, admit: Admit) -> Answer<'_, Admitted> {
        Box::pin(SessionStore::admit(self, admit))
    }
    fn end(&self, end: End) -> Answer<'_, Ended> {
        Box::pin(SessionStore::end(self, end))
    }
    fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Answer<'_, Vec<Listed>> {
        Box::pin(SessionStore::list(self, owner, after, limit, now))
    }
    fn sweep(&self, now: Millis, limit: usize) -> Answer<'_, usize> {
        Box::pin(SessionStore::sweep(self, now, limit))
    }
    fn stats(&self) -> Answer<'_, StoreStats> {
        Box::pin(SessionStore::stats(self))
    }
    fn scan<'a>(&'a self, from: Option<&'a Bookmark>, limit: usize, now: Millis) -> Answer<'a, Scan> {
        Box::pin(SessionStore::scan(self, from, limit, now))
    }
    fn remembers_owners(&self) -> bool {
        SessionStore::remembers_owners(self)
    }
    fn tell_endings(&self, to: Endings) -> bool {
        SessionStore::tell_endings(self, to)
    }
    fn time_limit(&self) -> Option<Duration> {
        SessionStore::time_limit(self)
    }
    fn outbox(&self) -> Option<Outbox> {
        SessionStore::outbox(self)
    }
    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(SessionStore::shutdown(self))
    }
}

/// A store of any kind, shared and held to a time limit for each operation.
///
/// An operation that does not answer in time is [`StoreError::Unknown`]: it may still be applied later, which is why
/// writes carry a deadline of their own.
#[derive(Clone)]
pub struct SharedStore {
    store: Kind,
    limit: Duration,
    /// The limit that the store keeps by itself.
    own_limit: Option<Duration>,
    meter: StoreMeter,
    outbox: Option<Outbox>,
}

/// The store in memory is called directly: it answers at once, and neither a box nor a time limit would serve it.
#[derive(Clone)]
enum Kind {
    Memory(MemoryStore),
    Other(Arc<dyn ErasedStore>),
}

/// Calls an operation on whichever store it is.
macro_rules! call {
    ($shared:ident.$operation:ident($($argument:expr),*)) => {
        match &$shared.store {
            Kind::Memory(store) => SessionStore::$operation(store, $($argument),*).await,
            Kind::Other(store) => $shared.limited(store.$operation($($argument),*)).await,
        }
    };
}

/// Measures what an operation takes, where that is measured.
macro_rules! timed {
    ($shared:ident, $operation:ident, $call:expr) => {{
        let timer = Timer::start();
        let answer = $call;
        $shared.meter.answered(Operation::$operation, timer, &answer);
        answer
    }};
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.store {
            Kind::Memory(store) => store.fmt(f),
            Kind::Other(store) => store.fmt(f),
        }
    }
}

impl SharedStore {
    /// The time limit of an operation unless the configuration says otherwise.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(2);

    /// Shares a store, with [`Self::DEFAULT_LIMIT`].
    pub fn new(store: impl SessionStore) -> Self {
        let store = match (&store as &dyn Any).downcast_ref::<MemoryStore>() {
            Some(memory) => Kind::Memory(memory.clone()),
            None => Kind::Other(Arc::new(store)),
        };
        let (own_limit, outbox) = match &store {
            Kind::Memory(_) => (None, None),
            Kind::Other(store) => (store.time_limit(), store.outbox()),
        };
        Self { store, limit: Self::DEFAULT_LIMIT, own_limit, meter: StoreMeter::unnamed(), outbox }
    }

    /// The same store with another time limit for each operation.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The same store with the series that its calls are counted in, unless it has some.
    pub(crate) fn metered(mut self, meter: impl FnOnce() -> StoreMeter) -> Self {
        if !self.meter.is_named() {
            self.meter = meter();
        }
        self
    }

    /// How long an operation may take.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether the store itself answers within the limit.
    fn keeps_limit(&self) -> bool {
        self.own_limit.is_some_and(|own| own <= self.limit)
    }

    /// Whether it is known to keep no one waiting.
    pub(crate) fn answers_at_once(&self) -> bool {
        matches!(self.store, Kind::Memory(_))
    }

    /// [`load`](SessionStore::load), at once where the store answers at once.
    pub(crate) fn load_soon(&self, id: SessionId, now: Millis) -> Soon<'_, Result<Loaded, StoreError>> {
        self.timed(Operation::Load, || match &self.store {
            Kind::Memory(store) => Soon::now(Ok(store.load_now(id, now))),
            Kind::Other(store) => self.limited(store.load(id, now)),
        })
    }

    /// [`cas`](SessionStore::cas) with what is to be noted, as soon: what answers at once has been asked when this returns.
    pub(crate) fn cas_soon(
        &self,
        write: Cas,
        notes: Option<Box<Notes>>,
    ) -> Soon<'_, Result<CasOutcome, StoreError>> {
        self.timed(Operation::Cas, || match (&self.store, self.noting(notes)) {
            (_, Some((outbox, notes))) => self.limited(outbox.cas(write, notes)),
            (Kind::Memory(store), None) => Soon::now(store.cas_now(&write)),
            (Kind::Other(store), None) => self.limited(store.cas(write)),
        })
    }

    /// The same for [`admit`](SessionStore::admit).
    pub(crate) fn admit_soon(
        &self,
        admit: Admit,
        notes: Option<Box<Notes>>,
    ) -> Soon<'_, Result<Admitted, StoreError>> {
        self.timed(Operation::Admit, || match (&self.store, self.noting(notes)) {
            (_, Some((outbox, notes))) => self.limited(outbox.admit(admit, notes)),
            (Kind::Memory(store), None) => Soon::now(store.admit_now(&admit)),
            (Kind::Other(store), None) => self.limited(store.admit(admit)),
        })
    }

    /// The same for [`end`](SessionStore::end).
    pub(crate) fn end_soon(
        &self,
        end: End,
        notes: Option<Box<Notes>>,
    ) -> Soon<'_, Result<Ended, StoreError>> {
        self.timed(Operation::End, || match (&self.store, self.noting(notes)) {
            (_, Some((outbox, notes))) => self.limited(outbox.end(end, notes)),
            (Kind::Memory(store), None) => Soon::now(Ok(store.end_now(&end))),
            (Kind::Other(store), None) => self.limited(store.end(end)),
        })
    }

    /// Where notes go, if there are any and the store keeps an outbox.
    fn noting(&self, notes: Option<Box<Notes>>) -> Option<(&Outbox, Box<Notes>)> {
        self.outbox.as_ref().zip(notes)
    }

    /// Measures what an operation takes, where that is measured.
    fn timed<'a, T: 'a>(
        &'a self,
        operation: Operation,
        call: impl FnOnce() -> Soon<'a, Result<T, StoreError>>,
    ) -> Soon<'a, Result<T, StoreError>>
    where
        for<'answer> Answered: From<&'answer Result<T, StoreError>>,
    {
        let timer = Timer::start();
        let answer = call();
        if cfg!(feature = "metrics") {
            return answer.then(move |answer| {
                self.meter.answered(operation, timer, &answer);
                answer
            });
        }
        answer
    }

    /// Holds an answer to the time limit, unless the store does.
    fn limited<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Soon<'a, Result<T, StoreError>> {
        if self.keeps_limit() { Soon::Later(answer) } else { Soon::later(self.within(answer)) }
    }

    /// Whether changes leave events in an outbox.
    pub(crate) fn has_outbox(&self) -> bool {
        self.outbox.is_some()
    }

    async fn within<T>(&self, mut answer: Answer<'_, T>) -> Result<T, StoreError> {
        // What answers at once needs no timer.
        let first = std::future::poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
        match first {
            Poll::Ready(result) => result,
            // Boxed, so that the future of every request does not have to hold the timer's.
            Poll::Pending => match Box::pin(tokio::time::timeout(self.limit, answer)).await {
                Ok(result) => result,
                Err(elapsed) => Err(StoreError::Unknown(Some(Box::new(elapsed)))),
            },
        }
    }
}

impl SessionStore for SharedStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.load_soon(id, now).await
    }
    async fn load_many(&self, ids: &[SessionId], now: Millis) -> Vec<Result<Loaded, StoreError>> {
        match &self.store {
            Kind::Memory(store) => ids.iter().map(|id| Ok(store.load_now(*id, now))).collect(),
            Kind::Other(store) => match tokio::time::timeout(self.limit, store.load_many(ids, now)).await {
                Ok(loaded) => loaded,
                Err(_) => ids.iter().map(|_| Err(StoreError::Unknown(None))).collect(),
            },
        }
    }
    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.cas_soon(write, None).await
    }
    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        timed!(self, Touch, call!(self.touch(touch)))
    }
    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.admit_soon(admit, None).await
    }
    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.end_soon(end, None).await
    }
    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        timed!(self, List, call!(self.list(owner, after, limit, now)))
    }
    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        timed!(self, Sweep, call!(self.sweep(now, limit)))
    }
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        timed!(self, Stats, call!(self.stats()))
    }
    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        call!(self.scan(from, limit, now))
    }
    fn remembers_owners(&self) -> bool {
        match &self.store {
            Kind::Memory(store) => SessionStore::remembers_owners(store),
            Kind::Other(store) => store.remembers_owners(),
        }
    }
    fn tell_endings(&self, to: Endings) -> bool {
        match &self.store {
            Kind::Memory(store) => SessionStore::tell_endings(store, to),
            Kind::Other(store) => store.tell_endings(to),
        }
    }
    fn outbox(&self) -> Option<Outbox> {
        self.outbox.clone()
    }
    async fn shutdown(&self) -> Result<(), StoreError> {
        call!(self.shutdown())
    }
}
