use serde::{Deserialize, Serialize};
use sessions::session_policy;

mod inline {
    sessions::policies!(super::Trolley as Cart, basket: { extends: "user_default" });
}

mod structs {
    #[sessions::session_policy(extends = "user_default")]
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub struct Basket {
        items: u8,
    }

    sessions::policies!(Basket, super::Cart);
}

#[session_policy(name = "basket", extends = "user_default")]
#[derive(Default, Serialize, Deserialize)]
pub struct Cart {
    items: u8,
}

#[session_policy(name = "basket", extends = "user_default")]
#[derive(Default, Serialize, Deserialize)]
pub struct Trolley {
    items: u8,
}

fn main() {}
