//! Rules about scope, storage, limits and what is carried over.

use super::{Finding, Rule, value};
use crate::adapt::{OF_STORED, OF_THE_REMEMBERED};
use crate::problem::Weight;
use crate::resolve::{ADAPTER, ORDER, Resolved};
use crate::value::size_text;

const LIMIT: &str = "concurrency.max_sessions_per_principal";
const BEHAVIOR: &str = "concurrency.behavior_on_limit";
/// The largest session that needs no thought, in bytes.
const USUAL_SIZE: u64 = 64 << 10;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "request_is_stored", keys: &["scope", "persistence.enabled"], check: request_is_stored },
    Rule { name: "scope_needs_store", keys: &["scope", "persistence.enabled"], check: scope_needs_store },
    Rule {
        name: "limit_without_sessions",
        keys: &["scope", "concurrency.max_sessions_per_principal"],
        check: limit_without_sessions,
    },
    Rule { name: "behavior_without_limit", keys: &["scope", BEHAVIOR, LIMIT], check: behavior_without_limit },
    Rule {
        name: "remember_without_sessions",
        keys: &["scope", "remember.ttl", "remember.idle_timeout"],
        check: remember_without_sessions,
    },
    Rule { name: "carry_over", keys: &["carry_over"], check: carry_over },
    Rule { name: "carry_over_all", keys: &["carry_over"], check: carry_over_all },
    Rule { name: "limit_unstated", keys: &["scope", LIMIT, ADAPTER, ORDER], check: limit_unstated },
    Rule { name: "limit_off", keys: &["scope", LIMIT, ADAPTER, ORDER], check: limit_off },
    Rule { name: "payload_large", keys: &["max_size", "scope"], check: payload_large },
    Rule { name: "fingerprint_enforced", keys: &["fingerprint_binding"], check: fingerprint_enforced },
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

fn behavior_without_limit(policy: &Resolved) -> Vec<Finding> {
    let is_limited = policy.number(LIMIT).is_some();
    // A limit that a later layer lifts makes it moot, and is what other rules judge.
    let is_lifted = policy.is_stated(LIMIT) && policy.beats(LIMIT, BEHAVIOR);
    if policy.is("scope", "request") || !policy.is_stated(BEHAVIOR) || is_limited || is_lifted {
        return Vec::new();
    }
    let reason = format!("{} has no effect beside {}", value(policy, BEHAVIOR), policy.cite(LIMIT));
    let help = "write `max_sessions_per_principal` with a number beside it, or drop it: no login is beyond the limit";
    vec![Finding::at(BEHAVIOR, reason, help).weighing(Weight::Warned)]
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
        let help = "name each key: patterns are not understood";
        return vec![Finding::at("carry_over", "has a wildcard", help)];
    }
    if keys.iter().any(String::is_empty) {
        return vec![Finding::at("carry_over", "has an empty key", "drop the empty text")];
    }
    Vec::new()
}

fn carry_over_all(policy: &Resolved) -> Vec<Finding> {
    let key = "carry_over";
    if !policy.is_stated(key) || policy.list(key).is_some() {
        return Vec::new();
    }
    let help = "list the keys that a login needs, such as `[\"cart\"]`: an anonymous session's data may be another's";
    vec![Finding::at(key, "(all) takes everything over at login", help).weighing(Weight::Warned)]
}

/// A session of a person that isn't stated to be limited; programs that send a header are mostly limited elsewhere.
fn weigh_limit(policy: &Resolved, found: Finding) -> Finding {
    if policy.carries("cookie") { found } else { found.weighing(Weight::Warned) }
}

fn limit_unstated(policy: &Resolved) -> Vec<Finding> {
    let is_unstated = policy.get(LIMIT).is_some_and(|held| held.layer == crate::origin::Layer::Default);
    if policy.is("scope", "request") || !is_unstated {
        return Vec::new();
    }
    let help = "write `concurrency = { max_sessions_per_principal = 5, behavior_on_limit = \"evict_oldest\" }`, or \
                extend a preset";
    vec![weigh_limit(
        policy,
        Finding::at(LIMIT, "is missing: a principal may have any number of sessions", help),
    )]
}

fn limit_off(policy: &Resolved) -> Vec<Finding> {
    if policy.is("scope", "request") || !policy.is_stated(LIMIT) || !policy.is(LIMIT, "unlimited") {
        return Vec::new();
    }
    let help = "write a number, or allow it with a reason: stolen passwords open any number of sessions";
    vec![weigh_limit(policy, Finding::at(LIMIT, "(unlimited) is no limit", help))]
}

fn payload_large(policy: &Resolved) -> Vec<Finding> {
    let Some(size) = policy.number("max_size").filter(|size| *size > USUAL_SIZE) else { return Vec::new() };
    if policy.is("scope", "request") {
        return Vec::new();
    }
    let reason = format!("({}) is more than 64KiB", size_text(size));
    vec![Finding::at("max_size", reason, "lower it: each request reads the whole session")]
}

fn fingerprint_enforced(policy: &Resolved) -> Vec<Finding> {
    if !policy.truth("fingerprint_binding") || !policy.is_stated("fingerprint_binding") {
        return Vec::new();
    }
    let help = "drop it: an update of the browser ends the session, and a thief can copy what it is made of";
    vec![Finding::at("fingerprint_binding", "(true) binds sessions to what browsers change", help)]
}
