//! Rules that need the whole configuration: names that two policies share, and stores that must exist.

use std::collections::BTreeMap;

use crate::name::marker_name;
use crate::problem::Problem;
use crate::resolve::{ADAPTER, ORDER, Resolved};
use crate::suggest::nearest;
use crate::value::shown;

/// Asks every rule about the policies among each other. `stores` are the names of the stores; `None`: no
/// configuration surrounds the policies, and any will do.
pub(crate) fn judge_together(policies: &[Resolved], stores: Option<&[String]>, problems: &mut Vec<Problem>) {
    shared_type(policies, problems);
    let key = "transport.cookie_name";
    let help = "give each its own `cookie_name`: one policy's id would overwrite the other's";
    shared(policies, &["cookie"], key, "shared_cookie_name", help, problems);
    let key = "transport.header_name";
    let help = "give each its own `header_name`: a request could not say which of the two it means";
    shared(policies, &["header", "bearer"], key, "shared_header_name", help, problems);
    if let Some(stores) = stores {
        unknown_store(policies, stores, problems);
    }
}

/// The keys that a rule about policies among each other reads.
pub(crate) fn keys_together(rule: &str) -> &'static [&'static str] {
    match rule {
        "shared_cookie_name" => &["transport.cookie_name", ADAPTER, ORDER, "scope", "persistence.enabled"],
        "shared_header_name" => &["transport.header_name", ADAPTER, ORDER, "scope", "persistence.enabled"],
        "unknown_store" => &["persistence.store_name", "scope"],
        _ => &[],
    }
}

/// Two names such as `v_2` and `v2`, which would be one type.
fn shared_type(policies: &[Resolved], problems: &mut Vec<Problem>) {
    let mut types: BTreeMap<String, &Resolved> = BTreeMap::new();
    for policy in policies {
        let name = marker_name(&policy.name);
        let Some(first) = types.get(&name) else {
            types.insert(name, policy);
            continue;
        };
        let full = format!("policies.{}", policy.name);
        let message = format!("`{full}` and `policies.{}` would both be the type `{name}`", first.name);
        let problem = Problem::new(policy.origin.clone(), full, "shared_type", message);
        problems.push(problem.with_help("rename one of the two"));
    }
}

/// Two stored policies of one carrier whose names are equal, or would be to someone who ignores case.
fn shared(
    policies: &[Resolved],
    carriers: &[&str],
    key: &'static str,
    rule: &'static str,
    help: &str,
    problems: &mut Vec<Problem>,
) {
    let travels = |policy: &&Resolved| {
        policy.can_judge(keys_together(rule))
            && carriers.iter().any(|carrier| policy.carries(carrier))
            && !policy.is("scope", "request")
    };
    let mut names: BTreeMap<String, &Resolved> = BTreeMap::new();
    for policy in policies.iter().filter(travels) {
        let Some(text) = policy.text(key) else { continue };
        let Some(first) = names.get(&text.to_ascii_lowercase()) else {
            names.insert(text.to_ascii_lowercase(), policy);
            continue;
        };
        // The one that wrote it is where it can be changed.
        let first_wrote_it = first.is_stated(key) && !policy.is_stated(key);
        let (at, other) = if first_wrote_it { (*first, policy) } else { (policy, *first) };
        let reason = format!("({}) is also that of `policies.{}`", shown(text), other.name);
        problems.push(at.problem(key, rule, &reason).with_help(help));
    }
}

fn unknown_store(policies: &[Resolved], stores: &[String], problems: &mut Vec<Problem>) {
    let key = "persistence.store_name";
    for policy in policies.iter().filter(|policy| policy.can_judge(&[key])) {
        let Some(name) = policy.text(key) else { continue };
        let is_stored = policy.can_judge(&["scope"]) && !policy.is("scope", "request");
        let matters = policy.is_stated(key) || is_stored;
        if !matters || stores.iter().any(|store| store == name) {
            continue;
        }
        let reason = format!("(\"{}\") is not a store", shown(name));
        let problem = policy.problem(key, "unknown_store", &reason);
        problems.push(match nearest(name, stores) {
            Some(near) => problem.with_suggestion(Some(near)),
            None => problem
                .with_help(format!("declare `[stores.{}]`, or name a store that is declared", shown(name))),
        });
    }
}
