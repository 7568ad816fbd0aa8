//! Handlers, in a crate that knows the library under another name.

use axum::{Router, routing::get, routing::post};
use several_policies::policies;
use web_sessions::{Session, SessionPrincipal, guard::authenticated, require, session};

/// The routes of this crate.
pub fn routes() -> Router {
    let members = Router::new()
        .route("/members", get(async || "members"))
        .route_layer(require::<policies::UserDefault>(authenticated()));
    Router::new().route("/login", post(login)).route("/me", get(inner::Me::show)).merge(members)
}

#[session(policy = "user_default")]
async fn login(mut session: Session) {
    session.mark_authenticated(SessionPrincipal::user("ada").role("editor"));
}

mod inner {
    use web_sessions::Session;

    use super::policies;

    pub(super) struct Me;

    #[web_sessions::session(policy = "user_default", require = authenticated)]
    impl Me {
        #[web_sessions::session(role = "editor")]
        pub(super) async fn show(session: Session) -> String {
            session.principal().map_or_else(String::new, |principal| principal.id().to_owned())
        }
    }
}
