use axum::{Router, routing::get};
use sessions::{Session, guard::Role, require, session};

sessions::policies!("sessions.toml");

struct Admin;

#[session(policy = "admin")]
async fn stats(_session: Session, _other: Session<policies::UserDefault, Role<Admin>>) {}

async fn other(_session: Session<policies::UserDefault, Admin>) {}

fn main() {
    let _: Router = Router::new()
        .route("/", get(stats))
        .route("/other", get(other))
        .route_layer(require::<Admin>(sessions::guard::role("admin")))
        .route_layer(require::<policies::Amdin>(sessions::guard::role("admin")));
}
