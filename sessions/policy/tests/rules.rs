//! Each rule fires on its mistake, at its place, with help; and stays silent beside it.

mod common;

use common::{bad, good, only};

/// A policy `p` of these keys breaks `rule`, once, at `key`.
#[track_caller]
fn fires(rule: &str, key: &str, body: &str) {
    let text = format!("[policies.p]\n{body}\n");
    let problem = only(bad(&text));
    assert_eq!(problem.rule(), rule, "{problem}");
    assert_eq!(problem.key(), format!("policies.p.{key}"), "{problem}");
    assert!(problem.origin().to_string().starts_with("sessions.toml:"), "{problem}");
    assert!(problem.help().is_some(), "{problem}");
    assert!(problem.message().contains(&format!("`{}`", problem.key())), "{problem}");
}

#[track_caller]
fn silent(body: &str) {
    good(&format!("[policies.p]\n{body}\n"));
}

#[test]
fn idle_ends_before_the_session_does() {
    fires("idle_over_ttl", "idle_timeout", "ttl = '1h'\nidle_timeout = '2h'");
    fires("idle_over_ttl", "idle_timeout", "idle_timeout = '8days'");
    fires("idle_over_ttl", "idle_timeout", "extends = 'user_default'\nidle_timeout = '8days'");
    fires("idle_over_absolute", "idle_timeout", "absolute_timeout = '1h'\nidle_timeout = '2h'");
    silent("ttl = '1h'\nidle_timeout = '1h'\nabsolute_timeout = '1h'");
    silent("extends = 'user_default'\nidle_timeout = 'off'");
}

#[test]
fn a_touch_comes_before_the_idle_end() {
    fires("touch_over_idle", "touch_every", "idle_timeout = '1min'\ntouch_every = '1min'");
    fires("touch_over_idle", "touch_every", "renew = 'sliding'\nttl = '1min'\ntouch_every = '2min'");
    silent("idle_timeout = '1min'\ntouch_every = '59s'");
    silent("ttl = '1min'\ntouch_every = '2min'");
}

#[test]
fn remembered_sessions_have_lifetimes_that_fit() {
    fires("remember_without_ttl", "remember.idle_timeout", "remember.idle_timeout = '1day'");
    fires(
        "remember_idle_over_ttl",
        "remember.idle_timeout",
        "remember = { ttl = '1day', idle_timeout = '2days' }",
    );
    fires("remember_over_cookie", "remember.ttl", "remember.ttl = '401days'");
    fires("remember_without_sessions", "remember.ttl", "scope = 'connection'\nremember.ttl = '9days'");
    fires(
        "cookie_key_without_cookie",
        "remember.ttl",
        "transport.adapter = 'header'\nremember.ttl = '9days'",
    );
    for nobody in ["scope = 'request'", "scope = 'connection'", "transport.adapter = 'header'"] {
        let problem = only(bad(&format!("[policies.p]\n{nobody}\nremember.idle_timeout = '1h'\n")));
        assert!(problem.message().contains("has no effect with"), "{problem}");
    }
    silent("remember = { ttl = '400days', idle_timeout = '400days' }");
    silent("ttl = '1h'\nremember.ttl = '30days'\nfresh_for = '2h'");
}

#[test]
fn rotation_can_neither_be_off_nor_twice() {
    fires("privilege_rotation_off", "rotate_on_privilege_change", "rotate_on_privilege_change = false");
    fires("rotation_twice", "rotate_every", "rotate_on_use = true\nrotate_every = '1h'");
    silent("rotate_on_privilege_change = true\nrotate_on_use = true");
    silent("rotate_on_use = false\nrotate_every = '1h'");
    silent("rotate_on_use = true\nrotate_every = 'off'");
}

#[test]
fn grace_is_short() {
    fires("grace_too_long", "rotation_grace", "rotation_grace = '121s'");
    fires("grace_over_rotation", "rotation_grace", "rotate_every = '1min'\nrotation_grace = '1min'");
    fires("zero_duration", "rotation_grace", "rotation_grace = '0s'");
    fires("rotation_past_the_end", "rotate_every", "ttl = '1h'\nrotate_every = '2h'");
    fires(
        "rotation_past_the_end",
        "rotate_every",
        "renew = 'sliding'\nabsolute_timeout = '1h'\nrotate_every = '2h'",
    );
    silent("rotation_grace = '120s'\nrotate_every = '121s'");
    silent("renew = 'sliding'\nttl = '1h'\nrotate_every = '2h'");
}

#[test]
fn a_session_of_one_request_is_not_stored() {
    fires("request_is_stored", "persistence.enabled", "scope = 'request'\npersistence.enabled = true");
    fires("request_is_stored", "persistence.enabled", "extends = 'ephemeral'\npersistence.enabled = true");
    for scope in ["user", "device", "connection"] {
        fires("scope_needs_store", "scope", &format!("scope = '{scope}'\npersistence.enabled = false"));
    }
    fires(
        "limit_without_sessions",
        "concurrency.max_sessions_per_principal",
        "scope = 'request'\nconcurrency.max_sessions_per_principal = 3",
    );
    silent("scope = 'request'");
    silent("scope = 'request'\nconcurrency.max_sessions_per_principal = 'unlimited'");
    silent("persistence.enabled = false");
    let off = good("[policies.p]\npersistence.enabled = false\n");
    assert!(!off.policy("p").unwrap().is_persistent());
    assert_eq!(off.policy("p").unwrap().scope().as_str(), "request");
}

#[test]
fn what_is_carried_over_is_named() {
    fires("carry_over", "carry_over", "carry_over = ['*']");
    fires("carry_over", "carry_over", "carry_over = ['']");
    fires("wrong_kind", "carry_over", "carry_over = 'everything'");
    silent("carry_over = []");
    silent("carry_over = ['cart', 'locale']");
    silent("carry_over = 'all'");
}

#[test]
fn a_cookie_is_safe_and_has_a_name() {
    fires(
        "cookie_httponly_off",
        "transport.cookie_httponly",
        "transport = { cookie_httponly = false, cookie_name = 'sid' }",
    );
    for name in ["''", "'a b'", "'$a'", "'a;b'", "'é'"] {
        fires("cookie_name", "transport.cookie_name", &format!("transport.cookie_name = {name}"));
    }
    let long = "a".repeat(4027);
    fires("cookie_too_long", "transport.cookie_name", &format!("transport.cookie_name = '{long}'"));
    silent(&format!("transport.cookie_name = '{}'", &long[1..]));
    for name in ["__host-sid", "Host__sid", "__Host-http-sid", "__SECURE-sid", "__Host_sid"] {
        fires(
            "cookie_prefix_spelling",
            "transport.cookie_name",
            &format!("transport.cookie_name = '{name}'"),
        );
    }
    for name in ["__Host-sid", "__Host-Http-sid", "__Secure-sid", "__Http-sid", "sid", "host_sid"] {
        silent(&format!("transport.cookie_name = '{name}'"));
    }
}

#[test]
fn a_prefix_binds_the_attributes() {
    let transport = |rest: &str| format!("transport = {{ {rest} }}");
    for name in ["", "cookie_name = '__Host-sid', "] {
        let with = |rest: &str| transport(&format!("{name}{rest}"));
        fires("cookie_prefix", "transport.cookie_domain", &with("cookie_domain = 'example.com'"));
        fires("cookie_prefix", "transport.cookie_path", &with("cookie_path = '/shop'"));
        fires("cookie_prefix", "transport.cookie_secure", &with("cookie_secure = false"));
    }
    for name in ["__Secure-sid", "__Http-sid"] {
        let with = |rest: &str| transport(&format!("cookie_name = '{name}', {rest}"));
        fires("cookie_prefix", "transport.cookie_secure", &with("cookie_secure = false"));
        silent(&with("cookie_domain = 'example.com', cookie_path = '/shop'"));
    }
    silent(&transport("cookie_name = 'sid', cookie_secure = false"));
}

#[test]
fn same_site_none_needs_secure() {
    let insecure = "transport = { cookie_name = 'sid', cookie_samesite = 'none', cookie_secure = false }";
    fires("samesite_none_insecure", "transport.cookie_samesite", insecure);
    silent("transport.cookie_samesite = 'none'");
}

#[test]
fn a_path_and_a_domain_are_what_browsers_accept() {
    for path in ["shop", "", "/a;b", "/é", "/\\n"] {
        let body = format!("transport = {{ cookie_name = 'sid', cookie_path = \"{path}\" }}");
        fires("cookie_path", "transport.cookie_path", &body);
    }
    for domain in [".example.com", "localhost", "127.0.0.1", "exa mple.com", "-a.com"] {
        let body = format!("transport = {{ cookie_name = 'sid', cookie_domain = '{domain}' }}");
        fires("cookie_domain", "transport.cookie_domain", &body);
    }
    silent("transport = { cookie_name = 'sid', cookie_domain = 'example.com', cookie_path = '/a b' }");
}

#[test]
fn a_header_has_a_name_of_its_own() {
    let header = |name: &str| format!("transport = {{ adapter = 'header', header_name = '{name}' }}");
    for name in ["", "a b", "a:b", "é"] {
        fires("header_name", "transport.header_name", &header(name));
    }
    for name in [
        "Cookie",
        "set-cookie",
        "Forwarded",
        "AUTHORIZATION",
        "Host",
        "Origin",
        "Accept",
        "Vary",
        "TE",
        "Connection",
        "Sec-Session",
        "Content-Type",
        "Proxy-X",
        "X-Forwarded-For",
        "If-Match",
    ] {
        fires("header_name_taken", "transport.header_name", &header(name));
    }
    silent(&header("X-Session-ID"));
}

#[test]
fn a_key_of_the_other_adapter_is_refused() {
    for (key, value) in [
        ("transport.cookie_name", "'sid'"),
        ("transport.cookie_secure", "true"),
        ("transport.cookie_httponly", "true"),
        ("transport.cookie_samesite", "'lax'"),
        ("transport.cookie_path", "'/'"),
        ("transport.cookie_domain", "'example.com'"),
        ("transport.max_cookie_header", "'8KiB'"),
        ("transport.max_cookie_pairs", "8"),
        ("csrf", "'strict'"),
        ("trusted_origins", "['https://a.example']"),
    ] {
        fires("cookie_key_without_cookie", key, &format!("transport.adapter = 'header'\n{key} = {value}"));
    }
    fires("header_key_without_header", "transport.header_name", "transport.header_name = 'X-Id'");
    fires(
        "cookie_key_without_cookie",
        "transport.cookie_path",
        "extends = 'api_token'\ntransport.cookie_path = '/'",
    );
    silent("extends = 'admin'\ntransport.adapter = 'header'");
    silent("extends = 'api_token'\ntransport.adapter = 'cookie'");
}

#[test]
fn a_trusted_origin_is_a_whole_origin() {
    for origin in ["null", "https://*.a.example", "a.example", "https://a.example/", "ftp://a.example"] {
        fires("trusted_origin", "trusted_origins", &format!("trusted_origins = ['{origin}']"));
    }
    silent("trusted_origins = ['https://a.example', 'http://localhost:3000']");
}

#[test]
fn sizes_and_limits_have_ranges() {
    fires("out_of_range", "max_size", "max_size = '2MiB'");
    fires("out_of_range", "max_size", "max_size = '1023B'");
    fires("bare_number", "max_size", "max_size = 65536");
    fires("out_of_range", "max_keys", "max_keys = 0");
    fires("out_of_range", "transport.max_cookie_pairs", "transport.max_cookie_pairs = 0");
    let limit = "concurrency.max_sessions_per_principal";
    fires("out_of_range", limit, &format!("{limit} = 0"));
    fires("out_of_range", limit, &format!("{limit} = -1"));
    silent("max_size = '1KiB'\nmax_keys = 1\nconcurrency.max_sessions_per_principal = 1_000");
}

#[test]
fn what_comes_later_is_told_from_a_slip() {
    fires("later_version", "transport.adapter", "transport.adapter = 'token'");
    fires("later_version", "persistence.write_through", "persistence.write_through = true");
    fires("later_version", "persistence.compress", "persistence.compress = true");
    fires("unknown_word", "transport.adapter", "transport.adapter = 'cokie'");
}

#[test]
fn turns_have_lengths_that_fit() {
    let serial = "on_conflict = 'serial'";
    fires("serial_without_turns", "serial.wait", "serial.wait = '1s'");
    fires("serial_without_turns", "serial.lease", "on_conflict = 'last_write'\nserial.lease = '10s'");
    fires("serial_wait_too_long", "serial.wait", &format!("{serial}\nserial.wait = '61s'"));
    fires("serial_lease_range", "serial.lease", &format!("{serial}\nserial.lease = '999ms'"));
    fires("serial_lease_range", "serial.lease", &format!("{serial}\nserial.lease = '301s'"));
    silent(serial);
    silent(&format!("{serial}\nserial = {{ wait = '60s', lease = '1s' }}"));
}

#[test]
fn a_profile_that_ends_the_turns_ends_their_lengths_too() {
    let turns = "[policies.p]\non_conflict = 'serial'\nserial.wait = '1s'\n";
    let configuration = good(&format!("{turns}[production.policies.p]\non_conflict = 'reject'\n"));
    assert!(configuration.policy("p").unwrap().serial().is_none());
    assert!(configuration.notes().iter().any(|note| note.key() == "policies.p.serial.wait"));
}

#[test]
fn only_use_is_touched() {
    fires(
        "touch_without_use",
        "touch_every",
        "idle_timeout = '1h'\nactivity = 'change'\ntouch_every = '1min'",
    );
    silent("idle_timeout = '1h'\nactivity = 'change'");
    silent("idle_timeout = '1h'\nactivity = 'use'\ntouch_every = '1min'");
    let changed = good("[policies.p]\nidle_timeout = '1h'\nactivity = 'change'\n");
    assert_eq!(changed.policy("p").unwrap().touch_every(), None);
}

#[test]
fn a_store_has_to_exist() {
    fires("unknown_store", "persistence.store_name", "persistence.store_name = 'cache'");
    silent("persistence.store_name = 'main'");
    good("[policies.p]\npersistence.store_name = 'cache'\n[stores.cache]\n");
    let near = only(bad("[policies.p]\npersistence.store_name = 'cahce'\n[stores.cache]\n"));
    assert_eq!(near.suggestion(), Some("cache"));
    // A session that is never stored needs none, unless it names one.
    silent("scope = 'request'");
    fires("unknown_store", "persistence.store_name", "scope = 'request'\npersistence.store_name = 'cache'");
}

#[test]
fn two_policies_share_no_name() {
    let two = |transport: &str, other: &str| {
        format!("[policies.a]\ntransport = {{ {transport} }}\n[policies.b]\ntransport = {{ {other} }}\n")
    };
    let shared = only(bad(&two("cookie_name = 'sid'", "cookie_name = 'SID'")));
    assert_eq!((shared.rule(), shared.key()), ("shared_cookie_name", "policies.b.transport.cookie_name"));
    assert_eq!(shared.origin().to_string(), "sessions.toml:4:29");
    let shared = only(bad(&two("cookie_name = '__Host-Http-b'", "")));
    assert_eq!(shared.key(), "policies.a.transport.cookie_name");
    let shared = only(bad(&two("adapter = 'header'", "adapter = 'header', header_name = 'x-session-id'")));
    assert_eq!(shared.rule(), "shared_header_name");
    good(&two("cookie_name = 'a'", "cookie_name = 'b'"));
    good(&two("adapter = 'header'", "adapter = 'header', header_name = 'X-Other'"));
    good(
        "[policies.a]\ntransport.cookie_name = 'x'\n[policies.b]\nscope = 'request'\ntransport.cookie_name = 'x'\n",
    );
    assert_eq!(only(bad("[policies.v2]\n[policies.v_2]\n")).rule(), "shared_type");
}

#[test]
fn an_extended_policy_exists_and_ends() {
    fires("unknown_extends", "extends", "extends = 'user_defalt'");
    fires("unknown_extends", "extends", "extends = 'p'");
    let near = only(bad("[policies.p]\nextends = 'user_defalt'\n"));
    assert_eq!(near.suggestion(), Some("user_default"));
    let circle =
        bad("[policies.a]\nextends = 'b'\n[policies.b]\nextends = 'a'\n[policies.c]\nextends = 'a'\n");
    let circle = only(circle);
    assert_eq!((circle.rule(), circle.key()), ("cyclic_extends", "policies.a.extends"));
}

#[test]
fn stores_have_rules_of_their_own() {
    let store = |body: &str| only(bad(&format!("[stores.main]\n{body}\n")));
    assert_eq!(store("timeout = '31s'").rule(), "store_timeout");
    assert_eq!(store("max_sessions = 0").rule(), "out_of_range");
    assert_eq!(store("kind = 'memry'").suggestion(), Some("memory"));
    assert_eq!(store("key_prefix = 'x'").rule(), "store_key_without_effect");
    assert_eq!(store("kind = 'redis'").key(), "stores.main.url");
    assert_eq!(store("kind = 'redis'\nurl = 'sqlite://x.db'").rule(), "store_place");
    assert_eq!(store("kind = 'redis'\nurl = 'redis://x'\nkey_prefix = 'a{b}'").rule(), "name");
    good("[stores.main]\nkind = 'redis'\nurl = 'redis://x'\nkey_prefix = 'shop'\n");
    assert_eq!(store("directory = 'x'").rule(), "store_key_without_effect");
    assert_eq!(store("kind = 'sqlite'").key(), "stores.main.url");
    assert_eq!(store("kind = 'file'").key(), "stores.main.directory");
    assert_eq!(store("kind = 'sqlite'\nurl = 'redis://x'").rule(), "store_place");
    assert_eq!(
        store("kind = 'sqlite'\nurl = 'sqlite://x.db'\ndirectory = 'x'").rule(),
        "store_key_without_effect"
    );
    good("[stores.main]\nkind = 'sqlite'\nurl = 'sqlite://x.db'\n");
    let redis = |body: &str| store(&format!("kind = 'redis'\nurl = 'redis://x'\n{body}"));
    for without_effect in [
        redis("sentinel_username = 'x'"),
        redis("client_certificate = 'x.pem'"),
        store("kind = 'redis'\nurl = 'redis+sentinel://x/main'\nsentinel_username = 'x'"),
        store("kind = 'redis'\nurl = 'rediss://x'\nclient_key = 'x.pem'"),
        store("kind = 'postgres'\nurl = 'postgres://x@localhost/x'\nclient_certificate = 'x'"),
        store("durability = 'replicated'"),
    ] {
        assert_eq!(without_effect.rule(), "store_key_without_effect", "{without_effect}");
    }
    let pasted =
        "kind = 'redis'\nurl = 'rediss://x'\nclient_certificate = 'x.pem'\nclient_key = '-----BEGIN PRIVATE'";
    assert_eq!(store(pasted).rule(), "store_place");
    good(
        "[stores.main]\nkind = 'redis'\nurl = 'rediss://x'\nclient_certificate = 'x.pem'\nclient_key = 'x.key'\n",
    );
    assert_eq!(store("kind = 'postgres'").key(), "stores.main.url");
    assert_eq!(store("kind = 'postgres'\nurl = 'sqlite://x.db'").rule(), "store_place");
    assert_eq!(store("kind = 'postgres'\nurl = 'postgres://db/x?sslmode=prefer'").rule(), "store_place");
    assert_eq!(
        store("kind = 'sqlite'\nurl = 'sqlite://x.db'\npooler = 'none'").rule(),
        "store_key_without_effect"
    );
    good("[stores.main]\nkind = 'postgres'\nurl = 'postgres://db/x'\npooler = 'transaction'\n");
    for other in ["", "kind = 'sqlite'\nurl = 'sqlite://x.db'\n", "kind = 'file'\ndirectory = 'x'\n"] {
        assert_eq!(store(&format!("{other}outbox = '7days'")).rule(), "store_key_without_effect");
    }
    for (kept, rule) in [("59s", "out_of_range"), ("367days", "out_of_range"), ("0s", "zero_duration")] {
        assert_eq!(store(&format!("kind = 'redis'\nurl = 'redis://x'\noutbox = '{kept}'")).rule(), rule);
    }
    good("[stores.main]\nkind = 'redis'\nurl = 'redis://x'\noutbox = '1min'\n");
    assert_eq!(store("max_session = 5").suggestion(), Some("max_sessions"));
    assert_eq!(store("kind = 'custom'\nmax_sessions = 5").rule(), "store_key_without_effect");
    good("[stores.main]\nkind = 'custom'\ntimeout = '30s'\n");
}
