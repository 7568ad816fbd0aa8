//! A session for one request: what its handlers and extractors share, and nothing that outlives it.

use serde_json::{Value, json};
use sessions::{Session, SessionError, session};

use crate::{policies, web::Json};

/// The first hit every time: the next request finds nothing of it.
#[session(policy = "ephemeral")]
pub(crate) async fn hit(session: Session) -> Result<Json<Value>, SessionError> {
    let hits = session
        .update("hits", |hits: &mut u64| {
            *hits += 1;
            *hits
        })
        .await?;
    Ok(Json(json!({ "hits": hits })))
}
