//! Each rule as the compiler tells it: from the case of the policy core come a policy file and a module of a program of
//! `ui/fail`, whose messages `ui/ui.rs` compares. What the compiler can't know, and why, stands here.
//!
//! `SESSIONS_BLESS=1 cargo test -p sessions-tests --test lints` writes the programs anew.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

#[allow(dead_code, reason = "the policy core's own tests use the rest")]
#[path = "../../sessions/policy/tests/lints/cases.rs"]
mod cases;

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use cases::{CASES, Case};
use sessions_policy::{SourceFile, Sources, Stage};

/// Rules that no build can break, each with the reason.
const NOT_AT_BUILD_TIME: &[(&str, &str)] = &[
    ("unknown_variable", "variables are the start's"),
    ("env_weakens", "variables are the start's"),
    ("unknown_policy", "the build knows what it sees"),
    ("lost_policy", "the build knows what it sees"),
    ("codec_feature", "which features a build has, the build says"),
    ("encryption_feature", "which features a build has, the build says"),
    ("encryption_keys", "variables are the start's"),
    ("index_key", "variables are the start's"),
    ("store_feature", "which features a build has, the build says"),
    ("store_memory", "the environment decides where sessions are kept"),
    ("store_plain_link", "the environment decides where sessions are kept"),
    ("store_replication", "the environment decides where sessions are kept"),
    ("near_pointless", "the environment decides where sessions are kept"),
    ("declared_twice", "the macro refuses it as it reads"),
    ("stated_twice", "the macro refuses it as it reads"),
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/ui/fail"))
}

/// Compares with a file, which is written anew when the tests are told to.
#[track_caller]
fn compare(name: &str, text: &str) {
    let path = folder().join(name);
    if env::var_os("SESSIONS_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{name} is stale: run the tests once with SESSIONS_BLESS=1");
}

fn told_by_the_compiler() -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(|case| NOT_AT_BUILD_TIME.iter().all(|(rule, _)| *rule != case.rule))
}

/// Whether the compiler refuses it, or only warns.
fn is_refused(case: &Case) -> bool {
    let file = SourceFile { name: "sessions.toml".to_owned(), text: case.wrong.to_owned() };
    let today = "2026-07-01".parse().ok();
    let sources = Sources { file: Some(file), stage: Stage::Build, today, ..Sources::default() };
    match sources.check_every_profile() {
        Err(problems) => problems.iter().any(|problem| problem.rule() == case.rule),
        Ok(configuration) => {
            let warned = configuration.findings().iter().any(|finding| finding.rule() == case.rule);
            assert!(warned, "the build says nothing of {}", case.rule);
            false
        }
    }
}

fn program(about: &str, cases: &[&Case]) -> String {
    let module =
        |case: &&Case| format!("\nmod {} {{\n    sessions::policies!(\"lints/{0}.toml\");\n}}\n", case.rule);
    let modules: String = cases.iter().map(module).collect();
    format!("//! {about}\n#![deny(warnings)]\n{modules}\nfn main() {{}}\n")
}

/// The two programs, each with the rules that it breaks.
fn programs() -> [(&'static str, &'static str, Vec<&'static Case>); 2] {
    let (refused, warned) = told_by_the_compiler().partition(|case| is_refused(case));
    [
        ("lints_errors", "Each rule that every profile enforces, broken.", refused),
        ("lints_warnings", "Each rule that warns in the build, broken.", warned),
    ]
}

#[test]
fn every_rule_that_a_build_can_break_is_broken_by_a_program() {
    for (name, about, cases) in programs() {
        compare(&format!("{name}.rs"), &program(about, &cases));
        for case in cases {
            compare(&format!("lints/{}.toml", case.rule), case.wrong);
        }
    }
}

#[test]
fn the_compiler_tells_each_at_its_place() {
    for (name, _, cases) in programs() {
        let said = fs::read_to_string(folder().join(format!("{name}.stderr"))).unwrap_or_default();
        for case in cases {
            let place = format!("lints/{}.toml:", case.rule);
            assert!(said.contains(&place), "{name}.stderr lacks {}: TRYBUILD=overwrite", case.rule);
        }
    }
}

#[test]
fn no_file_is_left_over() {
    let rules: BTreeSet<&str> = told_by_the_compiler().map(|case| case.rule).collect();
    for entry in fs::read_dir(folder().join("lints")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(rules.contains(name.trim_end_matches(".toml")), "{name}");
    }
}
