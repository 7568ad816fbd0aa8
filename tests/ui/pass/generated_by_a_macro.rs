//! Handlers that another macro writes.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

sessions::policies!("sessions.toml");

macro_rules! handler {
    ($name:ident, $policy:literal, $session:ty) => {
        #[sessions::session(policy = $policy, require = authenticated)]
        async fn $name(session: $session) -> String {
            session.is_authenticated().to_string()
        }
    };
}

handler!(profile, "user_default", sessions::Session);
handler!(me, "api_token", sessions::Session);

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(profile).post(me));
}
