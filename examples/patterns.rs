//! What applications do most: a cart, pages for members alone, who the member is, and watching what happens.
//!
//! ```text
//! cargo run --example patterns
//! curl -i -c jar -b jar -H 'Content-Type: application/json' -d '{"item_id":"tea","quantity":2}' http://127.0.0.1:3000/cart/add
//! curl -i -c jar -b jar -X POST http://127.0.0.1:3000/login
//! curl -i -c jar -b jar http://127.0.0.1:3000/me
//! ```

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sessions::{
    Fault, Session, SessionError, SessionEvent, SessionPrincipal, guard::authenticated, require, session,
};

sessions::policies!("sessions.toml");

#[derive(Deserialize)]
struct Item {
    item_id: String,
    quantity: u32,
}

/// Data: a value is read as the type that it was written as. Nothing is stored before the first write.
#[session(policy = "user_default")]
async fn add_to_cart(mut session: Session, Json(item): Json<Item>) -> Result<Json<Value>, SessionError> {
    let mut cart: BTreeMap<String, u32> = session.get("cart")?.unwrap_or_default();
    cart.insert(item.item_id, item.quantity);
    session.set("cart", &cart)?;
    Ok(Json(json!({ "cart": cart })))
}

#[session(policy = "user_default")]
async fn login(mut session: Session) -> Json<Value> {
    session.mark_authenticated(SessionPrincipal::user("u1").with("name", "Ada"));
    Json(json!({ "message": "Logged in" }))
}

/// Authentication, asked for on the handler: without it the body does not run, and the client gets a problem document.
#[session(policy = "user_default", require = authenticated)]
async fn current_user(session: Session) -> Result<Json<Value>, SessionError> {
    let user = session.principal().ok_or(Fault::Required)?;
    Ok(Json(json!({ "id": user.id(), "kind": user.kind(), "attributes": user.attributes() })))
}

/// Activity: events name a session by its handle, which is no credential, so that they can be logged.
fn log(event: &SessionEvent) {
    let handle = event.handle.map_or_else(|| "-".to_owned(), |handle| handle.to_string());
    let principal = event.principal_id.as_deref().unwrap_or("-");
    println!("[{}] {} session={handle} principal={principal}", event.policy, event.kind);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = policies::Registry::load().await?;
    registry.on_event(log);
    let members = Router::new()
        .route("/members/news", get(|| async { "news" }))
        .route("/members/offers", get(|| async { "offers" }))
        // Authentication, asked for in front of many routes, whose handlers need no session.
        .route_layer(require::<policies::UserDefault>(authenticated()));
    let app = Router::new()
        .route("/cart/add", post(add_to_cart))
        .route("/login", post(login))
        .route("/me", get(current_user))
        .merge(members)
        .layer(registry.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
