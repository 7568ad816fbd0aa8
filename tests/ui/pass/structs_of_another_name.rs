//! A handler names the policy; the struct may be called otherwise.

use sessions::{Policy, Session, session, session_policy};

sessions::policies!(Cart as Basket, HTTPApi);

#[session_policy(name = "basket", extends = "user_default")]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Cart {
    items: u8,
}

#[session_policy(extends = "api_token", transport(header_name = "X-Http-Api"))]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct HTTPApi {
    calls: u8,
}

#[session(policy = "basket")]
async fn basket(session: Session) -> u8 {
    session.data().map_or(0, |cart| cart.items)
}

#[session(policy = "httpapi")]
async fn api(_session: Session) {}

fn main() {
    assert_eq!(policies::Basket::NAME, "basket");
    assert_eq!(policies::HTTPApi::NAME, "httpapi");
    drop((basket, api));
}
