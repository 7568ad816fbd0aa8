//! What the compiler underlines for policies in Rust: the token, for a warning as for an error.
#![deny(warnings)]

sessions::policies! {
    Checkout,
    framed: { extends: "user_default", transport: { cookie_samesite: "none" } },
    lasting: { extends: "user_default", idle_timeout: "off", max_size: "1MiB" },
    endless: { renew: "sliding" },
    excused: {
        extends: "user_default",
        transport: { cookie_samesite: "none" },
        allow: [{ rule: "SL010", reason: "a partner's frame", owner: "web", until: "9999-12-31" }],
    },
    expired: {
        extends: "user_default",
        transport: { cookie_samesite: "none" },
        allow: [{ rule: "SL010", reason: "a partner's frame", owner: "web", until: "2020-01-31" }],
    },
}

#[sessions::session_policy(extends = "user_default", transport(cookie_name = "checkout"), touch_every = "10min")]
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub struct Checkout {}

fn main() {}
