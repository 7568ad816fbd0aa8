use serde::{Deserialize, Serialize};
use sessions::session_policy;

mod shop {
    sessions::policies!(super::Cart);
}

mod office {
    sessions::policies!("sessions.toml", super::Admin);
}

#[session_policy(name = "shopping_basket", extends = "user_default")]
#[derive(Default, Serialize, Deserialize)]
pub struct Cart {
    items: u8,
}

#[session_policy(policy = "user_default")]
#[derive(Default, Serialize, Deserialize)]
pub struct Admin {
    desk: u8,
}

fn main() {}
