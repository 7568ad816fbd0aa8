//! A file that overrides policies of the program, and extends one.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

use sessions::{Declared, Policy};

sessions::policies! {
    "layers.toml",
    Checkout,
    partner_api: { extends: "api_token", ttl: "15min" },
}

/// A policy that the file changes.
#[sessions::session_policy(
    file = "layers.toml",
    extends = "user_default",
    ttl = "20min",
    idle_timeout = "10min"
)]
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Checkout {
    /// How far the visitor is.
    pub step: u8,
}

fn main() {
    assert_eq!(policies::Guest::NAME, "guest");
    assert_eq!(policies::PartnerApi::NAME, "partner_api");
    assert_eq!(policies::Checkout { step: 1 }.step, 1);
    for name in ["checkout", "partner_api", "guest"] {
        assert!(<policies::Declared as Declared>::NAMES.contains(&name));
    }
    let declared = <policies::Declared as Declared>::declarations();
    let names: Vec<&str> = declared.iter().map(|declaration| declaration.name.as_ref()).collect();
    assert_eq!(names, ["partner_api", "checkout"]);
    let file = <policies::Declared as Declared>::FILE
        .map(|file| (file.name, file.text.contains("[policies.guest]")));
    assert_eq!(file, Some(("layers.toml", true)));
}
