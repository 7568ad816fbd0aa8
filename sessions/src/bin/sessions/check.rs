//! `sessions check`: every problem of a file, as a start under each profile would tell it.

use serde::Serialize;
use sessions_policy::{Problem, Profile, Severity};

use crate::arguments::{Check, Format};
use crate::input::{Input, counted};
use crate::json::{Finding, document};
use crate::outcome::{Failure, Outcome, Report};
use crate::paint;

/// What one profile makes of the file.
struct Judged {
    profile: Profile,
    found: Vec<Problem>,
}

impl Judged {
    fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|problem| problem.severity() == severity).count()
    }

    /// How much it weighs here; `None` where it isn't told.
    fn severity_of(&self, problem: &Problem) -> Option<Severity> {
        self.found.iter().find(|other| is_same(problem, other)).map(Problem::severity)
    }
}

fn is_same(one: &Problem, other: &Problem) -> bool {
    let identity = |problem: &Problem| (problem.rule(), problem.key().to_owned(), problem.origin().clone());
    identity(one) == identity(other) && one.message() == other.message()
}

pub(crate) fn run(arguments: &Check) -> Result<Report, Failure> {
    let input = Input::read(arguments.file.as_deref(), &arguments.environment)?.knowing(&arguments.in_rust);
    let profiles = match input.profile {
        Some(profile) => vec![profile],
        None => vec![Profile::Production, Profile::Development],
    };
    let judge = |profile| Judged { profile, found: input.lint(profile) };
    let judged: Vec<Judged> = profiles.into_iter().map(judge).collect();
    let worst = judged.iter().flat_map(|judged| &judged.found).map(Problem::severity).max();
    let least = if arguments.deny_warnings { Severity::Warning } else { Severity::Error };
    let outcome = if worst >= Some(least) { Outcome::Wrong } else { Outcome::Fine };
    let text = match arguments.output.format {
        Format::Text => in_words(&input, &judged),
        Format::Json => as_json(&input, &judged, outcome),
    };
    Ok(Report { text, notes: input.notes, outcome })
}

fn in_words(input: &Input, judged: &[Judged]) -> String {
    let mut text = String::new();
    for (heaviest, problem) in each_once(judged) {
        text.push_str(&paint::finding(heaviest, &problem.to_string()));
        text.push_str(&by_profile(problem, judged));
        text.push_str("\n\n");
    }
    let sources = input.sources(judged[0].profile);
    let (policies, stores) = (sources.policy_names().len(), sources.store_names().len());
    line!(text, "read {}: {}, {}", input.told(), counted(policies, "policy"), counted(stores, "store"));
    for judged in judged {
        line!(text, "as {}: {}", judged.profile, summary(judged));
    }
    text
}

fn summary(judged: &Judged) -> String {
    let told = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "remark")];
    let counts = told.into_iter().map(|(severity, word)| (judged.count(severity), severity, word));
    let words = counts.filter(|(count, ..)| *count > 0).map(|(count, severity, word)| {
        let style = if severity == Severity::Error { paint::BAD } else { paint::STRONG };
        paint::painted(style, &counted(count, word))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { paint::painted(paint::GOOD, "fine") } else { words.join(", ") }
}

/// Every finding once, as the profile tells it that weighs it most.
fn each_once(judged: &[Judged]) -> Vec<(Severity, &Problem)> {
    let mut seen: Vec<(Severity, &Problem)> = Vec::new();
    for problem in judged.iter().flat_map(|judged| &judged.found) {
        match seen.iter_mut().find(|(_, other)| is_same(problem, other)) {
            Some(heavier) if heavier.0 < problem.severity() => *heavier = (problem.severity(), problem),
            Some(_) => {}
            None => seen.push((problem.severity(), problem)),
        }
    }
    seen.sort_by(|(_, one), (_, other)| one.origin().cmp(other.origin()));
    seen
}

/// A line of its own where the profiles don't agree.
fn by_profile(problem: &Problem, judged: &[Judged]) -> String {
    let weights = judged.iter().map(|judged| (judged.profile, judged.severity_of(problem)));
    let weights: Vec<(Profile, Option<Severity>)> = weights.collect();
    if weights.iter().all(|(_, severity)| *severity == weights[0].1) {
        return String::new();
    }
    let words = weights.iter().map(|(profile, severity)| match severity {
        Some(severity) => format!("{severity} as {profile}"),
        None => format!("not told as {profile}"),
    });
    let words: Vec<String> = words.collect();
    let text = problem.to_string();
    let gutter =
        text.lines().last().and_then(|line| line.find("= ")).filter(|gutter| *gutter < 8).unwrap_or(2);
    format!("\n{}= profile: {}", " ".repeat(gutter), words.join(", "))
}

#[derive(Serialize)]
struct Document<'a> {
    file: &'a str,
    variables: Vec<&'a str>,
    ok: bool,
    profiles: Vec<OfProfile<'a>>,
}

#[derive(Serialize)]
struct OfProfile<'a> {
    profile: &'static str,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding<'a>>,
}

fn as_json(input: &Input, judged: &[Judged], outcome: Outcome) -> String {
    let profiles = judged.iter().map(|judged| OfProfile {
        profile: judged.profile.as_str(),
        errors: judged.count(Severity::Error),
        warnings: judged.count(Severity::Warning),
        findings: judged.found.iter().map(Finding::from).collect(),
    });
    document(&Document {
        file: input.name(),
        variables: input.variables(),
        ok: outcome == Outcome::Fine,
        profiles: profiles.collect(),
    })
}
