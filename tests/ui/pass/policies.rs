//! Policies of the file, of structs here and elsewhere, and of the call itself.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

use sessions::{Policy, Registered, Session};

sessions::policies! {
    "sessions.toml",
    Checkout,
    shop::Basket as ShopBasket,
    crate::shop::inner::Wishes,
    self::Notes,
    /// What partners' programs use.
    partner_api: {
        extends: "api_token",
        ttl: "15min",
        transport: { header_name: "X-Partner" },
        concurrency.max_sessions_per_principal: 3,
    },
    short = { ttl = "1h", trusted_origins = ["https://shop.example"], concurrency(max_sessions_per_principal = 5) },
    /// In a frame of another site's.
    framed: {
        extends: "user_default",
        transport: { cookie_samesite: "none" },
        allow: [{ rule: "SL010", reason: "works in partners' frames", owner: "web", until: "9999-12-31" }],
    },
}

/// A struct that nothing outside may name.
#[sessions::session_policy(extends = "user_default", ttl = "20min", idle_timeout = "10min")]
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Checkout {
    step: u8,
}

/// Types the data of a policy of the file.
#[sessions::session_policy(policy = "user_default", namespace = "notes")]
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Notes {
    text: String,
}

mod shop {
    #[sessions::session_policy(
        name = "shop_basket",
        extends = "device",
        transport(cookie_samesite = "none"),
        allow = [{ rule = "SL010", reason = "works in partners' frames", owner = "web", until = "9999-12-31" }]
    )]
    #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Basket {
        pub(crate) items: Vec<String>,
    }

    pub(crate) mod inner {
        #[sessions::session_policy(
            extends = "api_token",
            transport.header_name = "X-Wishes",
            concurrency.max_sessions_per_principal = 3
        )]
        #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
        pub(crate) struct Wishes {
            pub(crate) items: Vec<String>,
        }
    }
}

fn registered<P: Registered<Declared = policies::Declared>>(name: &str) {
    assert_eq!(P::NAME, name);
}

fn main() {
    registered::<policies::UserDefault>("user_default");
    registered::<policies::ApiToken>("api_token");
    registered::<policies::Admin>("admin");
    registered::<policies::PartnerApi>("partner_api");
    registered::<policies::Short>("short");
    registered::<policies::Checkout>("checkout");
    registered::<policies::ShopBasket>("shop_basket");
    registered::<policies::Wishes>("wishes");
    registered::<Notes>("user_default");
    assert_eq!(<Notes as Policy>::NAMESPACE, "notes");
    assert_eq!(<Checkout as Policy>::NAMESPACE, "checkout");
    assert!(<Notes as Policy>::DECLARATION.is_none());
    let partner = <policies::PartnerApi as Policy>::DECLARATION.map_or(0, |declared| declared.entries.len());
    assert_eq!(partner, 4);
    let _: Option<policies::Registry> = None;
    let _: Option<Session<policies::Checkout>> = None;
    let basket = shop::Basket::default();
    assert!(basket.items.is_empty() && shop::inner::Wishes::default().items.is_empty());
    assert!(Notes::default().text.is_empty() && policies::Checkout { step: 1 }.step == 1);
}
