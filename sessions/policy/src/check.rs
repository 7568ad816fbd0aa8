//! The one path, as a list of steps: merged layers → drafts → resolved → adapted → judged → excused → weighed → configuration.

use std::collections::{BTreeMap, BTreeSet};

use crate::adapt::adapt;
use crate::configuration::{Configuration, Note};
use crate::draft::{Draft, Drafts};
use crate::finish::finish;
use crate::keys::Table;
use crate::origin::Origin;
use crate::problem::Problem;
use crate::problems::Problems;
use crate::resolve::{Resolved, resolve};
use crate::rules::{judge, judge_codec, judge_kinds, judge_migrations, judge_store, judge_together};
use crate::source::{Merged, Sources, Stage};
use crate::store_config::StoreConfig;
use crate::suggest::nearest;
use crate::suppress::{Suppression, excuse, unused};
use crate::verdict::{blame, keeps_nothing, name_causes, weigh};

const COOKIE_NAME: &str = "transport.cookie_name";

/// Whether the sources are a whole configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surroundings {
    /// They are: a store that isn't declared doesn't exist.
    Whole,
    /// They are single policies, whose stores someone else declares.
    None,
}

/// Reads, resolves and judges `sources`.
pub(crate) fn check(sources: &Sources, surroundings: Surroundings) -> Result<Configuration, Problems> {
    let (judged, errors, mut findings) = weighed(sources, surroundings);
    Problems::none_of(errors)?;
    Problems::sort(&mut findings);
    Ok(Configuration {
        origins: origins(&judged.policies),
        policies: judged.policies.iter().map(finish).collect(),
        stores: judged.stores,
        suppressions: judged.suppressions,
        notes: judged.notes,
        findings,
    })
}

/// Everything that is found, whether it is an error or only told, sorted by place.
pub(crate) fn lint(sources: &Sources) -> Vec<Problem> {
    let (_, mut found, told) = weighed(sources, Surroundings::Whole);
    found.extend(told);
    Problems::sort(&mut found);
    found
}

/// What was judged, what of it is an error, and what is only told.
fn weighed(sources: &Sources, surroundings: Surroundings) -> (Judged, Vec<Problem>, Vec<Problem>) {
    let mut judged = Judged::of(sources, surroundings);
    if sources.stage != Stage::Build && !sources.variables.is_empty() {
        let without = Sources { variables: Vec::new(), ..sources.clone() };
        let before = Judged::of(&without, surroundings);
        blame(&mut judged.found, &before.found, &judged.policies);
        name_causes(&mut judged.found, &before.found, &judged.policies);
        judged.found.extend(keeps_nothing(&judged.policies, &before.policies));
    }
    let found = std::mem::take(&mut judged.found).into_iter().map(Problem::spelt_for_its_place);
    let quoted = found.map(|problem| match &sources.file {
        Some(file) => problem.quoting(&file.name, &file.text),
        None => problem,
    });
    let (errors, told) = weigh(quoted.collect(), sources);
    (judged, errors, told)
}

/// Everything that was resolved, and everything that was found and isn't suppressed.
struct Judged {
    policies: Vec<Resolved>,
    stores: Vec<StoreConfig>,
    notes: Vec<Note>,
    /// Each where it is written, not where it is inherited.
    suppressions: Vec<Suppression>,
    found: Vec<Problem>,
}

impl Judged {
    fn of(sources: &Sources, surroundings: Surroundings) -> Self {
        let mut problems = Vec::new();
        let mut notes = Vec::new();
        let merged = Merged::read(sources, &mut problems);
        let mut drafts = Drafts::read(&merged, &mut problems);
        judge_names(sources, &merged, &drafts, &mut problems);
        add_main_store(&mut drafts);

        let stores: Vec<StoreConfig> = drafts
            .stores
            .iter()
            .map(|draft| judge_store(draft, sources, &mut problems, &mut notes))
            .collect();
        // What isn't there may have stood where the file can't be read.
        let gaps = Gaps::of(&problems, &drafts);
        let policies: Vec<Resolved> = drafts
            .policies
            .iter()
            .map(|draft| {
                let mut resolved = resolve(draft, &drafts, &mut problems);
                resolved.incomplete |= gaps.are_in(&draft.name);
                adapt(&mut resolved, &mut notes);
                let mut found = Vec::new();
                judge(&resolved, &mut found);
                judge_codec(&resolved, sources, &mut found);
                problems.extend(gaps.without_the_missing(found, &resolved));
                resolved
            })
            .collect();
        judge_misplaced(&drafts, sources, &mut problems);
        // A store's name counts even where its settings were refused: one mistake is one problem.
        let names = store_names(&merged, &drafts);
        let names = (surroundings == Surroundings::Whole).then_some(names.as_slice());
        judge_together(&policies, names, &mut problems);
        if surroundings == Surroundings::Whole {
            judge_kinds(&policies, &drafts.stores, &stores, &mut problems);
            judge_migrations(&policies, &drafts.stores, &stores, &mut problems);
        }
        tell_once(&policies, &mut problems);
        let weights = suppressions(&policies, &drafts);
        let is_all = surroundings == Surroundings::Whole && !sources.may_differ();
        let unused = if is_all { unused(&problems, &weights) } else { Vec::new() };
        let mut found = excuse(problems, &weights, sources.today);
        found.extend(unused);
        let of_drafts = drafts.policies.iter().chain(&drafts.stores);
        let suppressions = of_drafts.flat_map(|draft| draft.allow.iter().cloned()).collect();
        Self { policies, stores, notes, suppressions, found }
    }
}

/// What can't be read in the file.
struct Gaps {
    are_there: bool,
    /// The policies whose tables have one.
    policies: Vec<String>,
}

impl Gaps {
    fn of(problems: &[Problem], drafts: &Drafts) -> Self {
        let line = |origin: &Origin| match origin {
            Origin::File { line, .. } => Some(*line),
            _ => None,
        };
        let syntax = problems.iter().filter(|problem| problem.rule() == "syntax");
        let lines: Vec<u32> = syntax.filter_map(|problem| line(problem.origin())).collect();
        let headers = drafts.policies.iter().filter_map(|draft| Some((line(&draft.origin)?, &draft.name)));
        let headers: Vec<(u32, &String)> = headers.collect();
        let above = lines.iter().filter_map(|gap| headers.iter().filter(|(header, _)| header <= gap).max());
        Self { are_there: !lines.is_empty(), policies: above.map(|(_, name)| (*name).clone()).collect() }
    }

    fn are_in(&self, policy: &str) -> bool {
        self.policies.iter().any(|name| name == policy)
    }

    /// What was found but for keys that nobody stated: they may stand where the file can't be read.
    fn without_the_missing(&self, mut found: Vec<Problem>, policy: &Resolved) -> Vec<Problem> {
        if self.are_there {
            let own = format!("policies.{}.", policy.name);
            found.retain(|problem| problem.key().strip_prefix(&own).is_some_and(|key| policy.is_stated(key)));
        }
        found
    }
}

/// Judges what stands under a name or table that is refused, as far as that can be judged alone.
fn judge_misplaced(drafts: &Drafts, sources: &Sources, problems: &mut Vec<Problem>) {
    for (table, draft) in &drafts.misplaced {
        let mut notes = Vec::new();
        match table {
            Table::Policies => {
                let mut resolved = resolve(draft, drafts, problems);
                adapt(&mut resolved, &mut notes);
                // Its own name may not be what the default of the cookie's name needs.
                resolved.broken.extend((!resolved.is_stated(COOKIE_NAME)).then_some(COOKIE_NAME));
                judge(&resolved, problems);
            }
            Table::Stores => drop(judge_store(draft, sources, problems, &mut notes)),
        }
    }
}

/// What is suppressed, by the policy or store that it is suppressed in.
fn suppressions(policies: &[Resolved], drafts: &Drafts) -> Vec<(String, Vec<Suppression>)> {
    let of_policies =
        policies.iter().map(|policy| (format!("policies.{}", policy.name), policy.allow.clone()));
    let of_stores = drafts.stores.iter().map(|draft| (format!("stores.{}", draft.name), draft.allow.clone()));
    of_policies.chain(of_stores).collect()
}

/// At start the file has to have the policies that handlers were bound to at build time, and no others.
fn judge_names(sources: &Sources, merged: &Merged, drafts: &Drafts, problems: &mut Vec<Problem>) {
    let Some(known) = &sources.known else { return };
    for draft in drafts.policies.iter().filter(|draft| !known.contains(&draft.name)) {
        if problems
            .iter()
            .any(|problem| problem.rule() == "profile_alone" && *problem.origin() == draft.origin)
        {
            continue;
        }
        let full = format!("policies.{}", draft.name);
        let message = format!("`{full}` is a policy that the build didn't know");
        let problem = Problem::new(draft.origin.clone(), full, "unknown_policy", message);
        let lost: Vec<&String> = known.iter().filter(|name| drafts.policy(name).is_none()).collect();
        let problem = problem.with_suggestion(nearest(&draft.name, &lost));
        problems.push(problem.with_help("build again with this file, or drop the policy"));
    }
    // Where the text is no TOML, a table may be lost because its header can't be read.
    if problems.iter().any(|problem| problem.rule() == "syntax") {
        return;
    }
    let misspelt: Vec<String> = problems
        .iter()
        .filter(|problem| matches!(problem.rule(), "unknown_policy" | "name"))
        .filter_map(|problem| problem.suggestion().map(str::to_owned))
        .collect();
    // One that stands there but can't be read, or under a misspelt name or table, has its own problem.
    let tables = merged.root.as_dict().into_iter().flat_map(|root| root.iter());
    let written: Vec<&String> = tables
        .filter(|(table, _)| table.as_str() != "stores")
        .filter_map(|(_, value)| value.as_dict())
        .flat_map(|policies| policies.keys())
        .collect();
    for name in known {
        if written.contains(&name) || misspelt.contains(name) {
            continue;
        }
        let full = format!("policies.{name}");
        let (origin, place) = match &sources.file {
            Some(file) => (Origin::Document(file.name.clone()), "is gone from the file"),
            None => (Origin::Default, "is declared nowhere"),
        };
        let problem = Problem::new(origin, full.clone(), "lost_policy", format!("`{full}` {place}"));
        problems.push(
            problem
                .with_help(format!("write `[{full}]`, or build again without it: handlers are bound to it")),
        );
    }
}

/// A value that `extends` hands on is judged in each policy that has it. What is wrong with it where it stands is told
/// for that policy alone; what is wrong with it in heirs only, for each of them.
fn tell_once(policies: &[Resolved], problems: &mut Vec<Problem>) {
    let key = |problem: &Problem| {
        let (name, key) = problem.key().strip_prefix("policies.")?.split_once('.')?;
        Some((name.to_owned(), key.to_owned()))
    };
    let is_inherited = |name: &str, key: &str| {
        let policy = policies.iter().find(|policy| policy.name == name);
        policy.and_then(|policy| policy.get(key)).is_some_and(|held| held.is_stated() && held.distance > 0)
    };
    let told: BTreeSet<(Origin, &str, String)> = problems
        .iter()
        .filter_map(|problem| Some((problem, key(problem)?)))
        .filter(|(_, (name, key))| !is_inherited(name, key))
        .map(|(problem, (_, key))| (problem.origin().clone(), problem.rule(), key))
        .collect();
    problems.retain(|problem| {
        let Some((name, key)) = key(problem) else { return true };
        !is_inherited(&name, &key) || !told.contains(&(problem.origin().clone(), problem.rule(), key))
    });
}

fn add_main_store(drafts: &mut Drafts) {
    if !drafts.stores.iter().any(|draft| draft.name == "main") {
        drafts.stores.insert(0, Draft::undeclared("main"));
    }
}

fn store_names(merged: &Merged, drafts: &Drafts) -> Vec<String> {
    let written = merged.root.as_dict().and_then(|root| root.get("stores")?.as_dict());
    let written = written.into_iter().flat_map(|stores| stores.keys().cloned());
    let mut names: Vec<String> =
        drafts.stores.iter().map(|draft| draft.name.clone()).chain(written).collect();
    let misplaced = drafts.misplaced.iter().filter(|(table, _)| *table == Table::Stores);
    names.extend(misplaced.map(|(_, draft)| draft.name.clone()));
    names.sort();
    names.dedup();
    names
}

fn origins(policies: &[Resolved]) -> BTreeMap<(String, &'static str), Origin> {
    let values = policies.iter().flat_map(|policy| {
        policy.values.iter().map(|(key, held)| ((policy.name.clone(), *key), held.origin.clone()))
    });
    values.collect()
}
