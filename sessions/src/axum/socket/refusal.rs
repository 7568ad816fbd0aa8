//! Why a handshake is refused: the session's reasons, or that it is no handshake.

use std::fmt;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum_core::response::{IntoResponse, Response};

use crate::fault::SessionError;

/// Why there is no socket.
#[derive(Debug)]
pub struct SocketRefusal(Reason);

#[derive(Debug)]
enum Reason {
    Session(SessionError),
    Upgrade(WebSocketUpgradeRejection),
}

impl SocketRefusal {
    pub(super) fn upgrade(rejection: WebSocketUpgradeRejection) -> Self {
        Self(Reason::Upgrade(rejection))
    }

    /// What the session had against it; `None` where the request is no handshake of a WebSocket.
    pub fn session(&self) -> Option<&SessionError> {
        match &self.0 {
            Reason::Session(error) => Some(error),
            Reason::Upgrade(_) => None,
        }
    }
}

impl From<SessionError> for SocketRefusal {
    fn from(error: SessionError) -> Self {
        Self(Reason::Session(error))
    }
}

impl IntoResponse for SocketRefusal {
    fn into_response(self) -> Response {
        match self.0 {
            Reason::Session(error) => error.into_response(),
            Reason::Upgrade(rejection) => rejection.into_response(),
        }
    }
}

impl fmt::Display for SocketRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Session(error) => error.fmt(f),
            Reason::Upgrade(rejection) => rejection.fmt(f),
        }
    }
}

impl std::error::Error for SocketRefusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Reason::Session(error) => error.source(),
            Reason::Upgrade(rejection) => rejection.source(),
        }
    }
}
