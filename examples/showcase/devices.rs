//! A person's sessions under all policies, seen and ended from one of them.

use serde::Serialize;
use serde_json::{Value, json};
use sessions::{Fault, Handle, Session, SessionError, SessionInfo, session};

use crate::{
    policies,
    web::{Json, Path, StatusCode},
};

/// One session, as its owner sees it.
#[derive(Serialize)]
pub(crate) struct Device {
    handle: Handle,
    policy: String,
    created_at: String,
    last_seen_at: String,
    current: bool,
    user_agent: Option<String>,
}

impl From<SessionInfo> for Device {
    fn from(session: SessionInfo) -> Self {
        Self {
            handle: session.handle,
            policy: session.policy,
            created_at: session.created_at.to_rfc3339(),
            last_seen_at: session.last_seen_at.to_rfc3339(),
            current: session.current,
            user_agent: session.user_agent,
        }
    }
}

#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn list(session: Session) -> Result<Json<Vec<Device>>, SessionError> {
    let sessions = session.sessions().await?;
    Ok(Json(sessions.into_iter().map(Device::from).collect()))
}

/// Ends one of them. What is no handle, or another person's, is not found.
#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn revoke(session: Session, Path(handle): Path<String>) -> Result<StatusCode, SessionError> {
    let handle: Handle = handle.parse().map_err(|_| Fault::NotFound)?;
    if session.revoke(handle).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::NotFound.into()) }
}

#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn revoke_others(session: Session) -> Result<Json<Value>, SessionError> {
    Ok(Json(json!({ "revoked": session.revoke_others().await? })))
}

#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn revoke_all(session: Session) -> Result<Json<Value>, SessionError> {
    Ok(Json(json!({ "revoked": session.revoke_all().await? })))
}
