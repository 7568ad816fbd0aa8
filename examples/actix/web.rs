//! What the handlers take and give, as actix-web has it; `web.rs` of the showcase is the same for axum.

use std::{fmt, future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder, ResponseError,
    body::BoxBody,
    dev::Payload,
    error::JsonPayloadError,
    http::header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    web,
};
use serde::de::DeserializeOwned;

use crate::refusal::{Reason, Refusal};

pub(crate) use actix_web::web::Json;

type Extracted<T> = Pin<Box<dyn Future<Output = T>>>;

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Refusal;
    type Future = Extracted<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Json::<T>::from_request(request, payload);
        Box::pin(async move {
            let Json(body) = body.await.map_err(|error| {
                let status = error.as_error::<JsonPayloadError>().map_or(400, status);
                Reason::Body { status, detail: error.to_string() }
            })?;
            Ok(Self(body))
        })
    }
}

/// As axum answers it.
fn status(error: &JsonPayloadError) -> u16 {
    match error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => 413,
        JsonPayloadError::ContentType => 415,
        JsonPayloadError::Deserialize(error) if error.is_data() => 422,
        _ => 400,
    }
}

/// What a pattern of the path matched.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    type Error = actix_web::Error;
    type Future = Extracted<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = web::Path::<T>::from_request(request, payload);
        Box::pin(async move { Ok(Self(path.await?.into_inner())) })
    }
}

/// What the program shares.
#[derive(Debug)]
pub(crate) struct State<T>(pub(crate) T);

impl<T: Clone + 'static> FromRequest for State<T> {
    type Error = actix_web::Error;
    type Future = Extracted<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let shared = web::Data::<T>::from_request(request, payload);
        Box::pin(async move { Ok(Self(shared.await?.get_ref().clone())) })
    }
}

/// A response without a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusCode(actix_web::http::StatusCode);

impl StatusCode {
    pub(crate) const NO_CONTENT: Self = Self(actix_web::http::StatusCode::NO_CONTENT);
    pub(crate) const INTERNAL_SERVER_ERROR: Self = Self(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR);
}

impl Responder for StatusCode {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::new(self.0)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Shop(reason) => write!(f, "refused with {}", reason.status()),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> actix_web::http::StatusCode {
        match self {
            Self::Session(error) => error.status_code(),
            Self::Shop(reason) => actix_web::http::StatusCode::from_u16(reason.status())
                .unwrap_or(actix_web::http::StatusCode::BAD_REQUEST),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let reason = match self {
            Self::Session(error) => return error.error_response(),
            Self::Shop(reason) => reason,
        };
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        if reason.status() == 401 {
            response.insert_header((WWW_AUTHENTICATE, "Session"));
        }
        response.body(reason.document().to_string())
    }
}
