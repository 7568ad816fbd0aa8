//! What a visitor leaves in the session while shopping: cart, preferences, a counter and messages.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use sessions::{Session, SessionError, session};

use crate::{
    policies,
    web::{Body, Json, Path, StatusCode},
};

const CART: &str = "cart";
/// Each preference is a key of its own, so that two that are set at once both stay.
const PREFS: &str = "prefs.";

/// Quantities by item.
type Cart = BTreeMap<String, u32>;

#[derive(Deserialize)]
pub(crate) struct CartItem {
    item_id: String,
    quantity: u32,
}

#[session(policy = "user_default")]
pub(crate) async fn cart(session: Session) -> Result<Json<Value>, SessionError> {
    let cart: Cart = session.get(CART)?.unwrap_or_default();
    Ok(Json(json!({ "cart": cart })))
}

#[session(policy = "user_default")]
pub(crate) async fn add_to_cart(
    mut session: Session,
    Body(item): Body<CartItem>,
) -> Result<Json<Value>, SessionError> {
    let mut cart: Cart = session.get(CART)?.unwrap_or_default();
    cart.insert(item.item_id, item.quantity);
    session.set(CART, &cart)?;
    Ok(Json(json!({ "cart": cart })))
}

#[session(policy = "user_default")]
pub(crate) async fn prefs(session: Session) -> Result<Json<Value>, SessionError> {
    let mut prefs = BTreeMap::new();
    for key in session.keys() {
        if let Some(name) = key.strip_prefix(PREFS) {
            prefs.insert(name.to_owned(), session.get::<Value>(&key)?);
        }
    }
    Ok(Json(json!({ "prefs": prefs })))
}

#[derive(Deserialize)]
pub(crate) struct Pref {
    value: Value,
}

#[session(policy = "user_default")]
pub(crate) async fn set_pref(
    mut session: Session,
    Path(key): Path<String>,
    Body(pref): Body<Pref>,
) -> Result<StatusCode, SessionError> {
    session.set(&format!("{PREFS}{key}"), pref.value)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Counts right under any concurrency: of n requests in parallel, each gets a number of its own.
#[session(policy = "user_default")]
pub(crate) async fn visit(session: Session) -> Result<Json<Value>, SessionError> {
    let visits = session
        .update("visits", |visits: &mut u64| {
            *visits += 1;
            *visits
        })
        .await?;
    Ok(Json(json!({ "visits": visits })))
}

#[derive(Deserialize)]
pub(crate) struct Note {
    text: String,
}

#[session(policy = "user_default")]
pub(crate) async fn flash(mut session: Session, Body(note): Body<Note>) -> Result<StatusCode, SessionError> {
    session.flash(note.text)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The messages since the last look: each is shown once.
#[session(policy = "user_default")]
pub(crate) async fn flashes(session: Session) -> Result<Json<Value>, SessionError> {
    let flash: Vec<String> = session.flashes().await?;
    Ok(Json(json!({ "flash": flash })))
}
