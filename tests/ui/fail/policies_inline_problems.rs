sessions::policies! {
    "sessions.toml",
    partner_api: {
        extends: "api_tokn",
        tll: "15min",
        ttl: 900,
        transport: { header_nam: "X-Partner", cookie_samesite: "strickt" },
        transport.adapter: "carrier",
        concurrency: { max_sessions_per_principal: 0 },
    },
    lazy: { ttl: "1h", idle_timeout: "2h" },
    writes: { on_conflict: "serially", persistence.compress: true, persistence.store_name: "mian" },
    twice: { ttl: "1h", ttl: "2h" },
    word: { scope: device, ttl, max_size: 1.5, max_keys: 99999999999999999999 },
}

fn main() {
    let _: (policies::PartnerApi, policies::Lazy, policies::Writes, policies::Twice, policies::Word);
}
