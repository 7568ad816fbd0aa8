use sessions::session_policy;

sessions::policies! {
    Cart,
    partner: { extends: "api_token" },
}

#[session_policy(extends = "partner")]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Cart {
    items: u8,
}

fn main() {}
