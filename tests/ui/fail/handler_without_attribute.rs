use sessions::Session;

sessions::policies!("sessions.toml");

#[axum::debug_handler]
async fn index(_session: Session) {}

fn main() {}
