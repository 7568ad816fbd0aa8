use serde::{Deserialize, Serialize};
use sessions::session_policy;

#[session_policy(name = checkout, namespace = "a.b", ttl = "1h", ttl = "2h", scope = device, max_keys, name = "c", name = "d")]
#[derive(Default, Serialize, Deserialize)]
pub struct Checkout {
    step: u8,
}

#[session_policy(policy = "user_default", name = "cart", ttl = "1h", transport(cookie_name = "cart"))]
#[derive(Default, Serialize, Deserialize)]
pub struct Cart {
    items: u8,
}

#[session_policy(policy = "user_defalt")]
#[derive(Default, Serialize, Deserialize)]
pub struct Basket {
    items: u8,
}

#[session_policy(name = "x", file = "/nowhere/shop.toml")]
#[derive(Default, Serialize, Deserialize)]
pub struct Elsewhere {
    items: u8,
}

fn main() {}
