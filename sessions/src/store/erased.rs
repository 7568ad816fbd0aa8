//! The object-safe twin of [`SessionStore`], so that configuration picks the store and no type parameter leaks.

use std::{fmt, future::Future, pin::Pin, sync::Arc, task::Poll, time::Duration};

use super::{
    Admit, Admitted, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, SessionId, SessionStore,
    StoreError, StoreStats, Touch, Touched,
};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

trait ErasedStore: Send + Sync + fmt::Debug {
    fn load(&self, id: SessionId, now: Millis) -> Answer<'_, Loaded>;
    fn cas(&self, write: Cas) -> Answer<'_, CasOutcome>;
    fn touch(&self, touch: Touch) -> Answer<'_, Touched>;
    fn admit(&self, admit: Admit) -> Answer<'_, Admitted>;
    fn end(&self, end: End) -> Answer<'_, Ended>;
    fn list(&self, owner: Owner, after: Option<SessionId>, limit: usize, now: Millis)
    -> Answer<'_, Vec<Listed>>;
    fn sweep(&self, now: Millis, limit: usize) -> Answer<'_, usize>;
    fn stats(&self) -> Answer<'_, StoreStats>;
    fn shutdown(&self) -> Answer<'_, ()>;
}

impl<S: SessionStore> ErasedStore for S {
    fn load(&self, id: SessionId, now: Millis) -> Answer<'_, Loaded> {
        Box::pin(SessionStore::load(self, id, now))
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
    store: Arc<dyn ErasedStore>,
    limit: Duration,
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

impl SharedStore {
    /// The time limit of an operation unless the configuration says otherwise.
    pub const DEFAULT_LIMIT: Duration = Duration::from_secs(2);

    /// Shares a store, with [`Self::DEFAULT_LIMIT`].
    pub fn new(store: impl SessionStore) -> Self {
        Self { store: Arc::new(store), limit: Self::DEFAULT_LIMIT }
    }

    /// The same store with another time limit for each operation.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How long an operation may take.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether both are one and the same store.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store)
    }

    async fn within<T>(&self, mut answer: Answer<'_, T>) -> Result<T, StoreError> {
        // A store in memory answers at once: no timer is made for it.
        let first = std::future::poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
        match first {
            Poll::Ready(result) => result,
            Poll::Pending => match tokio::time::timeout(self.limit, answer).await {
                Ok(result) => result,
                Err(elapsed) => Err(StoreError::Unknown(Some(Box::new(elapsed)))),
            },
        }
    }
}

impl SessionStore for SharedStore {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.within(self.store.load(id, now)).await
    }
    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.within(self.store.cas(write)).await
    }
    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.within(self.store.touch(touch)).await
    }
    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.within(self.store.admit(admit)).await
    }
    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.within(self.store.end(end)).await
    }
    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.within(self.store.list(owner, after, limit, now)).await
    }
    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.within(self.store.sweep(now, limit)).await
    }
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.within(self.store.stats()).await
    }
    async fn shutdown(&self) -> Result<(), StoreError> {
        self.within(self.store.shutdown()).await
    }
}
