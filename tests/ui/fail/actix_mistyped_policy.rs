use actix_web::{App, web};
use sessions::{Session, session};

sessions::policies!("sessions.toml");

#[session(policy = "api_tokn")]
async fn me(_session: Session) -> &'static str {
    "me"
}

fn main() {
    let _ = App::new().route("/me", web::get().to(me));
}
