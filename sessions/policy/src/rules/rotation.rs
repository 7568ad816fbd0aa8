//! Rules about when an id changes.

use std::time::Duration;

use super::{Finding, Rule, value};
use crate::adapt::fixed_end;
use crate::resolve::Resolved;

/// The longest time for which two ids of one session may work.
const LONGEST_GRACE: Duration = Duration::from_secs(120);

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
];

fn privilege_rotation_off(policy: &Resolved) -> Vec<Finding> {
    if policy.truth("rotate_on_privilege_change") {
        return Vec::new();
    }
    let help =
        "drop it: a login must change the id, or a planted one would be logged in (OWASP ASVS 5.0, 7.2.4)";
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
