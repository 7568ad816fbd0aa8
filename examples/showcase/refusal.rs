//! What the shop answers when it refuses: problem documents (RFC 9457), the library's and the shop's own.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sessions::{Fault, SessionError};

/// Why a handler refuses.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The library's reason, with the library's answer.
    Session(SessionError),
    /// The address or the password is wrong.
    Credentials,
    /// The body is not the JSON that the route takes.
    Body(JsonRejection),
}

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let Json(body) = Json::from_request(request, state).await.map_err(Refusal::Body)?;
        Ok(Self(body))
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Session(fault.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Credentials => wrong_credentials(),
            Self::Body(rejection) => wrong_body(&rejection),
        }
    }
}

fn wrong_credentials() -> Response {
    let mut response = problem(
        StatusCode::UNAUTHORIZED,
        json!({
            "type": "urn:problem:shop:invalid-credentials",
            "title": "The address or the password is wrong",
            "code": "INVALID_CREDENTIALS",
        }),
    );
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
    response
}

fn wrong_body(rejection: &JsonRejection) -> Response {
    problem(
        rejection.status(),
        json!({
            "type": "urn:problem:shop:invalid-body",
            "title": "The body is not the JSON that is asked for",
            "detail": rejection.body_text(),
            "code": "INVALID_BODY",
        }),
    )
}

fn problem(status: StatusCode, mut document: Value) -> Response {
    document["status"] = status.as_u16().into();
    let mut response = (status, Json(document)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
