//! Sessions as axum extractors, and refusals as axum responses. Sockets are in `socket/`.

#[cfg(feature = "ws")]
pub(crate) mod socket;

use axum_core::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    fault::SessionError,
    guard::Guard,
    session::{Registered, Session},
};

impl<S, P, G> FromRequestParts<S> for Session<P, G>
where
    S: Send + Sync,
    P: Registered,
    G: Guard,
{
    type Rejection = SessionError;

    fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> impl Future<Output = Result<Self, SessionError>> + Send {
        Self::open_soon((&*parts).into())
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
        Self::open_if_stored(&*parts).await
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        self.into_http().map(Into::into)
    }
}
