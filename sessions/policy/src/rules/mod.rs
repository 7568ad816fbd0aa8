//! The rules: one function each, with a stable name and the keys that it reads. A rule sees resolved values, after
//! everything that may give way has; so what it finds contradicts itself at one rank.

mod across;
mod carriers;
mod cookie;
mod cookie_safety;
mod encryption;
mod header;
mod lifetimes;
mod near;
mod origins;
mod persistence;
mod proxies;
mod rotation;
mod serial;
mod socket;
mod store_access;
mod store_places;
mod stores;

pub(crate) use self::across::{judge_together, keys_together};
pub(crate) use self::encryption::judge_codec;
pub(crate) use self::origins::normal_origin;
pub(crate) use self::stores::{judge_kinds, judge_migrations, judge_store};

use crate::origin::Layer;
use crate::problem::{Problem, Weight};
use crate::resolve::Resolved;

/// One rule about one policy.
pub(crate) struct Rule {
    /// Stable: people search for it.
    pub(crate) name: &'static str,
    /// It is not asked where one of these could not be read.
    pub(crate) keys: &'static [&'static str],
    pub(crate) check: fn(&Resolved) -> Vec<Finding>,
}

/// What a rule found at one key.
pub(crate) struct Finding {
    key: &'static str,
    /// The end of a sentence that begins with the key.
    reason: String,
    help: String,
    weight: Weight,
    /// The item of the key's list that it is about.
    item: Option<usize>,
}

impl Finding {
    fn at(key: &'static str, reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key, reason: reason.into(), help: help.into(), weight: Weight::OfTheLint, item: None }
    }

    fn at_item(self, item: usize) -> Self {
        Self { item: Some(item), ..self }
    }

    fn weighing(self, weight: Weight) -> Self {
        Self { weight, ..self }
    }
}

/// Every rule about one policy.
pub(crate) fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        lifetimes::RULES,
        rotation::RULES,
        serial::RULES,
        persistence::RULES,
        cookie::RULES,
        cookie_safety::RULES,
        header::RULES,
        carriers::RULES,
        origins::RULES,
        proxies::RULES,
        socket::RULES,
        near::RULES,
    ]
    .into_iter()
    .flatten()
}

/// Asks every rule about one policy.
pub(crate) fn judge(policy: &Resolved, problems: &mut Vec<Problem>) {
    for rule in rules().filter(|rule| policy.can_judge(rule.keys)) {
        let findings = (rule.check)(policy).into_iter();
        problems.extend(findings.map(|found| {
            let problem = policy.problem(found.key, rule.name, &found.reason);
            let item = found.item.and_then(|item| policy.get(found.key)?.items.get(item).cloned());
            let problem = problem.with_help(found.help).weighing(found.weight).moved_to(item);
            of_the_profile(policy, rule, found.key).fold(problem, |problem, cause| problem.with_cause(&cause))
        }));
    }
}

/// The keys beside `key` that the rule reads and the profile states: its table stands elsewhere in the file.
fn of_the_profile<'a>(
    policy: &'a Resolved,
    rule: &'a Rule,
    key: &'a str,
) -> impl Iterator<Item = String> + 'a {
    let others = rule.keys.iter().filter(move |other| **other != key);
    let held = others.filter_map(|other| Some((other, policy.get(other)?)));
    let stated = held.filter(|(_, held)| held.layer == Layer::Profile);
    stated.map(|(other, held)| format!("`{other}` ({}) is from the profile, {}", held.setting, held.origin))
}

/// The value of `key` in brackets, for the middle of a sentence.
fn value(policy: &Resolved, key: &str) -> String {
    policy.get(key).map(|held| format!("({})", held.setting)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::keys::policy_key;

    #[test]
    fn each_rule_has_a_name_of_its_own_and_reads_keys_of_the_table() {
        let mut names = BTreeSet::new();
        for rule in rules() {
            assert!(names.insert(rule.name), "{} stands twice", rule.name);
            assert!(rule.keys.iter().all(|key| policy_key(key).is_some()), "{}", rule.name);
        }
    }
}
