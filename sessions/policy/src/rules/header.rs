//! Rules about the header that carries the id.

use super::cookie::{is_token, without};
use super::{Finding, Rule};
use crate::adapt::without_header;
use crate::resolve::{ADAPTER, ORDER, Resolved};
use crate::value::shown;

const NAME: &str = "transport.header_name";

const LONGEST_NAME: usize = 128;

/// Fields that mean something else, hop by hop or end to end, or that are lists, so that an intermediary may
/// join or split them (OWASP ASVS 5.0, 4.1.3).
const TAKEN: &[&str] = &[
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "cache-control",
    "clear-site-data",
    "connection",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-real-ip",
];
/// Families of such fields.
const TAKEN_FAMILIES: &[&str] =
    &["accept", "access-control-", "content-", "if-", "proxy-", "sec-", "x-forwarded-"];

pub(super) const RULES: &[Rule] = &[
    Rule { name: "header_name", keys: &[ADAPTER, ORDER, NAME], check: grammar },
    Rule { name: "header_name_taken", keys: &[ADAPTER, ORDER, NAME], check: taken },
    Rule { name: "header_key_without_header", keys: &[ADAPTER, ORDER], check: key_without_header },
];

fn header_name(policy: &Resolved) -> Option<&str> {
    policy.text(NAME).filter(|_| policy.carries("header") || policy.carries("bearer"))
}

fn grammar(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = header_name(policy) else { return Vec::new() };
    let reason = if name.is_empty() {
        "is empty".to_owned()
    } else if !is_token(name) {
        format!("({}) has characters that a header's name can't have", shown(name))
    } else if name.len() > LONGEST_NAME {
        format!("is longer than {LONGEST_NAME} characters")
    } else {
        return Vec::new();
    };
    vec![Finding::at(
        NAME,
        reason,
        "write letters, digits and `-` (RFC 9110 5.1), such as `\"X-Session-ID\"`",
    )]
}

fn taken(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = header_name(policy) else { return Vec::new() };
    let lower = name.to_ascii_lowercase();
    if !TAKEN.contains(&lower.as_str()) && !TAKEN_FAMILIES.iter().any(|family| lower.starts_with(family)) {
        return Vec::new();
    }
    let help = if lower == "authorization" {
        "write `adapter = \"bearer\"`, or a name of your own, such as `\"X-Session-ID\"`"
    } else {
        "write a name of your own, such as `\"X-Session-ID\"`"
    };
    vec![Finding::at(NAME, format!("({}) is a header with a meaning of its own", shown(name)), help)]
}

fn key_without_header(policy: &Resolved) -> Vec<Finding> {
    let (reason, help) = without(policy, "header");
    let stated = without_header(|carrier| policy.carries(carrier)).filter(|key| policy.is_stated(key));
    stated.map(|key| Finding::at(key, &*reason, &*help)).collect()
}
