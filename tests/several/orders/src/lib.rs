//! Handlers, in a crate that has the library from the crate of the policies.

use axum::{Router, routing::get, routing::post};
use several_policies::policies;
use several_policies::sessions::{Session, SessionError, session};

/// The routes of this crate.
pub fn routes() -> Router {
    let routes = Router::new().route("/basket", post(add));
    #[cfg(feature = "refunds")]
    let routes = routes.route("/refunds", get(refund));
    routes
}

#[session(policy = "basket")]
async fn add(mut session: Session, item: String) -> Result<String, SessionError> {
    session.modify(|basket| {
        basket.items.push(item);
        basket.items.join(" ")
    })
}

#[cfg(feature = "refunds")]
#[session(policy = policies::ApiToken, kind = "service", crate = several_policies::sessions)]
async fn refund(_: Session) -> &'static str {
    "refunded"
}

#[session(policy = "api_token", require = authenticated, crate = several_policies::sessions)]
#[cfg(any())]
async fn never(_: Session, missing: Missing) {}
