//! Rules about when an id changes.

use std::time::Duration;

use super::{Finding, Rule, value};
use crate::adapt::fixed_end;
use crate::problem::Weight;
use crate::resolve::Resolved;

/// The longest time for which two ids of one session may work.
const LONGEST_GRACE: Duration = Duration::from_secs(120);
/// The longest that needs no thought.
const USUAL_GRACE: Duration = Duration::from_secs(30);
/// The longest life of one id that activity prolongs.
const LONG_LIFE: Duration = Duration::from_secs(8 * 3600);
/// The longest life of a remembered id that never changes.
const LONG_MEMORY: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "privilege_rotation_off",
        keys: &["rotate_on_privilege_change"],
        check: privilege_rotation_off,
    },
    Rule { name: "rotation_twice", keys: &["rotate_on_use", "rotate_every"], check: rotation_twice },
    Rule { name: "grace_too_long", keys: &["rotation_grace"], check: grace_too_long },
    Rule {
        name: "grace_over_rotation",
        keys: &["rotation_grace", "rotate_every"],
        check: grace_over_rotation,
    },
    Rule {
        name: "rotation_past_the_end",
        keys: &["rotate_every", "renew", "ttl", "absolute_timeout"],
        check: rotation_past_the_end,
    },
    Rule { name: "grace_long", keys: &["rotation_grace", "rotate_every"], check: grace_long },
    Rule {
        name: "no_rotation",
        keys: &["absolute_timeout", "rotate_every", "rotate_on_use"],
        check: no_rotation,
    },
    Rule {
        name: "remember_without_rotation",
        keys: &["remember.ttl", "rotate_every", "rotate_on_use"],
        check: remember_without_rotation,
    },
];

fn privilege_rotation_off(policy: &Resolved) -> Vec<Finding> {
    if policy.truth("rotate_on_privilege_change") {
        return Vec::new();
    }
    let help = "drop it: a login must change the id, or a planted one would be logged in";
    vec![Finding::at("rotate_on_privilege_change", "can't be switched off", help)]
}

fn rotation_twice(policy: &Resolved) -> Vec<Finding> {
    if !policy.truth("rotate_on_use") || policy.duration("rotate_every").is_none() {
        return Vec::new();
    }
    let reason = format!("{} has no effect beside `rotate_on_use`", value(policy, "rotate_every"));
    vec![Finding::at(
        "rotate_every",
        reason,
        "drop one of the two: an id either changes at each use or at an age",
    )]
}

fn grace_too_long(policy: &Resolved) -> Vec<Finding> {
    if policy.duration("rotation_grace").is_none_or(|grace| grace <= LONGEST_GRACE) {
        return Vec::new();
    }
    let reason = format!("{} is longer than 120s", value(policy, "rotation_grace"));
    let help = "write at most `\"120s\"`: for that long a stolen old id would still work";
    vec![Finding::at("rotation_grace", reason, help)]
}

fn grace_over_rotation(policy: &Resolved) -> Vec<Finding> {
    match (policy.duration("rotation_grace"), policy.duration("rotate_every")) {
        (Some(grace), Some(age)) if grace >= age => {
            let reason = format!(
                "{} is not shorter than {}",
                value(policy, "rotation_grace"),
                policy.cite("rotate_every")
            );
            let help =
                "lower `rotation_grace`, or raise `rotate_every`: each id would outlive its successor's turn";
            vec![Finding::at("rotation_grace", reason, help)]
        }
        _ => Vec::new(),
    }
}

fn rotation_past_the_end(policy: &Resolved) -> Vec<Finding> {
    let Some(age) = policy.duration("rotate_every") else { return Vec::new() };
    let ends = fixed_end(policy).into_iter().chain(["absolute_timeout"]);
    let past = ends.filter(|end| policy.duration(end).is_some_and(|end| age > end));
    let findings = past.map(|end| {
        let reason = format!("{} is longer than {}", value(policy, "rotate_every"), policy.cite(end));
        let help = format!("lower `rotate_every`, or raise `{end}`: no id would ever get so old");
        Finding::at("rotate_every", reason, help)
    });
    findings.collect()
}

fn grace_long(policy: &Resolved) -> Vec<Finding> {
    let Some(grace) = policy.duration("rotation_grace") else { return Vec::new() };
    let contradicts = policy.duration("rotate_every").is_some_and(|age| grace >= age);
    if grace <= USUAL_GRACE || grace > LONGEST_GRACE || contradicts {
        return Vec::new();
    }
    let reason = format!("{} is longer than 30s", value(policy, "rotation_grace"));
    let help = "lower it, or drop it for the default: for that long a stolen old id would still work";
    vec![Finding::at("rotation_grace", reason, help).weighing(Weight::Warned)]
}

fn rotates(policy: &Resolved) -> bool {
    policy.truth("rotate_on_use") || policy.duration("rotate_every").is_some()
}

fn no_rotation(policy: &Resolved) -> Vec<Finding> {
    let key = "absolute_timeout";
    let is_long = policy.duration(key).is_some_and(|end| end > LONG_LIFE);
    // What a preset sets was weighed when it was made.
    if !is_long || rotates(policy) || !policy.is_stated(key) {
        return Vec::new();
    }
    let reason = format!("{} is longer than 8h, and the id never changes by age", value(policy, key));
    vec![Finding::at(key, reason, "write `rotate_every`, such as `\"1h\"`, or lower `absolute_timeout`")]
}

fn remember_without_rotation(policy: &Resolved) -> Vec<Finding> {
    let key = "remember.ttl";
    if rotates(policy) || policy.duration(key).is_none_or(|life| life <= LONG_MEMORY) {
        return Vec::new();
    }
    let reason = format!("{} is longer than 30days, and the id never changes by age", value(policy, key));
    let help =
        "write `rotate_every`, such as `\"1day\"`: the use of a copied id is noticed only where ids change";
    vec![Finding::at(key, reason, help)]
}
