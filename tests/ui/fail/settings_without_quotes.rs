use sessions::{Session, session, session_policy};

sessions::policies! {
    short: { ttl: 15min, max_size: 16KiB, idle_timeout: 1.5h, max_keys: 3u32 },
}

#[session_policy(extends = "user_default", idle_timeout = 10min)]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Checkout {
    step: u8,
}

#[session(policy = "short", fresh = 5min)]
async fn fresh(_session: Session) {}

fn main() {}
