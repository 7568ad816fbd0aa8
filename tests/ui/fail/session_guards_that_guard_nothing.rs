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

#[session(policy = "user_default", role = [])]
async fn no_role(_session: Session) {}

#[session(policy = "user_default", require = [])]
async fn no_requirement(_session: Session) {}

fn main() {}
