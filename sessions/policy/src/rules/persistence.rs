//! Rules about scope, storage, limits and what is carried over.

use super::{Finding, Rule, value};
use crate::adapt::{OF_STORED, OF_THE_REMEMBERED};
use crate::resolve::Resolved;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "request_is_stored", keys: &["scope", "persistence.enabled"], check: request_is_stored },
    Rule { name: "scope_needs_store", keys: &["scope", "persistence.enabled"], check: scope_needs_store },
    Rule {
        name: "limit_without_sessions",
        keys: &["scope", "concurrency.max_sessions_per_principal"],
        check: limit_without_sessions,
    },
    Rule {
        name: "remember_without_sessions",
        keys: &["scope", "remember.ttl", "remember.idle_timeout"],
        check: remember_without_sessions,
    },
    Rule { name: "carry_over", keys: &["carry_over"], check: carry_over },
];

fn request_is_stored(policy: &Resolved) -> Vec<Finding> {
    if !policy.is("scope", "request") || !policy.truth("persistence.enabled") {
        return Vec::new();
    }
    let reason = format!("(true) contradicts {}", policy.cite("scope"));
    let help = "drop it, or write another `scope`: a session of one request is never stored";
    vec![Finding::at("persistence.enabled", reason, help)]
}

fn scope_needs_store(policy: &Resolved) -> Vec<Finding> {
    if policy.is("scope", "request") || policy.truth("persistence.enabled") {
        return Vec::new();
    }
    let reason = format!("{} contradicts {}", value(policy, "scope"), policy.cite("persistence.enabled"));
    let help =
        "write `scope = \"request\"`, or drop `persistence.enabled`: what isn't stored ends with its request";
    vec![Finding::at("scope", reason, help)]
}

fn limit_without_sessions(policy: &Resolved) -> Vec<Finding> {
    if !policy.is("scope", "request") {
        return Vec::new();
    }
    let limits = OF_STORED.iter().filter(|key| policy.is_stated(key) && policy.number(key).is_some());
    let reason = format!("has no effect with {}", policy.cite("scope"));
    limits.map(|key| Finding::at(key, &*reason, "drop it: no session is there to be counted")).collect()
}

fn remember_without_sessions(policy: &Resolved) -> Vec<Finding> {
    if !policy.is("scope", "request") && !policy.is("scope", "connection") {
        return Vec::new();
    }
    let remembered =
        OF_THE_REMEMBERED.iter().filter(|key| policy.is_stated(key) && policy.duration(key).is_some());
    let reason = format!("has no effect with {}", policy.cite("scope"));
    let help = "drop it, or write `scope = \"user\"` or `\"device\"`: only those outlive a connection";
    remembered.map(|key| Finding::at(key, &*reason, help)).collect()
}

fn carry_over(policy: &Resolved) -> Vec<Finding> {
    let keys = policy.list("carry_over").unwrap_or_default();
    if keys.iter().any(|key| key.contains('*')) {
        let help = "name each key, or write `\"all\"`: patterns are not understood";
        return vec![Finding::at("carry_over", "has a wildcard", help)];
    }
    if keys.iter().any(String::is_empty) {
        return vec![Finding::at("carry_over", "has an empty key", "drop the empty text")];
    }
    Vec::new()
}
