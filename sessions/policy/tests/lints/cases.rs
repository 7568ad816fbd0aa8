//! A file for each rule that breaks it, and one beside it that doesn't.

use std::borrow::Cow;

use sessions_policy::{Declaration, Entry, Literal, Location};

/// A rule and its two files.
pub(crate) struct Case {
    pub(crate) rule: &'static str,
    pub(crate) wrong: &'static str,
    pub(crate) right: &'static str,
    /// Beside the wrong file.
    pub(crate) variables: &'static [(&'static str, &'static str)],
}

/// A declaration that states a key twice, which no file can.
pub(crate) fn stated_twice() -> Declaration {
    let at = |line| Location::new("src/main.rs", line, 9);
    let entry = |line| Entry::new("ttl", Literal::text("1h"), at(line));
    Declaration { name: Cow::Borrowed("twice"), location: at(2), entries: vec![entry(3), entry(4)].into() }
}

const fn case(rule: &'static str, wrong: &'static str, right: &'static str) -> Case {
    Case { rule, wrong, right, variables: &[] }
}

const COOKIE_TOO_LONG: &str = concat!(
    r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-"#,
    include_str!("long_4040.txt"),
    r#"" }
"#
);

const COOKIE_PATH_TOO_LONG: &str = concat!(
    r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_path = "/"#,
    include_str!("long_1040.txt"),
    r#"" }
"#
);

const COOKIE_NAME_LONG: &str = concat!(
    r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-"#,
    include_str!("long_480.txt"),
    r#"" }
"#
);

const KEYS: &str = "SESSIONS_STORES__MAIN__ENCRYPTION_KEYS";
const ONE_KEY: &str = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

pub(crate) const CASES: &[Case] = &[
    case(
        "cookie_insecure",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "shop", cookie_secure = false }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop" }
"#,
    ),
    case(
        "cookie_httponly_off",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_httponly = false }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_httponly = true }
"#,
    ),
    case(
        "cookie_prefix_missing",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "shop" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-shop" }
"#,
    ),
    case(
        "cookie_prefix",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_path = "/shop" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_path = "/" }
"#,
    ),
    case(
        "cookie_prefix_spelling",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__host-shop" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-shop" }
"#,
    ),
    case(
        "cookie_name",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "my shop" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-my_shop" }
"#,
    ),
    case(
        "shared_cookie_name",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-shop" }

[policies.other]
extends = "user_default"
transport = { cookie_name = "__Host-SHOP" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-shop" }

[policies.other]
extends = "user_default"
transport = { cookie_name = "__Host-other" }
"#,
    ),
    case(
        "shared_header_name",
        r#"[policies.p]
extends = "api_token"

[policies.other]
extends = "api_token"
"#,
        r#"[policies.p]
extends = "api_token"

[policies.other]
extends = "api_token"
transport = { header_name = "X-Other" }
"#,
    ),
    case(
        "cookie_name_fingerprint",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-PHPSESSID" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-shop" }
"#,
    ),
    case(
        "samesite_none",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_samesite = "none" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_samesite = "strict" }
"#,
    ),
    case(
        "samesite_none_insecure",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "shop", cookie_samesite = "none", cookie_secure = false }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_samesite = "none" }
"#,
    ),
    case(
        "cookie_domain_set",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_domain = "shop.example" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop" }
"#,
    ),
    case(
        "cookie_domain",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_domain = ".shop.example" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_domain = "shop.example" }
"#,
    ),
    case(
        "cookie_path_narrow",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_path = "/shop" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_path = "/" }
"#,
    ),
    case(
        "cookie_too_long",
        COOKIE_TOO_LONG,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-short" }
"#,
    ),
    case(
        "cookie_path_too_long",
        COOKIE_PATH_TOO_LONG,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_path = "/long" }
"#,
    ),
    case(
        "cookie_name_long",
        COOKIE_NAME_LONG,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Host-short" }
"#,
    ),
    case(
        "remember_over_cookie",
        r#"[policies.p]
extends = "user_default"
rotate_every = "1day"
remember = { ttl = "401days" }
"#,
        r#"[policies.p]
extends = "user_default"
rotate_every = "1day"
remember = { ttl = "400days" }
"#,
    ),
    case(
        "idle_missing",
        r#"[policies.p]
extends = "user_default"
idle_timeout = "off"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
idle_timeout = "off"
"#,
    ),
    case(
        "absolute_missing",
        r#"[policies.p]
extends = "user_default"
renew = "sliding"
"#,
        r#"[policies.p]
extends = "user_default"
renew = "sliding"
absolute_timeout = "8h"
"#,
    ),
    case(
        "idle_over_ttl",
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
idle_timeout = "2h"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
idle_timeout = "30min"
"#,
    ),
    case(
        "idle_over_absolute",
        r#"[policies.p]
extends = "user_default"
absolute_timeout = "1h"
idle_timeout = "2h"
"#,
        r#"[policies.p]
extends = "user_default"
absolute_timeout = "1h"
idle_timeout = "30min"
"#,
    ),
    case(
        "remember_idle_over_ttl",
        r#"[policies.p]
extends = "user_default"
remember = { ttl = "1day", idle_timeout = "2days" }
"#,
        r#"[policies.p]
extends = "user_default"
remember = { ttl = "2days", idle_timeout = "1day" }
"#,
    ),
    case(
        "idle_long",
        r#"[policies.p]
extends = "user_default"
idle_timeout = "45min"
"#,
        r#"[policies.p]
extends = "user_default"
idle_timeout = "30min"
"#,
    ),
    case(
        "touch_over_idle",
        r#"[policies.p]
extends = "user_default"
touch_every = "30min"
idle_timeout = "30min"
"#,
        r#"[policies.p]
extends = "user_default"
touch_every = "1min"
"#,
    ),
    case(
        "touch_coarse",
        r#"[policies.p]
extends = "user_default"
touch_every = "10min"
"#,
        r#"[policies.p]
extends = "user_default"
touch_every = "7min"
"#,
    ),
    case(
        "no_rotation",
        r#"[policies.p]
extends = "user_default"
renew = "sliding"
absolute_timeout = "12h"
"#,
        r#"[policies.p]
extends = "user_default"
renew = "sliding"
absolute_timeout = "12h"
rotate_every = "1h"
"#,
    ),
    case(
        "grace_too_long",
        r#"[policies.p]
extends = "user_default"
rotate_every = "1h"
rotation_grace = "3min"
"#,
        r#"[policies.p]
extends = "user_default"
rotate_every = "1h"
rotation_grace = "30s"
"#,
    ),
    case(
        "grace_over_rotation",
        r#"[policies.p]
extends = "user_default"
rotate_every = "1min"
rotation_grace = "1min"
"#,
        r#"[policies.p]
extends = "user_default"
rotate_every = "1h"
rotation_grace = "30s"
"#,
    ),
    case(
        "grace_long",
        r#"[policies.p]
extends = "user_default"
rotate_every = "1h"
rotation_grace = "90s"
"#,
        r#"[policies.p]
extends = "user_default"
rotate_every = "1h"
rotation_grace = "30s"
"#,
    ),
    case(
        "remember_without_rotation",
        r#"[policies.p]
extends = "user_default"
remember = { ttl = "90days" }
"#,
        r#"[policies.p]
extends = "user_default"
rotate_every = "1day"
remember = { ttl = "90days" }
"#,
    ),
    case(
        "privilege_rotation_off",
        r#"[policies.p]
extends = "user_default"
rotate_on_privilege_change = false
"#,
        r#"[policies.p]
extends = "user_default"
rotate_on_privilege_change = true
"#,
    ),
    case(
        "limit_unstated",
        r#"[policies.p]
ttl = "8h"
idle_timeout = "30min"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "limit_off",
        r#"[policies.p]
extends = "user_default"
concurrency = { max_sessions_per_principal = "unlimited" }
"#,
        r#"[policies.p]
extends = "user_default"
concurrency = { max_sessions_per_principal = 1000 }
"#,
    ),
    case(
        "carry_over",
        r#"[policies.p]
extends = "user_default"
carry_over = ["cart.*"]
"#,
        r#"[policies.p]
extends = "user_default"
carry_over = ["cart"]
"#,
    ),
    case(
        "carry_over_all",
        r#"[policies.p]
extends = "user_default"
carry_over = "all"
"#,
        r#"[policies.p]
extends = "user_default"
carry_over = ["cart"]
"#,
    ),
    case(
        "trusted_origin",
        r#"[policies.p]
extends = "user_default"
trusted_origins = ["https://*.shop.example"]
"#,
        r#"[policies.p]
extends = "user_default"
trusted_origins = ["https://www.shop.example"]
"#,
    ),
    case(
        "trusted_origin_in_clear",
        r#"[policies.p]
extends = "user_default"
trusted_origins = ["http://shop.example"]
"#,
        r#"[policies.p]
extends = "user_default"
trusted_origins = ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]"]
"#,
    ),
    case(
        "proxy_network",
        r#"[policies.p]
extends = "user_default"
trusted_proxies = ["10.0.0.1/8"]
"#,
        r#"[policies.p]
extends = "user_default"
trusted_proxies = ["10.0.0.0/8", "2001:db8::7"]
"#,
    ),
    case(
        "proxy_any",
        r#"[policies.p]
extends = "user_default"
trusted_proxies = ["0.0.0.0/0"]
"#,
        r#"[policies.p]
extends = "user_default"
trusted_proxies = ["10.0.0.0/8"]
"#,
    ),
    case(
        "forwarded_by_no_one",
        r#"[policies.p]
extends = "user_default"
forwarded_header = "forwarded"
"#,
        r#"[policies.p]
extends = "user_default"
forwarded_header = "forwarded"
trusted_proxies = ["10.0.0.0/8"]
"#,
    ),
    case(
        "address_without_sessions",
        r#"[policies.p]
extends = "ephemeral"
client_address = true
"#,
        r#"[policies.p]
extends = "user_default"
client_address = true
"#,
    ),
    case(
        "header_name",
        r#"[policies.p]
extends = "api_token"
transport = { header_name = "X Shop" }
"#,
        r#"[policies.p]
extends = "api_token"
transport = { header_name = "X-Shop" }
"#,
    ),
    case(
        "header_name_taken",
        r#"[policies.p]
extends = "api_token"
transport = { header_name = "X-Forwarded-For" }
"#,
        r#"[policies.p]
extends = "api_token"
transport = { header_name = "X-Shop" }
"#,
    ),
    case(
        "store_memory",
        r#"[stores.main]
kind = "memory"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "custom"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_plain_link",
        r#"[stores.main]
kind = "redis"
url = "redis://sessions.internal"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_replication",
        r#"[stores.main]
kind = "redis"
url = "redis://localhost"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_file",
        r#"[stores.main]
kind = "file"
directory = "sessions"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_in_clear",
        r#"[stores.main]
kind = "postgres"
url = "postgres://shop@db.example.com/shop?sslmode=disable"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "postgres"
url = "postgres://shop@db.example.com/shop"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "payload_large",
        r#"[policies.p]
extends = "user_default"
max_size = "1MiB"
"#,
        r#"[policies.p]
extends = "user_default"
max_size = "64KiB"
"#,
    ),
    case(
        "syntax",
        r#"[policies.p]
extends = "user_default"
ttl = = "1h"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
"#,
    ),
    case(
        "unknown_table",
        r#"[policies.p]
extends = "user_default"

[policy.shop]
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "unknown_key",
        r#"[policies.p]
extends = "user_default"
idle_timout = "30min"
"#,
        r#"[policies.p]
extends = "user_default"
idle_timeout = "30min"
"#,
    ),
    Case {
        rule: "unknown_variable",
        wrong: r#"[policies.p]
extends = "user_default"
"#,
        right: r#"[policies.p]
extends = "user_default"
"#,
        variables: &[("SESSIONS_POLICIES__P__IDLE_TIMOUT", "30min")],
    },
    case(
        "unknown_policy",
        r#"[policies.p]
extends = "user_default"

[policies.shop]
[policies.shopp]
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "lost_policy",
        r#"[policies.p]
extends = "user_default"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "profile_alone",
        r#"[policies.p]
extends = "user_default"

[production.policies.other]
extends = "user_default"

[development.policies.other]
extends = "user_default"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "declared_twice",
        r#"[policies.p]
extends = "user_default"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "stated_twice",
        r#"[policies.p]
extends = "user_default"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "name",
        r#"[policies.My-Shop]
extends = "user_default"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "shared_type",
        r#"[policies.v2]
extends = "user_default"

[policies.v_2]
extends = "user_default"
transport = { cookie_name = "__Host-v" }
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "wrong_kind",
        r#"[policies.p]
extends = "user_default"
rotate_on_use = "true"
"#,
        r#"[policies.p]
extends = "user_default"
rotate_on_use = true
"#,
    ),
    case(
        "unknown_word",
        r#"[policies.p]
extends = "user_default"
renew = "slidng"
"#,
        r#"[policies.p]
extends = "user_default"
renew = "fixed"
"#,
    ),
    case(
        "bare_number",
        r#"[policies.p]
extends = "user_default"
ttl = 3600
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "3600s"
"#,
    ),
    case(
        "zero_duration",
        r#"[policies.p]
extends = "user_default"
ttl = "0s"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "1s"
"#,
    ),
    case(
        "negative_duration",
        r#"[policies.p]
extends = "user_default"
ttl = "-1h"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
"#,
    ),
    case(
        "out_of_range",
        r#"[policies.p]
extends = "user_default"
max_keys = 0
"#,
        r#"[policies.p]
extends = "user_default"
max_keys = 1
"#,
    ),
    case(
        "later_version",
        r#"[policies.p]
extends = "user_default"
transport = { adapter = "token" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { adapter = "cookie" }
"#,
    ),
    case(
        "serial_without_turns",
        r#"[policies.p]
extends = "user_default"
on_conflict = "reject"
serial = { wait = "5s" }
"#,
        r#"[policies.p]
extends = "user_default"
on_conflict = "serial"
serial = { wait = "5s" }
"#,
    ),
    case(
        "serial_wait_too_long",
        r#"[policies.p]
extends = "user_default"
on_conflict = "serial"
serial = { wait = "61s" }
"#,
        r#"[policies.p]
extends = "user_default"
on_conflict = "serial"
serial = { wait = "60s" }
"#,
    ),
    case(
        "serial_lease_range",
        r#"[policies.p]
extends = "user_default"
on_conflict = "serial"
serial = { lease = "10min" }
"#,
        r#"[policies.p]
extends = "user_default"
on_conflict = "serial"
serial = { lease = "5min" }
"#,
    ),
    case(
        "socket_origin",
        r#"[policies.p]
extends = "user_default"
socket = { origins = ["https://*.shop.example"] }
"#,
        r#"[policies.p]
extends = "user_default"
socket = { origins = ["https://www.shop.example"] }
"#,
    ),
    case(
        "socket_origin_in_clear",
        r#"[policies.p]
extends = "user_default"
socket = { origins = ["http://shop.example"] }
"#,
        r#"[policies.p]
extends = "user_default"
socket = { origins = ["http://localhost:3000"] }
"#,
    ),
    case(
        "socket_check_range",
        r#"[policies.p]
extends = "user_default"
socket = { check_every = "2min" }
"#,
        r#"[policies.p]
extends = "user_default"
socket = { check_every = "1s" }
"#,
    ),
    case(
        "socket_check_seldom",
        r#"[policies.p]
extends = "user_default"
socket = { check_every = "5s" }
"#,
        r#"[policies.p]
extends = "user_default"
socket = { check_every = "500ms" }
"#,
    ),
    case(
        "socket_outage_range",
        r#"[policies.p]
extends = "user_default"
socket = { outage = "1min" }
"#,
        r#"[policies.p]
extends = "user_default"
socket = { outage = "30s" }
"#,
    ),
    case(
        "near_cache_range",
        r#"[policies.p]
extends = "user_default"
near_cache = "500ms"
"#,
        r#"[policies.p]
extends = "user_default"
near_cache = "1s"
"#,
    ),
    case(
        "near_cache_long",
        r#"[policies.p]
extends = "user_default"
near_cache = "10s"
"#,
        r#"[policies.p]
extends = "user_default"
near_cache = "5s"
"#,
    ),
    case(
        "outage_grace_range",
        r#"[policies.p]
extends = "user_default"
outage_grace = "1min"
"#,
        r#"[policies.p]
extends = "user_default"
outage_grace = "30s"
"#,
    ),
    case(
        "outage_grace_rotates",
        r#"[policies.p]
extends = "user_default"
rotate_on_use = true
outage_grace = "10s"
"#,
        r#"[policies.p]
extends = "user_default"
rotate_every = "15min"
outage_grace = "10s"
"#,
    ),
    case(
        "near_without_effect",
        r#"[policies.p]
extends = "user_default"
on_conflict = "serial"
near_cache = "2s"
"#,
        r#"[policies.p]
extends = "user_default"
on_conflict = "last_write"
near_cache = "2s"
"#,
    ),
    case(
        "near_pointless",
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"

[policies.p]
extends = "user_default"
near_cache = "2s"
"#,
        r#"[stores.main]
kind = "custom"

[policies.p]
extends = "user_default"
near_cache = "2s"
"#,
    ),
    case(
        "socket_subprotocol_of_cookie",
        r#"[policies.p]
extends = "user_default"
socket = { credential = "subprotocol" }
"#,
        r#"[policies.p]
extends = "api_token"
socket = { credential = "subprotocol" }
"#,
    ),
    case(
        "socket_keeps_alive",
        r#"[policies.p]
extends = "user_default"
socket = { activity = "connected" }
"#,
        r#"[policies.p]
extends = "user_default"
socket = { activity = "message" }
"#,
    ),
    case(
        "activity_without_lifetime",
        r#"[policies.p]
extends = "api_token"
activity = "change"
"#,
        r#"[policies.p]
extends = "api_token"
activity = "change"
idle_timeout = "10min"
"#,
    ),
    case(
        "touch_without_use",
        r#"[policies.p]
extends = "user_default"
activity = "change"
touch_every = "1min"
"#,
        r#"[policies.p]
extends = "user_default"
activity = "use"
touch_every = "1min"
"#,
    ),
    case(
        "unknown_extends",
        r#"[policies.p]
extends = "user_defalt"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "cyclic_extends",
        r#"[policies.p]
extends = "q"

[policies.q]
extends = "p"
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "unknown_store",
        r#"[policies.p]
extends = "user_default"
persistence = { store_name = "mian" }
"#,
        r#"[policies.p]
extends = "user_default"
persistence = { store_name = "main" }
"#,
    ),
    case(
        "store_migration",
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"
migrate_from = "files"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"
migrate_from = "older"

[stores.older]
kind = "sqlite"
url = "sqlite://older.db"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_timeout",
        r#"[stores.main]
timeout = "1min"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
timeout = "30s"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_place",
        r#"[stores.main]
kind = "sqlite"
url = "sessions.db"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_place_missing",
        r#"[stores.main]
kind = "sqlite"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "codec_feature",
        r#"[policies.p]
extends = "user_default"
persistence = { codec = "messagepack" }
"#,
        r#"[policies.p]
extends = "user_default"
persistence = { codec = "json" }
"#,
    ),
    Case {
        variables: &[(KEYS, ONE_KEY)],
        ..case(
            "encryption_feature",
            r#"[policies.p]
extends = "user_default"
"#,
            r#"[policies.p]
extends = "user_default"
"#,
        )
    },
    Case {
        variables: &[(KEYS, "1:not-a-key")],
        ..case(
            "encryption_keys",
            r#"[policies.p]
extends = "user_default"
"#,
            r#"[policies.p]
extends = "user_default"
"#,
        )
    },
    Case {
        variables: &[("SESSIONS_STORES__MAIN__INDEX_KEY", "not-a-key")],
        ..case(
            "index_key",
            r#"[policies.p]
extends = "user_default"
"#,
            r#"[policies.p]
extends = "user_default"
"#,
        )
    },
    case(
        "secret_in_file",
        r#"[stores.main]
encryption_keys = ["1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"]

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "store_feature",
        r#"[stores.main]
kind = "sqlite"
url = "sqlite://sessions.db"

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "memory"

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "cookie_path",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop", cookie_path = "shop" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_name = "__Secure-shop" }
"#,
    ),
    Case {
        rule: "env_weakens",
        wrong: r#"[policies.p]
extends = "user_default"
"#,
        right: r#"[policies.p]
extends = "user_default"
"#,
        variables: &[("SESSIONS_POLICIES__P__IDLE_TIMEOUT", "off")],
    },
    case(
        "bad_suppression",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_samesite = "lax" }
allow = [{ rule = "SL1O", reason = "a frame", owner = "web team", until = "2027-01-31" }]
"#,
        r#"[policies.p]
extends = "user_default"
allow = [{ rule = "SL010", reason = "a frame", owner = "web team", until = "2027-01-31" }]
"#,
    ),
    case(
        "expired_suppression",
        r#"[policies.p]
extends = "user_default"
transport = { cookie_samesite = "none" }
allow = [{ rule = "SL010", reason = "a frame", owner = "web team", until = "2020-01-31" }]
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_samesite = "none" }
allow = [{ rule = "SL010", reason = "a frame", owner = "web team", until = 2026-07-01 }]
"#,
    ),
    case(
        "fingerprint_enforced",
        r#"[policies.p]
extends = "user_default"
fingerprint_binding = true
"#,
        r#"[policies.p]
extends = "user_default"
fingerprint_binding = false
"#,
    ),
    case(
        "cookie_key_without_cookie",
        r#"[policies.p]
extends = "api_token"
transport = { cookie_path = "/" }
"#,
        r#"[policies.p]
extends = "api_token"
"#,
    ),
    case(
        "header_key_without_header",
        r#"[policies.p]
extends = "user_default"
transport = { header_name = "X-Shop" }
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "limit_without_sessions",
        r#"[policies.p]
scope = "request"
concurrency = { max_sessions_per_principal = 3 }
"#,
        r#"[policies.p]
scope = "request"
"#,
    ),
    case(
        "remember_without_sessions",
        r#"[policies.p]
extends = "user_default"
scope = "connection"
remember = { ttl = "9days" }
"#,
        r#"[policies.p]
extends = "user_default"
scope = "device"
remember = { ttl = "9days" }
"#,
    ),
    case(
        "remember_without_ttl",
        r#"[policies.p]
extends = "user_default"
remember = { idle_timeout = "1day" }
"#,
        r#"[policies.p]
extends = "user_default"
remember = { ttl = "9days", idle_timeout = "1day" }
"#,
    ),
    case(
        "rotation_twice",
        r#"[policies.p]
extends = "user_default"
rotate_on_use = true
rotate_every = "1h"
"#,
        r#"[policies.p]
extends = "user_default"
rotate_every = "1h"
"#,
    ),
    case(
        "rotation_past_the_end",
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
rotate_every = "2h"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "2h"
rotate_every = "1h"
"#,
    ),
    case(
        "store_key_without_effect",
        r#"[stores.main]
kind = "custom"
max_sessions = 5

[policies.p]
extends = "user_default"
"#,
        r#"[stores.main]
kind = "memory"
max_sessions = 5

[policies.p]
extends = "user_default"
"#,
    ),
    case(
        "request_is_stored",
        r#"[policies.p]
extends = "user_default"
scope = "request"
persistence = { enabled = true }
"#,
        r#"[policies.p]
extends = "user_default"
persistence = { enabled = true }
"#,
    ),
    case(
        "scope_needs_store",
        r#"[policies.p]
extends = "user_default"
scope = "user"
persistence = { enabled = false }
"#,
        r#"[policies.p]
extends = "user_default"
persistence = { enabled = false }
"#,
    ),
    case(
        "ttl_past_the_end",
        r#"[policies.p]
extends = "user_default"
ttl = "8h"
absolute_timeout = "4h"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "4h"
absolute_timeout = "8h"
"#,
    ),
    case(
        "fresh_past_the_end",
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
fresh_for = "2h"
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "1h"
fresh_for = "1h"
"#,
    ),
    case(
        "remember_under_ttl",
        r#"[policies.p]
extends = "user_default"
ttl = "7days"
remember = { ttl = "1day" }
"#,
        r#"[policies.p]
extends = "user_default"
ttl = "7days"
remember = { ttl = "14days" }
"#,
    ),
    case(
        "behavior_without_limit",
        r#"[policies.p]
extends = "api_token"
concurrency = { behavior_on_limit = "reject" }
"#,
        r#"[policies.p]
extends = "api_token"
concurrency = { max_sessions_per_principal = 3, behavior_on_limit = "reject" }
"#,
    ),
    case(
        "unused_suppression",
        r#"[policies.p]
extends = "user_default"
allow = [{ rule = "SL010", reason = "a frame", owner = "web", until = "2026-12-31" }]
"#,
        r#"[policies.p]
extends = "user_default"
transport = { cookie_samesite = "none" }
allow = [{ rule = "SL010", reason = "a frame", owner = "web", until = "2026-12-31" }]
"#,
    ),
    case(
        "order_missing",
        r#"[policies.p]
extends = "user_default"
transport = { adapter = "composite" }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { adapter = "composite", order = ["cookie", "bearer"] }
"#,
    ),
    case(
        "order_item",
        r#"[policies.p]
extends = "user_default"
transport = { adapter = "composite", order = ["cookie", "baerer"] }
"#,
        r#"[policies.p]
extends = "user_default"
transport = { adapter = "composite", order = ["cookie", "header", "bearer", "custom"] }
"#,
    ),
    case(
        "order_without_composite",
        r#"[policies.p]
extends = "user_default"
transport = { order = ["cookie", "bearer"] }
"#,
        r#"[policies.p]
extends = "user_default"
"#,
    ),
];
