use sessions::{Session, session, session_policy};

sessions::policies!("sessions.toml");

#[session_policy(extends = "user_default")]
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Checkout {
    step: u8,
}

#[session(policy = crate::Checkout)]
#[axum::debug_handler]
async fn index(_session: Session) {}

fn main() {}
