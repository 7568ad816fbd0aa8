use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "user_default", fresh = 300)]
async fn a(_session: Session) {}

#[session(policy = "user_default", fresh = "300")]
async fn b(_session: Session) {}

#[session(policy = "user_default", fresh = "0s")]
async fn c(_session: Session) {}

#[session(policy = "user_default", fresh = "5 minuts")]
async fn d(_session: Session) {}

fn main() {}
