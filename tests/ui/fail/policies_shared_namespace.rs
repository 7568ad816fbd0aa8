use serde::{Deserialize, Serialize};
use sessions::session_policy;

sessions::policies!("sessions.toml", Notes, Drafts, Checkout);

#[session_policy(policy = "user_default")]
#[derive(Default, Serialize, Deserialize)]
struct Notes {
    text: String,
}

#[session_policy(policy = "user_default")]
#[derive(Default, Serialize, Deserialize)]
struct Drafts {
    text: String,
}

#[session_policy(extends = "user_default", namespace = "user_default")]
#[derive(Default, Serialize, Deserialize)]
struct Checkout {
    text: String,
}

fn main() {}
