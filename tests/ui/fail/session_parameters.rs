use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "user_default")]
async fn reference(_session: &Session) {}

#[session(policy = "user_default")]
async fn pair(_sessions: (Session, Session)) {}

#[session(policy = "user_default")]
async fn twice(_session: Session, #[session("admin")] _admin: Session<policies::Admin>) {}

#[session(policy = "user_default")]
async fn foreign(_session: Session, #[session("admin")] _id: u8) {}

#[session(policy = "user_default")]
async fn guard(_session: Session, #[session(require = authenticated)] _admin: Session) {}

#[session(policy = "user_default")]
async fn two(_session: Session, #[session("admin")] #[session("api_token")] _admin: Session) {}

#[session(policy = "user_default")]
async fn unused(_session: Session<policies::Admin>) {}

fn main() {}
