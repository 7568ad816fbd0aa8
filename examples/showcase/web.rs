//! What the handlers take and give, as axum has it. The handlers know no more of axum than this, so that the example `actix`
//! serves the very same ones.

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use serde::de::DeserializeOwned;

use crate::refusal::{Reason, Refusal};

pub(crate) use axum::{
    Json,
    extract::{Path, State},
};
pub(crate) use http::StatusCode;

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Json::from_request(request, state).await;
        let Json(body) = body.map_err(|rejection| Reason::Body {
            status: rejection.status().as_u16(),
            detail: rejection.body_text(),
        })?;
        Ok(Self(body))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Shop(reason) => refused(&reason),
        }
    }
}

fn refused(reason: &Reason) -> Response {
    let status = StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, Json(reason.document())).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
    }
    response
}
