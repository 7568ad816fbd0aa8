//! Rules about what a process keeps of sessions that lie elsewhere.

use std::time::Duration;

use super::{Finding, Rule, value};
use crate::draft::Draft;
use crate::policy::Pooler;
use crate::problem::{Problem, Weight};
use crate::resolve::Resolved;
use crate::store_config::{StoreConfig, StoreKind};

const CACHE: &str = "near_cache";
const GRACE: &str = "outage_grace";
/// Whether a process hears of endings is asked twice a second: a shorter time would be over before.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time for which what has ended elsewhere may be served.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest time that needs no thought.
const USUAL: Duration = Duration::from_secs(5);

pub(super) const RULES: &[Rule] = &[
    Rule { name: "near_cache_range", keys: &[CACHE], check: near_cache_range },
    Rule { name: "near_cache_long", keys: &[CACHE], check: near_cache_long },
    Rule { name: "outage_grace_range", keys: &[GRACE], check: outage_grace_range },
    Rule { name: "near_without_effect", keys: &[CACHE, GRACE, "on_conflict"], check: near_without_effect },
    Rule { name: "outage_grace_rotates", keys: &[GRACE, "rotate_on_use"], check: outage_grace_rotates },
];

fn out_of_range(policy: &Resolved, key: &'static str, why: &str) -> Vec<Finding> {
    let Some(time) = policy.duration(key) else { return Vec::new() };
    let (than, help) = if time < SHORTEST {
        ("shorter than 1s", "write at least `\"1s\"`, or drop it".to_owned())
    } else if time > LONGEST {
        ("longer than 30s", format!("write at most `\"30s\"`: {why}"))
    } else {
        return Vec::new();
    };
    vec![Finding::at(key, format!("{} is {than}", value(policy, key)), help).weighing(Weight::Refused)]
}

fn near_cache_range(policy: &Resolved) -> Vec<Finding> {
    out_of_range(policy, CACHE, "a session that was revoked may be served for that long")
}

fn outage_grace_range(policy: &Resolved) -> Vec<Finding> {
    out_of_range(policy, GRACE, "no one knows meanwhile whether a session has ended")
}

fn near_cache_long(policy: &Resolved) -> Vec<Finding> {
    if policy.duration(CACHE).is_none_or(|time| time <= USUAL || time > LONGEST) {
        return Vec::new();
    }
    let help = "write at most `\"5s\"`: where a word is lost, what has ended is served for that long";
    vec![Finding::at(CACHE, format!("{} is longer than 5s", value(policy, CACHE)), help)]
}

fn near_without_effect(policy: &Resolved) -> Vec<Finding> {
    if !policy.is("on_conflict", "serial") {
        return Vec::new();
    }
    let stated = [CACHE, GRACE].into_iter().filter(|key| policy.duration(key).is_some());
    let reason = format!("has no effect with {}", policy.cite("on_conflict"));
    let help = "drop it: a turn begins with a write of the store";
    stated.map(|key| Finding::at(key, &*reason, help)).collect()
}

fn outage_grace_rotates(policy: &Resolved) -> Vec<Finding> {
    if policy.duration(GRACE).is_none() || !policy.truth("rotate_on_use") {
        return Vec::new();
    }
    let reason = format!("{} serves without {}", value(policy, GRACE), policy.cite("rotate_on_use"));
    let help = "drop it: while the store is away an id would be used again and again";
    vec![Finding::at(GRACE, reason, help)]
}

/// Policies whose store has nothing to be near to, or no way to tell of endings.
pub(super) fn judge_nearness(
    policies: &[Resolved],
    drafts: &[Draft],
    stores: &[StoreConfig],
    problems: &mut Vec<Problem>,
) {
    for (draft, store) in drafts.iter().zip(stores).filter(|(draft, _)| !draft.broken.contains("kind")) {
        let (keys, why): (&[&'static str], _) = match store.kind {
            StoreKind::Memory { .. } | StoreKind::File { .. } | StoreKind::Sqlite { .. } => {
                (&[CACHE, GRACE], "which is in this process or machine")
            }
            StoreKind::Postgres { pooler: Pooler::Transaction, .. } => {
                (&[CACHE], "whose pooler lets no process hear of endings")
            }
            _ => continue,
        };
        let on_it = policies.iter().filter(|policy| {
            policy.can_judge(&["persistence.store_name", "scope"])
                && !policy.is("scope", "request")
                && policy.text("persistence.store_name") == Some(&draft.name)
        });
        for policy in on_it {
            let stated = keys.iter().filter(|key| policy.can_judge(&[key]) && policy.duration(key).is_some());
            for key in stated {
                let reason = format!("has no effect with `stores.{}`, {why}", draft.name);
                let help = "drop it, or write it under `[production]`, beside the store that it is for";
                problems.push(policy.problem(key, "near_pointless", &reason).with_help(help));
            }
        }
    }
}
