use axum::{Router, routing::get};
use sessions::{Session, session};

sessions::policies!("sessions.toml");

struct App;

#[session(policy = "amdin", role = "admin")]
impl App {
    async fn show(_session: Session) {}

    #[session(policy = "api_tokn")]
    async fn token(_session: Session) {}
}

#[session(policy = "admin")]
mod office {
    use sessions::Session;

    pub async fn without_policies_in_scope(_session: Session) {}
}

fn main() {
    let _: Router = Router::new()
        .route("/", get(App::show).post(App::token))
        .route("/office", get(office::without_policies_in_scope));
}
