use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "api_tokn", require = authenticated)]
async fn me(_session: Session) {}

#[session(policy = "user_default")]
async fn two(_user: Session, #[session("admn")] _admin: Option<Session>) {}

#[session(policy = "something_else")]
async fn other(_session: Session) {}

fn main() {}
