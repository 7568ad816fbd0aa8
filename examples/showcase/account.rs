//! A visitor and their account: who they are, logging in and out, and what needs a recent login.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sessions::{Fault, Session, session};

use crate::{
    accounts::{Account, Credentials},
    policies,
    refusal::{Reason, Refusal},
    web::{Body, Json},
};

#[derive(Serialize)]
pub(crate) struct Visitor {
    authenticated: bool,
    user_id: Option<String>,
}

/// Reads only: a newcomer gets neither a record nor a cookie.
#[session(policy = "user_default")]
pub(crate) async fn index(session: Session) -> Json<Visitor> {
    Json(Visitor {
        authenticated: session.is_authenticated(),
        user_id: session.principal().map(|user| user.id().to_owned()),
    })
}

#[derive(Deserialize)]
pub(crate) struct Login {
    #[serde(flatten)]
    credentials: Credentials,
    #[serde(default)]
    remember: bool,
}

/// The new id, the limit and the lifetimes are the policy's: the handler says only who it is.
#[session(policy = "user_default")]
pub(crate) async fn login(mut session: Session, Body(form): Body<Login>) -> Result<Json<Value>, Refusal> {
    let account = form.credentials.account()?;
    session.mark_authenticated(account.principal());
    session.remember(form.remember);
    Ok(message("Logged in"))
}

#[session(policy = "user_default")]
pub(crate) async fn logout(mut session: Session) -> Json<Value> {
    session.clear_authentication();
    session.clear_data();
    message("Logged out")
}

#[derive(Serialize)]
pub(crate) struct Profile {
    user: String,
    name: Option<Value>,
    kind: String,
}

#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn profile(session: Session) -> Result<Json<Profile>, Refusal> {
    let user = session.principal().ok_or(Fault::Required)?;
    Ok(Json(Profile {
        user: user.id().to_owned(),
        name: user.get_attribute("name").cloned(),
        kind: user.kind().to_owned(),
    }))
}

/// A new id for the same session: the old one is dead at once.
#[session(policy = "user_default")]
pub(crate) async fn rotate(mut session: Session) -> Json<Value> {
    session.rotate();
    message("Rotated")
}

#[derive(Deserialize)]
pub(crate) struct Confirmation {
    password: String,
}

/// Makes the login fresh again.
#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn reauth(
    mut session: Session,
    Body(form): Body<Confirmation>,
) -> Result<Json<Value>, Refusal> {
    let user = session.principal().ok_or(Fault::Required)?;
    let account = Account::of(&user).ok_or(Reason::Credentials)?;
    account.check(&form.password)?;
    session.mark_authenticated(account.principal());
    Ok(message("Confirmed"))
}

/// Runs for a recent login alone. The accounts are constants, so that nothing is deleted in truth.
#[session(policy = "user_default", require = fresh)]
pub(crate) async fn delete(_: Session) -> Json<Value> {
    message("Account deleted")
}

fn message(text: &str) -> Json<Value> {
    Json(json!({ "message": text }))
}
