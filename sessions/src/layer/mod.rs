//! The tower layer: it lets handlers open sessions, and commits what they opened when the response is ready.
//!
//! A request that opens no session passes as it is.

mod opened;
mod request;

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Once},
    task::{Context, Poll, ready},
};

use http::{Request, Response, request::Parts};
use pin_project_lite::pin_project;
use sessions_policy::Profile;
use tower_layer::Layer;
use tower_service::Service;

use self::opened::{Open, Opened, Sessions};
pub(crate) use self::request::RequestSessions;
#[cfg(feature = "ws")]
use crate::{engine::SessionEngine, web::RequestHead};
use crate::{
    engine::{commit::Outcome, copies::Freshness},
    fault::{Fault, SessionError},
    guard::{Guard, Requirements},
    registry::{Declared, Registry},
    session::{
        Registered, Session,
        state::{Emission, SessionState},
    },
    soon::{Soon, all},
    web::peer,
};

/// Gives the services below it their sessions: made by [`Registry::layer`].
pub struct SessionLayer<D> {
    registry: Registry<D>,
}

impl<D> SessionLayer<D> {
    pub(crate) fn new(registry: Registry<D>) -> Self {
        Self { registry }
    }
}

impl<D> Clone for SessionLayer<D> {
    fn clone(&self) -> Self {
        Self { registry: self.registry.clone() }
    }
}

impl<D> fmt::Debug for SessionLayer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("registry", &self.registry).finish()
    }
}

impl<S, D> Layer<S> for SessionLayer<D> {
    type Service = SessionService<S, D>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, registry: self.registry.clone() }
    }
}

/// A service under a [`SessionLayer`].
pub struct SessionService<S, D> {
    inner: S,
    registry: Registry<D>,
}

impl<S: Clone, D> Clone for SessionService<S, D> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), registry: self.registry.clone() }
    }
}

impl<S: fmt::Debug, D> fmt::Debug for SessionService<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, D, B, R> Service<Request<B>> for SessionService<S, D>
where
    S: Service<Request<B>, Response = Response<R>>,
    D: Declared,
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let opened = Arc::new(Opened::new(self.registry.settings()));
        let sessions = RequestSessions::<D> { opened: Arc::clone(&opened), declared: PhantomData };
        request.extensions_mut().insert(sessions);
        ResponseFuture { step: Step::Handling { handler: self.inner.call(request), open: Open(opened) } }
    }
}

impl<P: Registered, G: Guard> Session<P, G> {
    /// Opens the session of a request under a [`SessionLayer`], for tower services without axum: phases 1 to 4. Whoever
    /// opens the session of one policy first resolves it, and all share it; the layer commits it.
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
    pub async fn open(parts: &Parts) -> Result<Self, SessionError> {
        Self::open_soon(parts).await
    }

    /// The same for a session that need not be there: `None` is absence and nothing else, and no guard is asked.
    ///
    /// # Errors
    /// As for [`open`](Self::open), but for the guard's.
    pub async fn open_if_stored(parts: &Parts) -> Result<Option<Self>, SessionError> {
        let session = Self::open_unguarded(parts, Freshness::Copied).await?;
        Ok((!session.is_new()).then_some(session))
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
    pub async fn end(parts: &Parts) -> Result<bool, SessionError> {
        let mut session =
            Self::from_state(Self::sessions_of(parts)?.open_to_end(P::NAME, parts.into()).await?);
        if session.is_new() {
            return Ok(false);
        }
        session.clear_authentication();
        session.clear_data();
        let state = session.state();
        state.engine.commit_early(state).await?;
        Ok(matches!(state.lock().emission, Emission::Remove))
    }

    pub(crate) fn open_soon(parts: &Parts) -> Soon<'_, Result<Self, SessionError>> {
        Self::open_for(parts, &G::REQUIREMENTS)
    }

    /// The same for a guard that isn't in the type.
    pub(crate) fn open_for<'a>(
        parts: &'a Parts,
        needs: &'a Requirements,
    ) -> Soon<'a, Result<Self, SessionError>> {
        Self::open_unguarded(parts, needs.reads()).then(|session| {
            let session = session?;
            let engine = &session.state().engine;
            match engine.guard(session.state(), needs) {
                Ok(()) => Ok(session),
                Err(error) => Err(error.varying(engine.shared.transport.vary())),
            }
        })
    }

    /// The engine of a request whose session is opened by a socket.
    #[cfg(feature = "ws")]
    pub(crate) fn engine_of(parts: &Parts) -> Result<&SessionEngine, SessionError> {
        Self::sessions_of(parts)?.engine(P::NAME)
    }

    /// Opens the session of a request whose origin a socket has checked already, more strictly than an unsafe request's: over
    /// HTTP/2 the method of an upgrade is no safe one.
    #[cfg(feature = "ws")]
    pub(crate) async fn open_checked(parts: &Parts) -> Result<Self, SessionError> {
        static SAFE: http::Method = http::Method::GET;
        let head = RequestHead { method: &SAFE, ..RequestHead::from(parts) };
        Self::sessions_of(parts)?.open(P::NAME, head, Freshness::Stored).await.map(Self::from_state)
    }

    fn open_unguarded(parts: &Parts, freshness: Freshness) -> Soon<'_, Result<Self, SessionError>> {
        match Self::sessions_of(parts) {
            Ok(sessions) => {
                sessions.open(P::NAME, parts.into(), freshness).then(|state| state.map(Self::from_state))
            }
            Err(error) => Soon::now(Err(error)),
        }
    }

    /// The sessions of the request of these parts.
    fn sessions_of(parts: &Parts) -> Result<&RequestSessions<P::Declared>, SessionError> {
        let Some(sessions) = parts.extensions.get::<RequestSessions<P::Declared>>() else {
            let detail = format!(
                "no session layer above a handler of the policy `{}`: add `.layer(registry.layer())` to its router, with \
                 the registry of that policy",
                P::NAME
            );
            return Err(SessionError::new(Fault::Unusable, detail));
        };
        if sessions.opened.settings.profile() == Profile::Development && !peer::is_here(parts) {
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

/// Commits every opened session, then tells the client. A session that fails replaces the response; what the others
/// have to tell still goes out with it.
///
/// No `async fn`, whose future would hold its arguments twice.
fn commit_all<R: From<String>>(
    sessions: Sessions,
    response: Response<R>,
) -> impl Future<Output = Response<R>> {
    let outcome = if response.status().is_server_error() { Outcome::ServerError } else { Outcome::Answered };
    async move {
        let commit = async |state: &Arc<SessionState>| state.engine.commit_last(state, outcome).await;
        let committed = match sessions.only() {
            Some(state) => commit(state).await,
            // At once: each may take as long as its store's `timeout`, and so may all.
            None => Box::pin(all(sessions.iter().map(commit))).await.into_iter().collect(),
        };
        let response = match committed {
            Ok(()) => response,
            Err(error) => error.into_http().map(R::from),
        };
        tell(&sessions, response)
    }
}

/// Closes the sessions and tells the client.
fn tell<R>(sessions: &Sessions, mut response: Response<R>) -> Response<R> {
    for state in sessions.iter() {
        state.engine.emit(state, response.headers_mut());
    }
    response
}

pin_project! {
    /// The response of a service under a [`SessionLayer`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, R> {
        #[pin]
        step: Step<F, R>,
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

impl<F, R> fmt::Debug for ResponseFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ResponseFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<String> + Send + 'static,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut step = self.project().step;
        loop {
            let commit = match step.as_mut().project() {
                Now::Handling { handler, open } => {
                    let response = ready!(handler.poll(cx))?;
                    let sessions = open.0.close();
                    if sessions.iter().all(|state| state.engine.settle(state)) {
                        return Poll::Ready(Ok(tell(&sessions, response)));
                    }
                    Box::pin(commit_all(sessions, response))
                }
                Now::Committing { commit } => return commit.as_mut().poll(cx).map(Ok),
            };
            step.set(Step::Committing { commit });
        }
    }
}
