//! What becomes of what the rules found: what a variable is to blame for, what is an error here and now, and what is
//! only told.

use std::collections::BTreeSet;

use crate::lint::{Judged, Severity};
use crate::origin::{Layer, Origin};
use crate::problem::Problem;
use crate::resolve::{Held, Resolved};
use crate::rules::{keys_together, rules};
use crate::source::{Profile, Sources, Stage};

/// Which finding is which, in checks of the same configuration with and without variables.
type Identity = (&'static str, String);

fn identity(problem: &Problem) -> Identity {
    (problem.rule(), problem.key().to_owned())
}

/// Whether production refuses it, and not every profile.
fn is_refused_in_production(problem: &Problem) -> bool {
    problem.weight_under(Profile::Production) == Severity::Error && !problem.is_refused_always()
}

/// Turns what production refuses in a policy, and was not `found_without` variables, into what the variable is to blame
/// for. Another store weakens no policy: what is wrong with it is told as it is.
pub(crate) fn blame(found: &mut [Problem], found_without: &[Problem], policies: &[Resolved]) {
    let before: BTreeSet<Identity> =
        found_without.iter().filter(|problem| is_refused_in_production(problem)).map(identity).collect();
    for problem in found.iter_mut().filter(|problem| is_refused_in_production(problem)) {
        if before.contains(&identity(problem)) || !problem.key().starts_with("policies.") {
            continue;
        }
        if let Some(variable) = culprit(problem, policies) {
            *problem = blamed(problem, &variable);
        }
    }
}

/// Names the variables that brought up what was not `found_without` them, where it is told at another place.
pub(crate) fn name_causes(found: &mut [Problem], found_without: &[Problem], policies: &[Resolved]) {
    let before: BTreeSet<Identity> = found_without.iter().map(identity).collect();
    for problem in found.iter_mut() {
        if before.contains(&identity(problem)) || matches!(problem.origin(), Origin::Variable(_)) {
            continue;
        }
        for cause in causes(problem, policies) {
            *problem = problem.clone().with_cause(&cause);
        }
    }
}

/// Each key that the rule reads and a variable states, with its value and the variable.
fn causes(problem: &Problem, policies: &[Resolved]) -> Vec<String> {
    let own = problem.key().strip_prefix("policies.").and_then(|rest| rest.split_once('.'));
    let Some((name, _)) = own else { return Vec::new() };
    let keys = match rules().find(|rule| rule.name == problem.rule()) {
        Some(rule) => rule.keys,
        None => keys_together(problem.rule()),
    };
    let read = |policy: &Resolved| {
        let stated = keys.iter().filter_map(|key| Some((*key, policy.get(key)?)));
        let by_variable = stated.filter(|(_, held)| held.layer == Layer::Variable);
        let cause = |(key, held): (&str, &Held)| {
            let key = if policy.name == name { key.to_owned() } else { policy.full(key) };
            format!("`{key}` ({}) is from {}", held.setting, held.origin)
        };
        by_variable.map(cause).collect::<Vec<_>>()
    };
    let is_meant = |policy: &&Resolved| {
        policy.name == name || problem.message().contains(&format!("`policies.{}`", policy.name))
    };
    policies.iter().filter(is_meant).flat_map(read).collect()
}

/// What turns a policy of which nothing is lost between requests into one that keeps nothing.
pub(crate) fn keeps_nothing(policies: &[Resolved], without: &[Resolved]) -> Vec<Problem> {
    let loses = |policy: &&Resolved| {
        let before = without.iter().find(|before| before.name == policy.name);
        policy.is("scope", "request") && before.is_some_and(|before| !before.is("scope", "request"))
    };
    let told = policies.iter().filter(loses).filter_map(|policy| {
        let stated = ["scope", "persistence.enabled", "extends"].into_iter();
        let by_variable = stated
            .filter_map(|key| Some((key, policy.get(key)?)))
            .find(|(_, held)| held.layer == Layer::Variable);
        let (key, held) = by_variable?;
        let Origin::Variable(variable) = &held.origin else { return None };
        // What gave way says what its cause says: the variable's own name tells which of the two it sets.
        let key = if variable.ends_with("__PERSISTENCE__ENABLED") { "persistence.enabled" } else { key };
        let value = policy.get(key).map(|held| held.setting.to_string()).unwrap_or_default();
        let reason = format!("({value}) keeps nothing from one request to the next: no login would last");
        let message = format!("`{}` {reason}", policy.full(key));
        let problem = Problem::new(held.origin.clone(), policy.full(key), "env_weakens", message);
        let problem =
            problem.with_help("unset the variable, or change the file, where the change is reviewed");
        Some(problem.with_note(format!("without {variable} the policy keeps its sessions")))
    });
    told.collect()
}

/// The variable that states one of the keys that the rule reads.
fn culprit(problem: &Problem, policies: &[Resolved]) -> Option<Origin> {
    if matches!(problem.origin(), Origin::Variable(_)) {
        return Some(problem.origin().clone());
    }
    let (name, _) = problem.key().strip_prefix("policies.")?.split_once('.')?;
    let policy = policies.iter().find(|policy| policy.name == name)?;
    let rule = rules().find(|rule| rule.name == problem.rule())?;
    let stated = rule.keys.iter().chain(["extends"].iter()).filter_map(|key| policy.get(key));
    stated.filter(|held| held.layer == Layer::Variable).map(|held| held.origin.clone()).next()
}

fn blamed(problem: &Problem, variable: &Origin) -> Problem {
    let message = problem.message().to_owned();
    let key = problem.key().to_owned();
    let weakens = Problem::new(variable.clone(), key, "env_weakens", message);
    let weakens = match problem.help() {
        Some(help) => weakens.with_help(format!("unset the variable, or: {help}")),
        None => weakens.with_help("unset the variable"),
    };
    let note = problem.note().map(|note| format!(" ({note})")).unwrap_or_default();
    weakens.with_note(format!("without {variable} the policy passes {}{note}", problem.lint()))
}

/// Parts errors from what is only told, each with its severity.
pub(crate) fn weigh(found: Vec<Problem>, sources: &Sources) -> (Vec<Problem>, Vec<Problem>) {
    let mut errors = Vec::new();
    let mut told = Vec::new();
    for problem in found {
        let severity = severity(&problem, sources);
        let is_silent_here = sources.stage == Stage::Build && problem.lint().judged() != Judged::Everywhere;
        match severity {
            Severity::Error => errors.push(problem.with_severity(severity)),
            Severity::Warning | Severity::Info if !is_silent_here => {
                told.push(told_here(problem, severity, sources));
            }
            _ => {}
        }
    }
    (errors, told)
}

fn severity(problem: &Problem, sources: &Sources) -> Severity {
    let weight = problem.weight_under(sources.profile);
    match (problem.rule(), sources.stage) {
        ("expired_suppression", Stage::Tool) => Severity::Error,
        ("expired_suppression", _) => Severity::Warning,
        (_, Stage::Build) if problem.is_refused_always() => Severity::Error,
        (_, Stage::Build) => weight.min(Severity::Warning),
        _ => weight,
    }
}

fn told_here(problem: Problem, severity: Severity, sources: &Sources) -> Problem {
    let will_be_refused = sources.stage == Stage::Build && is_refused_in_production(&problem);
    let problem = problem.with_severity(severity);
    if will_be_refused { problem.with_note("production refuses to start with it") } else { problem }
}
