use serde::{Deserialize, Serialize};
use sessions::session_policy;

#[session_policy(
    extends = "user_defalt",
    tll = "20min",
    idle_timeout = 600,
    transport(cookie_samesite = "strickt", cookie_htponly = true),
    concurrency.max_sessions_per_principal = 0,
    persistence.store_name = "mian"
)]
#[derive(Default, Serialize, Deserialize)]
pub struct Checkout {
    step: u8,
}

#[session_policy(extends = "user_default", ttl = "10min", idle_timeout = "20min")]
#[derive(Default, Serialize, Deserialize)]
pub struct Contradiction {
    step: u8,
}

#[session_policy(name = "Sign-Up", ttl = "1h")]
#[derive(Default, Serialize, Deserialize)]
pub struct SignUp {
    step: u8,
}

fn main() {}
