use axum::Json;
use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "user_default")]
#[axum::debug_handler]
async fn index(_body: Json<u8>, _session: Session) {}

fn main() {}
