//! Rules about requests of one session that take turns.

use std::time::Duration;

use super::{Finding, Rule, value};
use crate::adapt::OF_TURNS;
use crate::resolve::Resolved;

/// The longest time for which a request may wait for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The shortest turn: a store may take as long to answer, and clocks of nodes differ.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
/// The longest turn: a process that died holds the session for as long.
const LONGEST_LEASE: Duration = Duration::from_secs(5 * 60);

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "serial_without_turns",
        keys: &["on_conflict", "serial.wait", "serial.lease"],
        check: serial_without_turns,
    },
    Rule { name: "serial_wait_too_long", keys: &["serial.wait"], check: serial_wait_too_long },
    Rule { name: "serial_lease_range", keys: &["serial.lease"], check: serial_lease_range },
];

fn serial_without_turns(policy: &Resolved) -> Vec<Finding> {
    if policy.is("on_conflict", "serial") {
        return Vec::new();
    }
    let stated = OF_TURNS.iter().filter(|key| policy.is_stated(key));
    let reason = format!("has no effect with {}", policy.cite("on_conflict"));
    let help = "write `on_conflict = \"serial\"`, or drop it: requests take no turns otherwise";
    stated.map(|key| Finding::at(key, &*reason, help)).collect()
}

fn serial_wait_too_long(policy: &Resolved) -> Vec<Finding> {
    let key = "serial.wait";
    if policy.duration(key).is_none_or(|wait| wait <= LONGEST_WAIT) {
        return Vec::new();
    }
    let reason = format!("{} is longer than 60s", value(policy, key));
    let help =
        "write at most `\"60s\"`: clients and proxies give up before that, and their requests would pile up";
    vec![Finding::at(key, reason, help)]
}

fn serial_lease_range(policy: &Resolved) -> Vec<Finding> {
    let key = "serial.lease";
    let Some(lease) = policy.duration(key) else { return Vec::new() };
    let (than, help) = if lease < SHORTEST_LEASE {
        (
            "shorter than 1s",
            "write at least `\"1s\"`: a turn would run out while its request is being answered",
        )
    } else if lease > LONGEST_LEASE {
        (
            "longer than 5min",
            "write at most `\"5min\"`: a process that dies leaves the session locked for that long",
        )
    } else {
        return Vec::new();
    };
    vec![Finding::at(key, format!("{} is {than}", value(policy, key)), help)]
}
