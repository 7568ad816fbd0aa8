//! Requests that take long or go wrong, to see what becomes of their session.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use sessions::{Session, SessionError, session};

use crate::{
    policies,
    web::{Body, Json, StatusCode},
};

/// The longest that a request may sleep.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
pub(crate) struct Entry {
    key: String,
    value: Value,
}

#[derive(Deserialize)]
pub(crate) struct SlowEntry {
    ms: u64,
    #[serde(flatten)]
    entry: Entry,
}

/// Reads the session, sleeps, then writes: meanwhile it may be logged out, rotated or written by others.
#[session(policy = "user_default")]
pub(crate) async fn slow(
    mut session: Session,
    Body(SlowEntry { ms, entry }): Body<SlowEntry>,
) -> Result<Json<Value>, SessionError> {
    tokio::time::sleep(Duration::from_millis(ms).min(LONGEST)).await;
    session.set(&entry.key, entry.value)?;
    Ok(Json(json!({ "set": entry.key })))
}

/// Writes, then fails: `on_server_error` says what becomes of it.
#[session(policy = "user_default")]
pub(crate) async fn fail(mut session: Session, Body(entry): Body<Entry>) -> Result<StatusCode, SessionError> {
    session.set(&entry.key, entry.value)?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}
