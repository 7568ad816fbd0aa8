//! A program whose policies are all in Rust.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

sessions::policies!(visitors: { extends: "user_default" });

#[sessions::session(policy = "visitors")]
async fn index(session: sessions::Session) -> String {
    session.is_authenticated().to_string()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(index));
}
