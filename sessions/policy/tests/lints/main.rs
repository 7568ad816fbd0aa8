//! Each rule fires on its mistake under both profiles, and not beside it; what it says is kept in a golden file, and
//! each lint has its page.

#[path = "../common/mod.rs"]
mod common;

mod cases;
mod start;

use std::collections::BTreeSet;

use cases::{CASES, Case};
use common::{compare, golden};
use sessions_policy::{
    Declaration, Judged, Lint, Location, Problem, Profile, Severity, SourceFile, Sources, Stage, lint_index,
    lints,
};

/// The day of these tests.
pub(crate) const TODAY: &str = "2026-07-01";

const PROFILES: [Profile; 2] = [Profile::Production, Profile::Development];

/// A program that starts with this file.
pub(crate) fn starting(text: &str, variables: &[(&str, &str)], profile: Profile) -> Sources {
    let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let today = TODAY.parse().ok();
    Sources { file: Some(file), variables, profile, stage: Stage::Start, today, ..Sources::default() }
}

/// Everything that is told, errors or not.
pub(crate) fn told(sources: &Sources) -> Vec<Problem> {
    match sources.check() {
        Ok(configuration) => configuration.findings().to_vec(),
        Err(problems) => problems.into_iter().collect(),
    }
}

impl Case {
    fn sources(&self, profile: Profile) -> Sources {
        let mut sources = starting(self.wrong, self.variables, profile);
        if matches!(self.rule, "unknown_policy" | "lost_policy") {
            sources.known = Some(vec!["p".to_owned(), "shop".to_owned()]);
        }
        if self.rule == "declared_twice" {
            let at = |line| Declaration::new("twice", Location::new("src/main.rs", line, 5), &[]);
            sources.declarations = vec![at(3), at(9)];
        }
        if self.rule == "store_feature" {
            sources.missing_features = vec!["sqlite"];
        }
        if matches!(self.rule, "codec_feature" | "encryption_feature") {
            sources.missing_features = vec!["messagepack", "encryption"];
        }
        if self.rule == "stated_twice" {
            sources.declarations = vec![cases::stated_twice()];
        }
        sources
    }

    fn found(&self, profile: Profile) -> Vec<Problem> {
        told(&self.sources(profile)).into_iter().filter(|problem| problem.rule() == self.rule).collect()
    }
}

/// The cases of the rules that look for a lint.
fn cases_of(lint: &Lint) -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(|case| lint.rules().contains(&case.rule))
}

#[test]
fn every_rule_has_a_case_and_every_case_a_rule() {
    let rules: BTreeSet<&str> = lints().flat_map(Lint::rules).copied().collect();
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.rule).collect();
    assert_eq!(rules, cases);
    assert_eq!(cases.len(), CASES.len(), "a rule has one case");
}

#[test]
fn every_rule_fires_on_its_mistake_under_both_profiles() {
    for case in CASES {
        for profile in PROFILES {
            let found = case.found(profile);
            let lint = lints().find(|lint| lint.rules().contains(&case.rule)).unwrap();
            if lint.severity(profile) == Severity::Silent {
                assert!(found.is_empty(), "{} under {profile}", case.rule);
                continue;
            }
            assert!(!found.is_empty(), "{} under {profile}: {:#?}", case.rule, told(&case.sources(profile)));
            for problem in found {
                assert!(
                    problem.severity() <= lint.severity(profile) || problem.severity() == Severity::Error,
                    "{problem}"
                );
                assert_eq!(problem.lint(), lint, "{problem}");
                assert!(problem.help().is_some() || case.rule == "syntax", "{problem}");
            }
        }
    }
}

#[test]
fn no_rule_fires_beside_its_mistake() {
    for case in CASES {
        for profile in PROFILES {
            let found = told(&starting(case.right, &[], profile));
            assert!(found.iter().all(|problem| problem.rule() != case.rule), "{}: {found:#?}", case.rule);
        }
    }
}

#[test]
fn every_message_is_kept() {
    for lint in lints() {
        let mut text = String::new();
        for case in cases_of(lint) {
            for profile in PROFILES {
                let found: Vec<String> = case.found(profile).iter().map(ToString::to_string).collect();
                let found = if found.is_empty() { "silent".to_owned() } else { found.join("\n") };
                text.extend(["-- ", case.rule, " under ", profile.as_str(), "\n", &found, "\n"]);
            }
        }
        match lint.judged() {
            Judged::OnOpening => text.push_str("-- judged when the store is opened\n"),
            Judged::OnRequests => text.push_str("-- judged for each request\n"),
            _ => {}
        }
        golden(lint.id(), &text);
    }
}

#[test]
fn every_lint_has_its_page() {
    compare("lints/README.md", &lint_index());
    for lint in lints() {
        let mut page = lint.page();
        // One example is enough to know it again.
        if let Some(case) = cases_of(lint).next() {
            let said: Vec<String> = case.found(Profile::Production).iter().map(ToString::to_string).collect();
            let variables = case.variables.iter().map(|(name, value)| format!("# {name}={value}\n"));
            let variables: String = variables.collect();
            let example = format!(
                "\n## Example\n\n```toml\n{variables}{}```\n\n```text\n{}\n```\n",
                case.wrong,
                said.join("\n")
            );
            page.push_str(&example);
        }
        compare(&format!("lints/{}.md", lint.id()), &page);
    }
}

#[test]
fn no_golden_file_is_left_over() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let id = name.trim_end_matches(".txt");
        assert!(id == "everything" || lints().any(|lint| lint.id() == id), "{name}");
    }
}
