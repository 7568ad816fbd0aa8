use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "user_default", require = authenticated)]
async fn optional(_session: Option<Session>) {}

#[session(policy = "user_default", require = authenticated)]
async fn typed(_session: Session<policies::UserDefault>) {}

#[session(policy = "user_default", role = "admin")]
async fn own(#[session("admin")] _session: Session) {}

#[session(require = authenticated)]
async fn own_without(#[session("admin")] _session: Session) {}

fn main() {}
