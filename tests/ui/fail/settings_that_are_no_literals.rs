use sessions::{Session, session, session_policy};

const TTL: &str = "1h";

sessions::policies! {
    constant: { ttl: TTL },
    computed: { ttl: concat!("1", "h") },
    table: { extends: "user_default", transport: "header" },
    text: "api_token",
    "quoted": { extends: "admin" },
}

#[session_policy("cart", extends = "user_default", ttl = crate::TTL)]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Cart {
    items: u8,
}

#[session(policy = "quoted", fresh = 3600)]
async fn quoted(_session: Session) {}

fn main() {}
