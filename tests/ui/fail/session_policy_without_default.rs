#[sessions::session_policy(name = "checkout", ttl = "1h")]
pub struct Checkout {
    step: u8,
}

fn main() {}
