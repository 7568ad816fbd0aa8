//! Sessions as axum extractors, and refusals as axum responses.

use axum_core::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    fault::{Fault, SessionError},
    guard::Guard,
    layer::RequestSessions,
    session::{Registered, Session},
};

impl<S, P, G> FromRequestParts<S> for Session<P, G>
where
    S: Send + Sync,
    P: Registered,
    G: Guard,
{
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        let session: Self = open(parts).await?;
        let engine = &session.state().engine;
        match engine.guard(session.state(), &G::REQUIREMENTS) {
            Ok(()) => Ok(session),
            Err(error) => Err(error.varying(engine.shared.transport.vary())),
        }
    }
}

/// `None` is absence and nothing else: a store that can't tell is a refusal here too.
impl<S, P, G> OptionalFromRequestParts<S> for Session<P, G>
where
    S: Send + Sync,
    P: Registered,
    G: Guard,
{
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        let session: Self = open(parts).await?;
        Ok((!session.is_new()).then_some(session))
    }
}

async fn open<P: Registered, G>(parts: &Parts) -> Result<Session<P, G>, SessionError> {
    let Some(sessions) = parts.extensions.get::<RequestSessions<P::Declared>>() else {
        return Err(SessionError::new(
            Fault::Unusable,
            "no session layer: add `.layer(registry.layer())` to the router, with the registry of this policy",
        ));
    };
    Ok(Session::from_state(sessions.open(P::NAME, parts.into()).await?))
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        self.into_http().map(Into::into)
    }
}
