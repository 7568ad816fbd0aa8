use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(polcy = "user_default")]
#[axum::debug_handler]
async fn misspelt(_session: Session) {}

#[session(policy = "user_default", require = authenticated, require = authenticated)]
async fn twice(_session: Session) {}

#[session(polcy = "user_default", requires = authenticated)]
async fn without_session() {}

fn main() {}
