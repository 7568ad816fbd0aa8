//! The guard as a layer: it refuses requests before they reach the services below it. What it asks of a session, the
//! guard says; who commits the session, the [`SessionLayer`](crate::SessionLayer) above it.

use std::{
    fmt,
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    guard::Requirements,
    session::{Registered, Session},
};

/// Guards whole routers: requests whose session is not what the guard asks for are refused before any of their handlers.
///
/// It is the guard of [`#[session]`](macro@crate::session) for handlers that need no session themselves, with the same
/// refusals. A handler that takes a session of the policy shares the one that was opened here. It stands below the
/// registry's layer, and above or below any other.
///
/// ```
/// # mod shop { sessions::policies! { admin: { extends: "admin" } } }
/// # use shop::policies;
/// use axum::{Router, routing::get};
/// use sessions::{guard::role, require};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = policies::Registry::load().await?;
/// let office = Router::new()
///     .route("/metrics", get(|| async { "42" }))
///     .route_layer(require::<policies::Admin>(role("admin").fresh()));
/// let app: Router = Router::new().merge(office).layer(registry.layer());
/// # drop(app);
/// # Ok(())
/// # }
/// ```
///
/// [`Requirements::none`] refuses no one: it opens the session, so that a failing store or a request of another site is
/// answered here.
pub fn require<P: Registered>(guard: Requirements) -> Require<P> {
    Require { guard, policy: PhantomData }
}

/// The layer that [`require`] makes.
#[must_use = "a guard that is not added as a layer guards nothing"]
pub struct Require<P> {
    pub(crate) guard: Requirements,
    policy: PhantomData<fn() -> P>,
}

impl<P> Clone for Require<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Require<P> {}

impl<P: Registered> fmt::Debug for Require<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Require").field("policy", &P::NAME).field("guard", &self.guard).finish()
    }
}

impl<S, P: Registered> Layer<S> for Require<P> {
    type Service = Required<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Required { inner, require: *self }
    }
}

/// A service that [`require`] guards.
pub struct Required<S, P> {
    inner: S,
    require: Require<P>,
}

impl<S: Clone, P> Clone for Required<S, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), require: self.require }
    }
}

impl<S: fmt::Debug, P: Registered> fmt::Debug for Required<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Required").field("inner", &self.inner).field("require", &self.require).finish()
    }
}

impl<S, P, B, R> Service<Request<B>> for Required<S, P>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    P: Registered,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = RequiredFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was ready answers; its clone waits for the next request.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        let guard = self.require.guard;
        RequiredFuture(Box::pin(async move {
            let (parts, body) = request.into_parts();
            match Session::<P>::open_for((&parts).into(), &guard).await {
                Ok(_) => inner.call(Request::from_parts(parts, body)).await,
                Err(refusal) => Ok(refusal.into_http().map(R::from)),
            }
        }))
    }
}

/// The response of a service that [`require`] guards.
#[must_use = "futures do nothing unless polled"]
pub struct RequiredFuture<R, E>(Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>);

impl<R, E> fmt::Debug for RequiredFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiredFuture").finish_non_exhaustive()
    }
}

impl<R, E> Future for RequiredFuture<R, E> {
    type Output = Result<Response<R>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}
