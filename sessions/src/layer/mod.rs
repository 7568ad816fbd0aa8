//! The tower layer: it lets handlers open sessions, and commits what they opened when the response is ready.
//!
//! A request that opens no session passes as it is.

mod answer;
mod ended;
mod opened;
mod request;

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::Once,
    task::{Context, Poll, ready},
};

#[cfg(feature = "ws")]
use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use sessions_policy::Profile;
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "tonic")]
pub(crate) use self::answer::sealed;
pub use self::answer::{Http, Protocol};
pub(crate) use self::{
    opened::{Open, Sessions},
    request::RequestSessions,
};
#[cfg(feature = "ws")]
use crate::engine::SessionEngine;
use crate::{
    engine::copies::Freshness,
    fault::{Fault, SessionError},
    guard::{Guard, Requirements},
    registry::{Declared, Registry},
    session::{Registered, Session, state::Emission},
    soon::Soon,
    web::{RequestHead, peer},
};

/// Gives the services below it their sessions: made by [`Registry::layer`]. `A` is what they speak. With the feature
/// `actix` it is a middleware of actix-web as well.
pub struct SessionLayer<D, A = Http> {
    pub(crate) registry: Registry<D>,
    speaks: PhantomData<fn() -> A>,
}

impl<D, A> SessionLayer<D, A> {
    pub(crate) fn new(registry: Registry<D>) -> Self {
        Self { registry, speaks: PhantomData }
    }
}

impl<D, A> Clone for SessionLayer<D, A> {
    fn clone(&self) -> Self {
        Self::new(self.registry.clone())
    }
}

impl<D, A> fmt::Debug for SessionLayer<D, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("registry", &self.registry).finish()
    }
}

impl<S, D, A> Layer<S> for SessionLayer<D, A> {
    type Service = SessionService<S, D, A>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, registry: self.registry.clone(), speaks: PhantomData }
    }
}

/// A service under a [`SessionLayer`].
pub struct SessionService<S, D, A = Http> {
    inner: S,
    registry: Registry<D>,
    speaks: PhantomData<fn() -> A>,
}

impl<S: Clone, D, A> Clone for SessionService<S, D, A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), registry: self.registry.clone(), speaks: PhantomData }
    }
}

impl<S: fmt::Debug, D, A> fmt::Debug for SessionService<S, D, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, D, A, B, R> Service<Request<B>> for SessionService<S, D, A>
where
    S: Service<Request<B>, Response = Response<R>>,
    D: Declared,
    A: Protocol<R>,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R, A>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (sessions, open) = RequestSessions::begin(&self.registry);
        request.extensions_mut().insert(sessions);
        let step = Step::Handling { handler: self.inner.call(request), open };
        ResponseFuture { step, speaks: PhantomData }
    }
}

impl<P: Registered, G: Guard> Session<P, G> {
    /// Opens the session of a request under a [`SessionLayer`], for tower services without axum: phases 1 to 4. Whoever
    /// opens the session of one policy first resolves it, and all share it; the layer commits it.
    ///
    /// `head` is the request, its parts, or a [`RequestHead`] of what another framework calls them.
    ///
    /// ```
    /// # mod shop { sessions::policies! { visits: { ttl: "1h" } } }
    /// use shop::policies::Visits;
    /// use sessions::{Session, SessionError};
    ///
    /// async fn serve(request: http::Request<()>) -> Result<http::Response<String>, SessionError> {
    ///     let (parts, ()) = request.into_parts();
    ///     let session = Session::<Visits>::open(&parts).await?;
    ///     let visits = session.update("visits", |n: &mut u32| { *n += 1; *n }).await?;
    ///     Ok(http::Response::new(visits.to_string()))
    /// }
    /// ```
    ///
    /// # Errors
    /// - As for [`SessionEngine::resolve`](crate::SessionEngine::resolve).
    /// - [`Fault::Required`], [`Fault::Forbidden`], [`Fault::NotFresh`]: the guard `G` refuses. [`Fault::Forbidden`] also
    ///   for a request from elsewhere under the development profile (see [`Peer`](crate::Peer)).
    /// - [`Fault::Unusable`]: the request did not come through the layer of the policy's registry, or its response has
    ///   been sent.
    ///
    /// # Cancel safety
    /// As for [`SessionEngine::resolve`](crate::SessionEngine::resolve).
    pub fn open<'a>(
        head: impl Into<RequestHead<'a>>,
    ) -> impl Future<Output = Result<Self, SessionError>> + Send {
        let head = head.into();
        async move { Self::open_soon(head).await }
    }

    /// The same for a session that need not be there: `None` is absence and nothing else, and no guard is asked.
    ///
    /// # Errors
    /// As for [`open`](Self::open), but for the guard's.
    pub fn open_if_stored<'a>(
        head: impl Into<RequestHead<'a>>,
    ) -> impl Future<Output = Result<Option<Self>, SessionError>> + Send {
        let head = head.into();
        async move {
            let session = Self::open_unguarded(head, Freshness::Copied).await?;
            Ok((!session.is_new()).then_some(session))
        }
    }

    /// Ends the session that a request presents, at once: also where another request has it to itself (`on_conflict =
    /// "serial"`), which then fails as [`Fault::Gone`]. The response removes the credential. True if it was this request
    /// that ended one.
    ///
    /// It is the logout that waits for no one; `clear_authentication` with `clear_data` on an open session waits for the
    /// session's turn.
    ///
    /// ```
    /// # mod shop { sessions::policies! { account: { extends: "user_default", on_conflict: "serial" } } }
    /// use shop::policies::Account;
    /// use sessions::{Session, SessionError};
    ///
    /// async fn log_out(request: http::Request<()>) -> Result<&'static str, SessionError> {
    ///     let (parts, ()) = request.into_parts();
    ///     let ended = Session::<Account>::end(&parts).await?;
    ///     Ok(if ended { "Logged out" } else { "You were not logged in" })
    /// }
    /// ```
    ///
    /// # Errors
    /// As for [`open`](Self::open), but for the guard's and [`Fault::Locked`].
    ///
    /// # Cancel safety
    /// The session is ended or not.
    pub fn end<'a>(
        head: impl Into<RequestHead<'a>>,
    ) -> impl Future<Output = Result<bool, SessionError>> + Send {
        let head = head.into();
        async move { Self::end_of(head).await }
    }

    async fn end_of(head: RequestHead<'_>) -> Result<bool, SessionError> {
        let mut session = Self::from_state(Self::sessions_of(head)?.open_to_end(P::NAME, head).await?);
        if session.is_new() {
            return Ok(false);
        }
        session.clear_authentication();
        session.clear_data();
        let state = session.state();
        state.engine.commit_early(state).await?;
        Ok(matches!(state.lock().emission, Emission::Remove))
    }

    pub(crate) fn open_soon(head: RequestHead<'_>) -> Soon<'_, Result<Self, SessionError>> {
        Self::open_for(head, &G::REQUIREMENTS)
    }

    /// The same for a guard that isn't in the type.
    pub(crate) fn open_for<'a>(
        head: RequestHead<'a>,
        needs: &'a Requirements,
    ) -> Soon<'a, Result<Self, SessionError>> {
        Self::open_unguarded(head, needs.reads()).then(|session| session?.guarded(needs))
    }

    /// The session, if a guard lets it pass.
    pub(crate) fn guarded(self, needs: &Requirements) -> Result<Self, SessionError> {
        let engine = &self.state().engine;
        match engine.guard(self.state(), needs) {
            Ok(()) => Ok(self),
            Err(error) => {
                let carried = self.state().lock().client.carried;
                Err(engine.answering(error, carried))
            }
        }
    }

    /// The engine of a request whose session is opened by a socket.
    #[cfg(feature = "ws")]
    pub(crate) fn engine_of(parts: &Parts) -> Result<&SessionEngine, SessionError> {
        Self::sessions_of(parts.into())?.engine(P::NAME)
    }

    /// Opens the session of a request whose origin a socket has checked already, more strictly than an unsafe request's: over
    /// HTTP/2 the method of an upgrade is no safe one.
    #[cfg(feature = "ws")]
    pub(crate) async fn open_checked(parts: &Parts) -> Result<Self, SessionError> {
        static SAFE: http::Method = http::Method::GET;
        let head = RequestHead { method: &SAFE, ..RequestHead::from(parts) };
        Self::sessions_of(head)?.open(P::NAME, head, Freshness::Stored).await.map(Self::from_state)
    }

    pub(crate) fn open_unguarded(
        head: RequestHead<'_>,
        freshness: Freshness,
    ) -> Soon<'_, Result<Self, SessionError>> {
        match Self::sessions_of(head) {
            Ok(sessions) => sessions.open(P::NAME, head, freshness).then(|state| state.map(Self::from_state)),
            Err(error) => Soon::now(Err(error)),
        }
    }

    /// The sessions of the request with this head.
    fn sessions_of(head: RequestHead<'_>) -> Result<&RequestSessions<P::Declared>, SessionError> {
        let Some(sessions) = head.extensions.get::<RequestSessions<P::Declared>>() else {
            let detail = format!(
                "no session layer above a handler of the policy `{}`: add `.layer(registry.layer())` to its router, with \
                 the registry of that policy",
                P::NAME
            );
            return Err(SessionError::new(Fault::Unusable, detail));
        };
        if sessions.opened.settings.profile() == Profile::Development && !peer::is_here(head) {
            // Once: anyone in the network can ask again and again.
            static TOLD: Once = Once::new();
            TOLD.call_once(|| {
                tracing::error!(
                    "SESSIONS_PROFILE is `development`, which serves this machine alone (SL095): a request was refused \
                     that is from elsewhere, or whose `sessions::Peer` the server does not tell"
                );
            });
            let detail = "the development profile serves this machine alone: see `sessions::Peer`";
            return Err(SessionError::new(Fault::Forbidden, detail));
        }
        Ok(sessions)
    }
}

/// Commits what was opened, then tells the client.
///
/// No `async fn`, whose future would hold its arguments twice.
fn commit_all<A: Protocol<R>, R>(
    sessions: Sessions,
    response: Response<R>,
) -> impl Future<Output = Response<R>> {
    let has_failed = A::has_failed(&response);
    async move {
        let response = match sessions.commit(has_failed).await {
            Ok(()) => response,
            Err(error) => A::refuse(error),
        };
        tell(&sessions, response)
    }
}

fn tell<R>(sessions: &Sessions, mut response: Response<R>) -> Response<R> {
    sessions.tell(response.headers_mut());
    response
}

pin_project! {
    /// The response of a service under a [`SessionLayer`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, R, A = Http> {
        #[pin]
        step: Step<F, R>,
        speaks: PhantomData<fn() -> A>,
    }
}

pin_project! {
    #[project = Now]
    enum Step<F, R> {
        /// The handler is at work.
        Handling { #[pin] handler: F, open: Open },
        /// What it opened is being committed.
        Committing { commit: Pin<Box<dyn Future<Output = Response<R>> + Send>> },
    }
}

impl<F, R, A> fmt::Debug for ResponseFuture<F, R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, R, A, E> Future for ResponseFuture<F, R, A>
where
    F: Future<Output = Result<Response<R>, E>>,
    A: Protocol<R>,
    R: Send + 'static,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut step = self.project().step;
        loop {
            let commit = match step.as_mut().project() {
                Now::Handling { handler, open } => {
                    let response = ready!(handler.poll(cx))?;
                    let sessions = open.close();
                    if sessions.settle() {
                        return Poll::Ready(Ok(tell(&sessions, response)));
                    }
                    Box::pin(commit_all::<A, R>(sessions, response))
                }
                Now::Committing { commit } => return commit.as_mut().poll(cx).map(Ok),
            };
            step.set(Step::Committing { commit });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soon::sizes::{FAST, size_of_given};

    #[test]
    fn the_commit_of_a_response_is_no_large_block() {
        let size = size_of_given(|(sessions, response)| commit_all::<Http, String>(sessions, response));
        assert!(size <= FAST, "{size} bytes");
    }
}
