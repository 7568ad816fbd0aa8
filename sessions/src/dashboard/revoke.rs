//! What an operator may change: end one session of a principal, or all of them. The events name the operator.

use axum::{
    extract::Form,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use serde::Deserialize;

use super::view::{View, principal};
use crate::{
    fault::{Fault, SessionError},
    token::Handle,
};

/// What a form of the pages sends.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    kind: String,
    id: String,
    #[serde(default)]
    handle: String,
}

/// Ends one session.
pub(super) async fn one(view: View, Form(asked): Form<Asked>) -> Result<Response, SessionError> {
    let handle: Handle = asked.handle.parse().map_err(|_| Fault::NotFound)?;
    let principal = revocable(&view, &asked)?;
    let engine = view.engine()?.as_operator(&view.operator.principal);
    let revoked = engine.revoke(&principal, handle).await?;
    Ok(shown_again(&view, &asked, u64::from(revoked)))
}

/// Ends all sessions of a principal, and every login that is under way.
pub(super) async fn all(view: View, Form(asked): Form<Asked>) -> Result<Response, SessionError> {
    let principal = revocable(&view, &asked)?;
    let engine = view.engine()?.as_operator(&view.operator.principal);
    let revoked = engine.revoke_all(&principal).await?;
    Ok(shown_again(&view, &asked, revoked))
}

fn revocable(view: &View, asked: &Asked) -> Result<crate::SessionPrincipal, SessionError> {
    if !view.may_revoke() {
        return Err(SessionError::new(Fault::Forbidden, "this dashboard revokes nothing"));
    }
    Ok(principal(&asked.kind, &asked.id).ok_or(Fault::NotFound)?)
}

/// Back to the principal's sessions, by another request, so that loading the page again revokes nothing again.
fn shown_again(view: &View, asked: &Asked, revoked: u64) -> Response {
    let revoked = revoked.to_string();
    let query = [("kind", &*asked.kind), ("id", &*asked.id), ("revoked", &*revoked)];
    (StatusCode::SEE_OTHER, [(header::LOCATION, view.asking("/sessions", &query))]).into_response()
}
