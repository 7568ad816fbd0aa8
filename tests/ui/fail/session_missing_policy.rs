use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session]
async fn bare(_session: Session) {}

#[session(require = authenticated)]
async fn guarded(_session: Session) {}

#[session(policy)]
async fn nameless(_session: Session) {}

fn main() {}
