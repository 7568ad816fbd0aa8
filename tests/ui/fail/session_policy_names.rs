use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "ApiToken")]
async fn a(_session: Session) {}

#[session(policy = "")]
async fn b(_session: Session) {}

#[session(policy = "user default")]
async fn c(_session: Session) {}

#[session(policy = "registry")]
async fn d(_session: Session) {}

#[session(policy = 3)]
async fn e(_session: Session) {}

fn main() {}
