use sessions::session;

sessions::policies!("sessions.toml");

#[session(policy = "user_default", require = authenticated)]
async fn metrics() -> &'static str {
    "metrics"
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(metrics));
}
