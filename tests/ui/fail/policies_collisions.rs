#![allow(deprecated)]

mod other {
    #[sessions::session_policy()]
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub struct Checkout {}
}

use other::Checkout;

#[sessions::session_policy(name = "records")]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Registry {}

sessions::policies! {
    Checkout,
    other::Checkout,
    Registry,
    checkout: { ttl: "1h" },
    twice: { ttl: "1h" },
    twice: { ttl: "2h" },
    v_1: { ttl: "1h" },
    v1: { ttl: "1h" },
    registry: { ttl: "1h" },
    Partner: { ttl: "1h" },
}

fn main() {}
