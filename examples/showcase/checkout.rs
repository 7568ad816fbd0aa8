//! A policy that is declared in Rust: its struct is the session's data, with types, and apart from every other policy's.

use serde::{Deserialize, Serialize};
use sessions::{Session, SessionError, session, session_policy};

use crate::{
    policies,
    web::{Body, Json},
};

/// One order on its way: shorter than a visit, and gone when it is done.
#[session_policy(name = "checkout", extends = "user_default", ttl = "20min", idle_timeout = "10min")]
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Checkout {
    step: u32,
    items: Vec<Item>,
}

/// Something that is ordered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Item {
    item_id: String,
    quantity: u32,
}

/// Goes to a step, with one more item if there is one.
#[derive(Deserialize)]
pub(crate) struct Step {
    step: u32,
    item: Option<Item>,
}

#[session(policy = "checkout")]
pub(crate) async fn step(
    mut session: Session,
    Body(form): Body<Step>,
) -> Result<Json<Checkout>, SessionError> {
    let checkout = session.modify(|checkout| {
        checkout.step = form.step;
        checkout.items.extend(form.item);
        checkout.clone()
    })?;
    Ok(Json(checkout))
}

#[session(policy = "checkout")]
pub(crate) async fn show(session: Session) -> Result<Json<Checkout>, SessionError> {
    Ok(Json(session.data()?))
}
