//! What the shop answers when it refuses: problem documents (RFC 9457), the library's and one of its own.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use serde_json::json;
use sessions::{Fault, SessionError};

/// Why a handler refuses.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The library's reason, with the library's answer.
    Session(SessionError),
    /// The address or the password is wrong.
    Credentials,
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
        }
    }
}

fn wrong_credentials() -> Response {
    let status = StatusCode::UNAUTHORIZED;
    let problem = json!({
        "type": "urn:problem:shop:invalid-credentials",
        "title": "The address or the password is wrong",
        "status": status.as_u16(),
        "code": "INVALID_CREDENTIALS",
    });
    let mut response = (status, Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
    response
}
