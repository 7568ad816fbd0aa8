//! Refusals of the handlers: the library's and the shop's own.

use serde_json::{Value, json};
use sessions::{Fault, SessionError};

/// Why a handler refuses.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The library's reason, with the library's answer.
    Session(SessionError),
    /// The shop's own.
    Shop(Reason),
}

/// Why the shop refuses.
#[derive(Debug)]
pub(crate) enum Reason {
    /// The address or the password is wrong.
    Credentials,
    /// The body is not the JSON that the route takes.
    Body { status: u16, detail: String },
}

impl Reason {
    /// The status that it answers with.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Credentials => 401,
            Self::Body { status, .. } => *status,
        }
    }

    /// Its problem document (RFC 9457).
    pub(crate) fn document(&self) -> Value {
        let mut document = match self {
            Self::Credentials => json!({
                "type": "urn:problem:shop:invalid-credentials",
                "title": "The address or the password is wrong",
                "code": "INVALID_CREDENTIALS",
            }),
            Self::Body { detail, .. } => json!({
                "type": "urn:problem:shop:invalid-body",
                "title": "The body is not the JSON that is asked for",
                "detail": detail,
                "code": "INVALID_BODY",
            }),
        };
        document["status"] = self.status().into();
        document
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

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Shop(reason)
    }
}
