//! The back office: a policy of its own, so that its cookie is strict, short-lived and the only one of its principal.

use serde::Serialize;
use serde_json::{Value, json};
use sessions::{Fault, Session, SessionError, session};

use crate::{
    accounts::Credentials,
    policies,
    refusal::Refusal,
    web::{Body, Json, State},
};

const ROLE: &str = "admin";

#[session(policy = "admin")]
pub(crate) async fn login(
    mut session: Session,
    Body(form): Body<Credentials>,
) -> Result<Json<Value>, Refusal> {
    let account = form.account()?;
    if !account.has_role(ROLE) {
        return Err(Fault::Forbidden.into());
    }
    session.mark_authenticated(account.principal());
    Ok(Json(json!({ "message": "Logged in" })))
}

/// What all stores hold together.
#[derive(Default, Serialize)]
pub(crate) struct Stats {
    sessions: u64,
    principals: u64,
    evicted_for_space: u64,
}

#[session(policy = "admin", role = "admin")]
pub(crate) async fn stats(
    _: Session,
    State(registry): State<policies::Registry>,
) -> Result<Json<Stats>, SessionError> {
    let mut total = Stats::default();
    for (_, store) in registry.stats().await? {
        total.sessions += store.sessions;
        total.principals += store.principals;
        total.evicted_for_space += store.evicted_for_space;
    }
    Ok(Json(total))
}
