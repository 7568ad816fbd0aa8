//! Rules about how long sessions live.

use std::time::Duration;

use super::{Finding, Rule, value};
use crate::adapt::{OF_USE, activity_bounds, touch_bounds};
use crate::problem::Weight;
use crate::resolve::Resolved;

/// The longest life of a cookie that browsers accept (RFC 6265bis 5.5).
const LONGEST_COOKIE: Duration = Duration::from_secs(400 * 24 * 3600);
/// The longest life of a session that needs no idle timeout.
const SHORT_LIFE: Duration = Duration::from_secs(3600);
/// The longest idle timeout that is recommended (OWASP Session Management Cheat Sheet, Session Expiration).
const LONGEST_IDLE: Duration = Duration::from_secs(30 * 60);

pub(super) const RULES: &[Rule] = &[
    Rule { name: "idle_over_ttl", keys: &["idle_timeout", "ttl"], check: idle_over_ttl },
    Rule {
        name: "idle_over_absolute",
        keys: &["idle_timeout", "absolute_timeout"],
        check: idle_over_absolute,
    },
    Rule {
        name: "touch_over_idle",
        keys: &["touch_every", "renew", "ttl", "idle_timeout"],
        check: touch_over_idle,
    },
    Rule {
        name: "remember_without_ttl",
        keys: &["remember.ttl", "remember.idle_timeout"],
        check: remember_without_ttl,
    },
    Rule {
        name: "remember_idle_over_ttl",
        keys: &["remember.ttl", "remember.idle_timeout"],
        check: remember_idle_over_ttl,
    },
    Rule { name: "ttl_past_the_end", keys: &["ttl", "absolute_timeout"], check: ttl_past_the_end },
    Rule { name: "fresh_past_the_end", keys: &["fresh_for", "ttl"], check: fresh_past_the_end },
    Rule { name: "remember_under_ttl", keys: &["remember.ttl", "ttl"], check: remember_under_ttl },
    Rule { name: "remember_over_cookie", keys: &["remember.ttl"], check: remember_over_cookie },
    Rule { name: "idle_missing", keys: &["idle_timeout", "ttl", "renew", "scope"], check: idle_missing },
    Rule { name: "absolute_missing", keys: &["absolute_timeout", "renew", "scope"], check: absolute_missing },
    Rule { name: "idle_long", keys: &["idle_timeout", "scope"], check: idle_long },
    Rule {
        name: "activity_without_lifetime",
        keys: &["activity", "idle_timeout", "remember.idle_timeout", "renew", "scope"],
        check: activity_without_lifetime,
    },
    Rule { name: "touch_without_use", keys: &["activity", "touch_every"], check: touch_without_use },
    Rule {
        name: "touch_coarse",
        keys: &["touch_every", "renew", "ttl", "idle_timeout", "remember.idle_timeout"],
        check: touch_coarse,
    },
];

fn idle_over_ttl(policy: &Resolved) -> Vec<Finding> {
    longer(
        policy,
        "idle_timeout",
        "ttl",
        "lower `idle_timeout`, or raise `ttl`: a session can't be idle past its end",
    )
}

fn idle_over_absolute(policy: &Resolved) -> Vec<Finding> {
    let help = "lower `idle_timeout`, or raise `absolute_timeout`: a session can't be idle past its end";
    longer(policy, "idle_timeout", "absolute_timeout", help)
}

fn touch_over_idle(policy: &Resolved) -> Vec<Finding> {
    let Some(interval) = policy.duration("touch_every") else { return Vec::new() };
    let bounds = touch_bounds(policy).into_iter();
    let reached = bounds.filter(|bound| policy.duration(bound).is_some_and(|limit| interval >= limit));
    let findings = reached.map(|bound| {
        let reason = format!("{} is not shorter than {}", value(policy, "touch_every"), policy.cite(bound));
        let help =
            format!("lower `touch_every`, or drop it: activity would count too late to prolong `{bound}`");
        Finding::at("touch_every", reason, help)
    });
    findings.collect()
}

fn remember_without_ttl(policy: &Resolved) -> Vec<Finding> {
    let idle = policy.duration("remember.idle_timeout");
    if idle.is_none() || policy.duration("remember.ttl").is_some() {
        return Vec::new();
    }
    // Where nobody can be remembered the key has no effect, with or without the other, and another rule says so.
    if !(policy.carries("cookie") || policy.carries("custom"))
        || policy.is("scope", "request")
        || policy.is("scope", "connection")
    {
        return Vec::new();
    }
    let reason = format!("{} has no `remember.ttl` beside it", value(policy, "remember.idle_timeout"));
    vec![Finding::at(
        "remember.idle_timeout",
        reason,
        "write `remember.ttl`, such as `\"30days\"`, or drop it",
    )]
}

fn remember_idle_over_ttl(policy: &Resolved) -> Vec<Finding> {
    let help = "lower `remember.idle_timeout`, or raise `remember.ttl`: a session can't be idle past its end";
    longer(policy, "remember.idle_timeout", "remember.ttl", help)
}

fn ttl_past_the_end(policy: &Resolved) -> Vec<Finding> {
    let help = "lower `ttl`, or raise `absolute_timeout`: no session lives past that end";
    longer_at_one_rank(policy, "ttl", "absolute_timeout", help)
}

fn fresh_past_the_end(policy: &Resolved) -> Vec<Finding> {
    let help = "lower `fresh_for`, or raise `ttl`: a session would be fresh all its life";
    longer_at_one_rank(policy, "fresh_for", "ttl", help)
}

fn remember_under_ttl(policy: &Resolved) -> Vec<Finding> {
    let (Some(remembered), Some(ttl)) = (policy.duration("remember.ttl"), policy.duration("ttl")) else {
        return Vec::new();
    };
    if remembered >= ttl || !policy.are_of_one_rank("remember.ttl", "ttl") {
        return Vec::new();
    }
    let reason = format!("{} is shorter than {}", value(policy, "remember.ttl"), policy.cite("ttl"));
    let help = "raise `remember.ttl`, or lower `ttl`: who asks to be remembered would be forgotten sooner";
    vec![Finding::at("remember.ttl", reason, help).weighing(Weight::Warned)]
}

/// A length that never comes to its end, where one person wrote both: worth a warning.
fn longer_at_one_rank(policy: &Resolved, key: &'static str, bound: &'static str, help: &str) -> Vec<Finding> {
    if !policy.are_of_one_rank(key, bound) {
        return Vec::new();
    }
    longer(policy, key, bound, help).into_iter().map(|found| found.weighing(Weight::Warned)).collect()
}

fn remember_over_cookie(policy: &Resolved) -> Vec<Finding> {
    if policy.duration("remember.ttl").is_none_or(|ttl| ttl <= LONGEST_COOKIE) {
        return Vec::new();
    }
    let reason = format!("{} is longer than a cookie may live (400 days)", value(policy, "remember.ttl"));
    vec![Finding::at("remember.ttl", reason, "write at most `\"400days\"`")]
}

fn idle_missing(policy: &Resolved) -> Vec<Finding> {
    let is_short =
        policy.is("renew", "fixed") && policy.duration("ttl").is_some_and(|life| life <= SHORT_LIFE);
    if policy.is("scope", "request") || policy.duration("idle_timeout").is_some() || is_short {
        return Vec::new();
    }
    let reason = if policy.is_stated("idle_timeout") { "is off" } else { "is missing" };
    let help = "write `idle_timeout`, such as `\"30min\"`: what was left open would stay open";
    vec![Finding::at("idle_timeout", reason, help)]
}

fn absolute_missing(policy: &Resolved) -> Vec<Finding> {
    let has_end = !policy.is("renew", "sliding") || policy.duration("absolute_timeout").is_some();
    if policy.is("scope", "request") || has_end {
        return Vec::new();
    }
    let state = if policy.is_stated("absolute_timeout") { "is off" } else { "is missing" };
    let reason = format!("{state} beside {}", policy.cite("renew"));
    let help = "write `absolute_timeout`, such as `\"12h\"`: a session that is used, or a stolen one, would never end";
    vec![Finding::at("absolute_timeout", reason, help)]
}

fn idle_long(policy: &Resolved) -> Vec<Finding> {
    let is_long = policy.duration("idle_timeout").is_some_and(|idle| idle > LONGEST_IDLE);
    // What a preset sets was weighed when it was made.
    if !is_long || policy.is("scope", "device") || !policy.is_stated("idle_timeout") {
        return Vec::new();
    }
    let reason = format!("{} is longer than 30min", value(policy, "idle_timeout"));
    vec![Finding::at("idle_timeout", reason, "lower it, or let people ask for it by `remember`")]
}

fn activity_without_lifetime(policy: &Resolved) -> Vec<Finding> {
    let key = "activity";
    if !policy.is_stated(key) || !policy.is(key, "change") || !activity_bounds(policy).is_empty() {
        return Vec::new();
    }
    let help = "write `idle_timeout`, such as `\"30min\"`, or drop it: no lifetime goes by activity";
    vec![
        Finding::at(key, "(change) has no effect without a lifetime that activity prolongs", help)
            .weighing(Weight::Warned),
    ]
}

fn touch_without_use(policy: &Resolved) -> Vec<Finding> {
    if !policy.is("activity", "change") {
        return Vec::new();
    }
    let stated = OF_USE.iter().filter(|key| policy.is_stated(key));
    let reason = format!("has no effect with {}", policy.cite("activity"));
    let help = "drop it: only a change counts as activity, and is written anyway";
    stated.map(|key| Finding::at(key, &*reason, help)).collect()
}

fn touch_coarse(policy: &Resolved) -> Vec<Finding> {
    let Some(interval) = policy.duration("touch_every") else { return Vec::new() };
    let missed = touch_bounds(policy)
        .into_iter()
        .find(|bound| policy.duration(bound).is_some_and(|limit| interval > limit / 4 && interval < limit));
    let Some(bound) = missed else { return Vec::new() };
    let reason = format!("{} is more than a quarter of {}", value(policy, "touch_every"), policy.cite(bound));
    let help = "lower `touch_every`, or drop it: sessions in use may end by that much too early";
    vec![Finding::at("touch_every", reason, help).weighing(Weight::Warned)]
}

fn longer(policy: &Resolved, key: &'static str, bound: &'static str, help: &str) -> Vec<Finding> {
    let (Some(length), Some(limit)) = (policy.duration(key), policy.duration(bound)) else {
        return Vec::new();
    };
    if length <= limit {
        return Vec::new();
    }
    let reason = format!("{} is longer than {}", value(policy, key), policy.cite(bound));
    vec![Finding::at(key, reason, help)]
}
