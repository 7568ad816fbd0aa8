#[sessions::session_policy(name = "checkout", ttl = "1h")]
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Checkout {
    step: u8,
}

fn main() {}
