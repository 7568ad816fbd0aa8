//! The guard as a middleware of actix-web: it refuses requests before they reach the services below it.

use std::{
    fmt,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};

use super::head;
use crate::{
    fault::SessionError,
    guard::Requirements,
    require::Require,
    session::{Registered, Session},
};

/// `.wrap(require::<policies::Admin>(role("admin")))` on a scope or a resource, below the registry's layer.
impl<S, P, B> Transform<S, ServiceRequest> for Require<P>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    P: Registered,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RequireMiddleware<S, P>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequireMiddleware { inner: Rc::new(inner), require: *self }))
    }
}

/// A service of actix-web that [`require`](crate::require) guards.
pub struct RequireMiddleware<S, P> {
    inner: Rc<S>,
    require: Require<P>,
}

impl<S: fmt::Debug, P: Registered> fmt::Debug for RequireMiddleware<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireMiddleware")
            .field("inner", &self.inner)
            .field("require", &self.require)
            .finish()
    }
}

impl<S, P, B> Service<ServiceRequest> for RequireMiddleware<S, P>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    P: Registered,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (inner, guard) = (Rc::clone(&self.inner), self.require.guard);
        Box::pin(async move {
            match ask::<P>(request.request(), &guard).await {
                Ok(()) => inner.call(request).await.map(ServiceResponse::map_into_left_body),
                Err(refusal) => Ok(request.error_response(refusal).map_into_right_body()),
            }
        })
    }
}

async fn ask<P: Registered>(request: &HttpRequest, guard: &Requirements) -> Result<(), SessionError> {
    let parts = head::parts(request)?;
    Session::<P>::open_for((&parts).into(), guard).await.map(drop)
}
