use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session("user_default")]
async fn positional(_session: Session) {}

#[session(polcy = "user_default", authenticated, colour = "blue", policy = "admin")]
async fn unknown(_session: Session) {}

#[session(policy = "user_default", policy = "admin", role = "a", role = "b", require = authenticated, require = fresh)]
async fn twice(_session: Session) {}

#[session(policy = "user_default", require = "authenticated", kind = service, role = 3)]
async fn quotes(_session: Session) {}

#[session(policy = "user_default", require = [authenticatd, fresh], fresh, kind = "", role = "")]
async fn repeated(_session: Session) {}

#[session(policy = "user_default", role = ["a", "b", "a", "c", "d", "e"])]
async fn roles(_session: Session) {}

#[session(policy = "user_default" require = authenticated)]
async fn comma(_session: Session) {}

#[session(policy = "user_default", require, kind, role)]
async fn no_value(_session: Session) {}

fn main() {}
