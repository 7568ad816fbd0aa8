sessions::policies!("sessions.toml");

mod handlers {
    use sessions::{Session, session};

    #[session(policy = "user_default")]
    async fn index(_session: Session) {}
}

fn main() {}
