//! Rules about what a cookie risks that browsers accept: in clear, cross-site, shared between hosts, or telling.

use super::cookie::{
    ADAPTER, DOMAIN, NAME, PATH, SAMESITE, SECURE, is_cookie, is_token, look_alike, prefix_of, refuse_domain,
};
use super::{Finding, Rule, value};
use crate::problem::Weight;
use crate::resolve::{ORDER, Resolved};
use crate::value::shown;

/// The longest cookie that goes unnoticed with every request, in bytes, less a value of 70.
const USUAL_NAME: usize = 512 - 70;
/// Names by which well-known software can be told, in lower case.
const TELLING: &[&str] = &[
    "_session_id",
    "asp.net_sessionid",
    "aspsessionid",
    "cfid",
    "cftoken",
    "ci_session",
    "connect.sid",
    "express.sid",
    "express:sess",
    "jsessionid",
    "koa.sess",
    "koa:sess",
    "laravel_session",
    "phpsessid",
    "play_session",
    "rack.session",
    "sessionid",
    "symfony",
    "tower.sid",
    "wordpress_logged_in",
];

pub(super) const RULES: &[Rule] = &[
    Rule { name: "cookie_insecure", keys: &[ADAPTER, ORDER, NAME, SECURE, "scope"], check: insecure },
    Rule {
        name: "cookie_prefix_missing",
        keys: &[ADAPTER, ORDER, NAME, SECURE, DOMAIN, "scope"],
        check: prefix_missing,
    },
    Rule { name: "cookie_name_fingerprint", keys: &[ADAPTER, ORDER, NAME, "scope"], check: name_fingerprint },
    Rule { name: "samesite_none", keys: &[ADAPTER, ORDER, SAMESITE, SECURE, "scope"], check: samesite_none },
    Rule { name: "cookie_domain_set", keys: &[ADAPTER, ORDER, DOMAIN, NAME, "scope"], check: domain_set },
    Rule { name: "cookie_path_narrow", keys: &[ADAPTER, ORDER, PATH, NAME, "scope"], check: path_narrow },
    Rule { name: "cookie_name_long", keys: &[ADAPTER, ORDER, NAME, "scope"], check: name_long },
];

/// The cookie's name, if one is ever sent.
fn sent(policy: &Resolved) -> Option<&str> {
    policy.text(NAME).filter(|_| is_cookie(policy) && !policy.is("scope", "request"))
}

fn insecure(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = sent(policy) else { return Vec::new() };
    // A prefix forbids it, which is told by another rule.
    if policy.truth(SECURE) || prefix_of(name).is_some() {
        return Vec::new();
    }
    vec![Finding::at(SECURE, "(false) sends the id in clear", "drop it: loopback needs no exception")]
}

fn prefix_missing(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = sent(policy) else { return Vec::new() };
    if !is_token(name) || !policy.truth(SECURE) || look_alike(name).is_some() || prefix_of(name).is_some() {
        return Vec::new();
    }
    let (prefix, risk) = match policy.text(DOMAIN) {
        Some(_) => ("__Secure-", "a page in clear could set it"),
        None => ("__Host-Http-", "a sibling host, or a page in clear, could set it"),
    };
    let reason = format!("({}) has no prefix that browsers enforce", shown(name));
    let help = format!("begin it with `{prefix}`, or drop the key for the default: {risk}");
    vec![Finding::at(NAME, reason, help)]
}

fn name_fingerprint(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = sent(policy) else { return Vec::new() };
    let bare = name.strip_prefix(prefix_of(name).unwrap_or_default()).unwrap_or(name).to_ascii_lowercase();
    if !TELLING.contains(&bare.as_str()) {
        return Vec::new();
    }
    let reason = format!("({}) is the name of other software's cookie", shown(name));
    vec![Finding::at(NAME, reason, "drop the key, or choose a name that tells nothing")]
}

fn samesite_none(policy: &Resolved) -> Vec<Finding> {
    if sent(policy).is_none() || !policy.is(SAMESITE, "none") || !policy.truth(SECURE) {
        return Vec::new();
    }
    let help = "write `\"lax\"` or `\"strict\"`, or allow it with a reason";
    vec![Finding::at(SAMESITE, "(none) sends the cookie with the requests of every site", help)]
}

fn domain_set(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = sent(policy) else { return Vec::new() };
    let Some(domain) = policy.text(DOMAIN) else { return Vec::new() };
    if refuse_domain(domain).is_some() || prefix_of(name).is_some_and(|prefix| prefix.contains("Host")) {
        return Vec::new();
    }
    let reason = format!("{} hands the id to every host below", value(policy, DOMAIN));
    vec![Finding::at(DOMAIN, reason, "drop it: only the host that set the cookie would get it")]
}

fn path_narrow(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = sent(policy) else { return Vec::new() };
    let Some(path) = policy.text(PATH).filter(|path| *path != "/" && path.starts_with('/')) else {
        return Vec::new();
    };
    if prefix_of(name).is_some_and(|prefix| prefix.contains("Host")) {
        return Vec::new();
    }
    let reason = format!("({}) protects nothing, and keeps the cookie from other routes", shown(path));
    vec![Finding::at(PATH, reason, "drop it, or give what has to be kept apart a host of its own")]
}

fn name_long(policy: &Resolved) -> Vec<Finding> {
    let Some(name) = sent(policy).filter(|name| (USUAL_NAME + 1..=4096 - 70).contains(&name.len())) else {
        return Vec::new();
    };
    let reason = format!("has {} characters, which travel with every request", name.len());
    vec![Finding::at(NAME, reason, "write a short one, or drop the key").weighing(Weight::Warned)]
}
