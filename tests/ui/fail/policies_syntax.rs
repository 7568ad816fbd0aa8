sessions::policies! {
    "sessions.toml",
    "more.toml",
    checkout,
    3,
    short: "1h",
    #[derive(Debug)]
    debug: { ttl: "1h" },
    /// A comment on nothing.
    Listed,
    crate = ::sessions,
    crate = ::sessions,
}

#[sessions::session_policy()]
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Listed {
    a: u8,
}

fn main() {}
