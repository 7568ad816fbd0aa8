//! Rules about the cookie: its name and prefix, its attributes, and keys without effect beside another adapter.

use super::{Finding, Rule, value};
use crate::adapt::without_cookie;
use crate::resolve::{ORDER, Resolved};
use crate::value::shown;

pub(super) use crate::resolve::ADAPTER;

pub(super) const NAME: &str = "transport.cookie_name";
pub(super) const SECURE: &str = "transport.cookie_secure";
const HTTPONLY: &str = "transport.cookie_httponly";
pub(super) const SAMESITE: &str = "transport.cookie_samesite";
pub(super) const PATH: &str = "transport.cookie_path";
pub(super) const DOMAIN: &str = "transport.cookie_domain";

/// The longest name-value pair that browsers keep (RFC 6265bis 5.6), less a value of 70 bytes.
const LONGEST_NAME: usize = 4096 - 70;
/// The longest attribute value that browsers keep (RFC 6265bis 5.6).
const LONGEST_ATTRIBUTE: usize = 1024;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "cookie_httponly_off", keys: &[ADAPTER, ORDER, HTTPONLY], check: httponly_off },
    Rule { name: "cookie_name", keys: &[ADAPTER, ORDER, NAME], check: name },
    Rule { name: "cookie_too_long", keys: &[ADAPTER, ORDER, NAME], check: too_long },
    Rule { name: "cookie_prefix_spelling", keys: &[ADAPTER, ORDER, NAME], check: prefix_spelling },
    Rule { name: "cookie_prefix", keys: &[ADAPTER, ORDER, NAME, SECURE, PATH, DOMAIN], check: prefix },
    Rule { name: "samesite_none_insecure", keys: &[ADAPTER, ORDER, SAMESITE, SECURE], check: samesite_none },
    Rule { name: "cookie_path", keys: &[ADAPTER, ORDER, PATH], check: path },
    Rule { name: "cookie_path_too_long", keys: &[ADAPTER, ORDER, PATH], check: path_too_long },
    Rule { name: "cookie_domain", keys: &[ADAPTER, ORDER, DOMAIN], check: domain },
    Rule { name: "cookie_key_without_cookie", keys: &[ADAPTER, ORDER], check: key_without_cookie },
];

pub(super) fn is_cookie(policy: &Resolved) -> bool {
    policy.carries("cookie")
}

fn httponly_off(policy: &Resolved) -> Vec<Finding> {
    if !is_cookie(policy) || policy.truth(HTTPONLY) {
        return Vec::new();
    }
    let help = "drop it: no script may read a session's cookie";
    vec![Finding::at(HTTPONLY, "can't be switched off", help)]
}

fn name(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = policy.text(NAME).filter(|_| is_cookie(policy)) else { return Vec::new() };
    let help = "write letters, digits, `-` and `_`, or drop the key for a safe default";
    let reason = if name.is_empty() {
        "is empty".to_owned()
    } else if name.starts_with('$') {
        format!("({}) begins with `$`", shown(name))
    } else if !is_token(name) {
        format!("({}) has characters that a cookie's name can't have", shown(name))
    } else {
        return Vec::new();
    };
    vec![Finding::at(NAME, reason, help)]
}

fn too_long(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = policy.text(NAME).filter(|_| is_cookie(policy)) else { return Vec::new() };
    if name.len() <= LONGEST_NAME {
        return Vec::new();
    }
    let reason = format!("is longer than {LONGEST_NAME} characters");
    vec![Finding::at(NAME, reason, "write a short one, or drop the key: browsers would drop the cookie")]
}

/// Whether `text` is a token (RFC 9110 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    let is_mark = |c: u8| b"!#$%&'*+-.^_`|~".contains(&c);
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || is_mark(c))
}

/// The prefixes that bind a cookie's attributes (RFC 6265bis 4.1.3), the longest first.
const PREFIXES: &[&str] = &["__Host-Http-", "__Host-", "__Secure-", "__Http-"];

pub(super) fn prefix_of(name: &str) -> Option<&'static str> {
    PREFIXES.iter().copied().find(|prefix| name.starts_with(prefix))
}

/// A name that looks as if it had a prefix. Browsers compare prefixes without regard to case, so a look-alike
/// would be refused by them or protect nothing (RFC 6265bis 5.4).
fn prefix_spelling(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = policy.text(NAME).filter(|_| is_cookie(policy)) else { return Vec::new() };
    let Some(meant) = look_alike(name) else { return Vec::new() };
    let reason = format!("({}) looks as if it began with `{meant}`, and doesn't", shown(name));
    vec![Finding::at(NAME, reason, format!("write `{meant}` exactly, or a name that doesn't resemble it"))]
}

pub(super) fn look_alike(name: &str) -> Option<&'static str> {
    let plain = name.to_ascii_lowercase().replace('_', "-");
    let meant = PREFIXES.iter().copied().find(|prefix| {
        let word = prefix.trim_matches(['_', '-']).to_ascii_lowercase();
        ["--", "-", ""].iter().any(|lead| {
            let Some(rest) = plain.strip_prefix(lead).and_then(|rest| rest.strip_prefix(&word)) else {
                return false;
            };
            // Without underscores in front, only the slip `Host__` counts: `host_name` is a good name.
            if lead.is_empty() { rest.starts_with("--") } else { rest.starts_with('-') }
        })
    })?;
    (prefix_of(name) != Some(meant)).then_some(meant)
}

/// What a prefix forbids. That the cookie is `HttpOnly`, which two of them ask for, is a rule under any name.
fn prefix(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = policy.text(NAME).filter(|_| is_cookie(policy)) else { return Vec::new() };
    let Some(prefix) = prefix_of(name) else { return Vec::new() };
    let own_name = if policy.is_stated(NAME) {
        format!("or choose a `cookie_name` without `{prefix}`")
    } else {
        "or write a `cookie_name` of your own: the default's prefix forbids it".to_owned()
    };
    let mut findings = Vec::new();
    let mut broken = |key: &'static str, reason: String, fix: &str| {
        let reason = format!("{reason} is not allowed under the prefix `{prefix}`");
        findings.push(Finding::at(key, reason, format!("{fix}, {own_name}")));
    };
    if !policy.truth(SECURE) {
        broken(SECURE, "(false)".into(), "drop `cookie_secure`");
    }
    if prefix.contains("Host") {
        if policy.text(DOMAIN).is_some() {
            broken(DOMAIN, value(policy, DOMAIN), "drop `cookie_domain`");
        }
        // What is no path at all is refused as such.
        if policy.text(PATH).is_some_and(|path| path != "/" && path.starts_with('/')) {
            broken(PATH, value(policy, PATH), "write `\"/\"`");
        }
    }
    findings
}

fn samesite_none(policy: &Resolved) -> Vec<Finding> {
    if !is_cookie(policy) || !policy.is(SAMESITE, "none") || policy.truth(SECURE) {
        return Vec::new();
    }
    let reason = format!("(none) needs a secure cookie, and {} is not", policy.cite(SECURE));
    vec![Finding::at(SAMESITE, reason, "drop `cookie_secure`: browsers refuse the cookie otherwise")]
}

fn path(policy: &Resolved) -> Vec<Finding> {
    let Some(path) = policy.text(PATH).filter(|_| is_cookie(policy)) else { return Vec::new() };
    let reason = if !path.starts_with('/') {
        format!("({}) doesn't begin with `/`", shown(path))
    } else if !path.bytes().all(|c| matches!(c, b' '..=b'~') && c != b';') {
        format!("({}) has characters that a path can't have", shown(path))
    } else {
        return Vec::new();
    };
    vec![Finding::at(PATH, reason, "write a path such as `\"/\"` (RFC 6265bis 4.1.1), or drop the key")]
}

fn path_too_long(policy: &Resolved) -> Vec<Finding> {
    if !is_cookie(policy) || policy.text(PATH).is_none_or(|path| path.len() <= LONGEST_ATTRIBUTE) {
        return Vec::new();
    }
    let reason = format!("is longer than {LONGEST_ATTRIBUTE} characters");
    vec![Finding::at(PATH, reason, "write a short one: browsers would ignore it")]
}

fn domain(policy: &Resolved) -> Vec<Finding> {
    let Some(domain) = policy.text(DOMAIN).filter(|_| is_cookie(policy)) else { return Vec::new() };
    let Some(reason) = refuse_domain(domain) else { return Vec::new() };
    let help =
        "write a name such as `\"example.com\"`, or drop the key: without it only this host gets the cookie";
    vec![Finding::at(DOMAIN, format!("({}) {reason}", shown(domain)), help)]
}

pub(super) fn refuse_domain(domain: &str) -> Option<&'static str> {
    if domain.starts_with('.') {
        return Some("begins with a dot, which means nothing since RFC 6265");
    }
    if domain.parse::<std::net::IpAddr>().is_ok() || domain.contains([':', '[']) {
        return Some("is an address, not a domain");
    }
    if !is_host(domain) {
        return Some("is not a domain: its labels have letters, digits and inner hyphens");
    }
    if !domain.contains('.') {
        return Some("has a single label, which would be a whole top-level domain");
    }
    let last = domain.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|c| c.is_ascii_digit()).then_some("ends in a number, as only addresses do")
}

/// Whether `host` is made of labels of letters, digits and inner hyphens (RFC 1123 2.1).
pub(super) fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let inner = label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

fn key_without_cookie(policy: &Resolved) -> Vec<Finding> {
    let (reason, help) = without(policy, "cookie");
    let stated = without_cookie(|carrier| policy.carries(carrier))
        .filter(|key| policy.is_stated(key) && !policy.broken.contains(key));
    stated.map(|key| Finding::at(key, &*reason, &*help)).collect()
}

/// Why a key of `carrier` has no effect, and what to do.
pub(super) fn without(policy: &Resolved, carrier: &str) -> (String, String) {
    let adapter = policy.word(ADAPTER).unwrap_or_default();
    if adapter == "composite" {
        let reason = format!("has no effect: `order` doesn't name `{carrier}`");
        return (reason, format!("drop the key, or add `\"{carrier}\"` to `order`"));
    }
    let reason = format!("has no effect with `adapter = \"{adapter}\"`");
    (reason, format!("drop the key, or write `adapter = \"{carrier}\"`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_of_a_prefix_are_seen_and_good_names_are_not() {
        for name in [
            "__host-a",
            "__HOST-a",
            "__Host_a",
            "_Host-a",
            "Host__a",
            "__Host-http-a",
            "__Host-HTTP-a",
            "__secure-a",
            "__Secure_a",
            "__HTTP-a",
            "Secure--a",
            "--Host-a",
        ] {
            assert!(look_alike(name).is_some(), "{name}");
        }
        for name in [
            "__Host-a",
            "__Host-Http-a",
            "__Secure-a",
            "__Http-a",
            "host_a",
            "hostess",
            "session",
            "__hosted",
            "http_state",
            "secure-id",
        ] {
            assert_eq!(look_alike(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_a_domain() {
        assert_eq!(refuse_domain("shop.example.com"), None);
        for domain in [
            ".example.com",
            "127.0.0.1",
            "[::1]",
            "::1",
            "localhost",
            "a..b",
            "-a.com",
            "a-.com",
            "exämple.com",
            "a b.com",
            "",
            "example.com.",
            "1.2.3",
            "example.com:80",
        ] {
            assert!(refuse_domain(domain).is_some(), "{domain}");
        }
    }

    #[test]
    fn what_is_a_token() {
        assert!(is_token("X-Session_ID.1"));
        for text in ["", "a b", "a;b", "a=b", "é", "a\tb", "a,b", "a/b"] {
            assert!(!is_token(text), "{text:?}");
        }
    }
}
