//! Sessions for programs: the id travels in a header, both ways, and never in a cookie.

use serde::Serialize;
use serde_json::{Map, Value, json};
use sessions::{Fault, Session, session};

use crate::{
    accounts::Credentials,
    policies,
    refusal::Refusal,
    web::{Body, Json, StatusCode},
};

#[session(policy = "api_token")]
pub(crate) async fn issue(
    mut session: Session,
    Body(form): Body<Credentials>,
) -> Result<Json<Value>, Refusal> {
    let account = form.account()?;
    session.mark_authenticated(account.principal());
    Ok(Json(json!({ "message": "Token issued" })))
}

#[derive(Serialize)]
pub(crate) struct Me {
    id: String,
    kind: String,
    attributes: Map<String, Value>,
}

#[session(policy = "api_token", require = authenticated)]
pub(crate) async fn me(session: Session) -> Result<Json<Me>, Refusal> {
    let principal = session.principal().ok_or(Fault::Required)?;
    let attributes = principal.attributes();
    Ok(Json(Me {
        id: principal.id().to_owned(),
        kind: principal.kind().to_owned(),
        attributes: attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
    }))
}

#[session(policy = "api_token", require = authenticated)]
pub(crate) async fn withdraw(mut session: Session) -> StatusCode {
    session.clear_authentication();
    session.clear_data();
    StatusCode::NO_CONTENT
}
