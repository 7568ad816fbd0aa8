//! One handler under either framework, also with the route's own attribute on it.

use actix_web::{App, get, post, web};
use axum::{Router, routing};
use sessions::{Session, SessionError, guard::role, require, session};

sessions::policies!("sessions.toml");

#[session(policy = "user_default", require = authenticated)]
async fn who(session: Session) -> Result<String, SessionError> {
    Ok(session.require_principal()?.id().to_owned())
}

#[session(policy = "user_default")]
async fn seen(session: Option<Session>) -> &'static str {
    if session.is_some() { "again" } else { "for the first time" }
}

#[session(policy = "user_default", role = "admin")]
#[get("/above")]
async fn above(session: Session) -> Result<String, SessionError> {
    Ok(format!("{:?}", session.handle()))
}

#[post("/below")]
#[session(policy = "user_default")]
async fn below(mut session: Session) -> Result<&'static str, SessionError> {
    session.set("seen", true)?;
    Ok("noted")
}

fn main() {
    let guard = require::<policies::UserDefault>(role("admin"));
    let _: Router =
        Router::new().route("/who", routing::get(who)).route("/seen", routing::get(seen)).route_layer(guard);
    let _ = App::new()
        .route("/who", web::get().to(who))
        .route("/seen", web::get().to(seen))
        .service(web::scope("/office").wrap(guard).service(above))
        .service(below);
}
