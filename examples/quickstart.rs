//! The quick start: a visitor looks around, logs in, sees a profile and logs out.
//!
//! ```text
//! cargo run --example quickstart
//! curl -i -c jar -b jar -H 'Content-Type: application/json' \
//!     -d '{"email":"ada@example.com","password":"analytical-engine"}' http://127.0.0.1:3000/login
//! ```

use axum::{Json, Router, routing::get, routing::post};
use serde_json::{Value, json};
use sessions::{Fault, Session, SessionError, SessionPrincipal, session};

sessions::policies!("sessions.toml");

#[session(policy = "user_default")]
async fn index(session: Session) -> Json<Value> {
    let user_id = session.principal().map(|user| user.id().to_owned());
    Json(json!({ "authenticated": session.is_authenticated(), "user_id": user_id }))
}

#[session(policy = "user_default")]
async fn login(mut session: Session, Json(form): Json<Value>) -> Result<Json<Value>, SessionError> {
    if form["email"] != "ada@example.com" || form["password"] != "analytical-engine" {
        return Err(Fault::Required.into());
    }
    session.mark_authenticated(SessionPrincipal::user("u1").with("name", "Ada"));
    Ok(Json(json!({ "message": "Logged in" })))
}

#[session(policy = "user_default", require = authenticated)]
async fn profile(session: Session) -> Result<Json<Value>, SessionError> {
    let user = session.principal().ok_or(Fault::Required)?;
    Ok(Json(json!({ "user": user.id(), "name": user.get_attribute("name") })))
}

#[session(policy = "user_default")]
async fn logout(mut session: Session) -> Json<Value> {
    session.clear_authentication();
    session.clear_data();
    Json(json!({ "message": "Logged out" }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = policies::Registry::load().await?;
    let pages = Router::new().route("/", get(index)).route("/profile", get(profile));
    let app = pages.route("/login", post(login)).route("/logout", post(logout)).layer(registry.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
