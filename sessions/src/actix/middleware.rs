//! The layer as a middleware of actix-web: it lets handlers open sessions, and commits what they opened before the
//! response's head is sent. A request that opens none passes as it is.

use std::{
    fmt,
    future::{Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    error::InternalError,
};
use http::HeaderMap;

use super::{head, translate};
use crate::{
    fault::SessionError,
    layer::{Open, RequestSessions, SessionLayer, Sessions},
    registry::{Declared, Registry},
};

impl<S, D, B> Transform<S, ServiceRequest> for SessionLayer<D>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    D: Declared,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionMiddleware<S, D>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionMiddleware { inner, registry: self.registry.clone() }))
    }
}

/// A service of actix-web under a [`SessionLayer`].
pub struct SessionMiddleware<S, D> {
    inner: S,
    registry: Registry<D>,
}

impl<S: fmt::Debug, D> fmt::Debug for SessionMiddleware<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, D, B> Service<ServiceRequest> for SessionMiddleware<S, D>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    D: Declared,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (sessions, open) = RequestSessions::begin(&self.registry);
        head::carry(&request, sessions);
        let handler = self.inner.call(request);
        Box::pin(async move {
            match handler.await {
                Ok(response) => {
                    let (request, response) = response.into_parts();
                    Ok(ServiceResponse::new(request, end(&open, response).await))
                }
                Err(error) => Err(end_with_error(&open, error).await),
            }
        })
    }
}

/// The response when everything is committed, or what takes its place.
async fn end<B>(open: &Open, response: HttpResponse<B>) -> HttpResponse<EitherBody<B>> {
    let sessions = open.close();
    let mut response = match open.failure(translate::status(response.status())) {
        Some(error) => translate::refusal(error).map_into_right_body(),
        None => response.map_into_left_body(),
    };
    if !sessions.settle()
        && let Err(error) = sessions.commit(response.status().is_server_error()).await
    {
        response = translate::refusal(&error).map_into_right_body();
    }
    if let Err(error) = tell(&sessions, &mut response) {
        response = translate::refusal(&error).map_into_right_body();
    }
    response
}

/// The same for a response that actix-web makes of an error of another middleware.
async fn end_with_error(open: &Open, error: Error) -> Error {
    let response = end(open, error.error_response()).await.map_into_boxed_body();
    InternalError::from_response(error, response).into()
}

/// Closes the sessions and tells the client. The headers of a request without one stay as they are.
fn tell<B>(sessions: &Sessions, response: &mut HttpResponse<B>) -> Result<(), SessionError> {
    if sessions.iter().next().is_some() {
        let close = |_: &SessionError| sessions.tell(&mut HeaderMap::new());
        let mut headers = translate::headers(response.headers()).inspect_err(close)?;
        sessions.tell(&mut headers);
        *response.headers_mut() = translate::headers_back(&headers)?;
    }
    Ok(())
}
