//! The JSON Schema of policy files, judged by a validator that knows nothing of the project: files that pass the check
//! pass the schema, and mistakes that an editor should underline don't.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a test's helper fails the test")]

#[allow(dead_code, reason = "the tests of the lints use the rest")]
#[path = "lints/cases.rs"]
mod cases;

use std::{fs, path::Path};

use cases::CASES;
use jsonschema::Validator;
use serde_json::Value;

/// Mistakes that no schema can see, each with the reason.
const BEYOND_A_SCHEMA: &[(&str, &str)] = &[
    ("syntax", "what can't be parsed can't be validated"),
    ("unknown_extends", "which policies there are, the file says"),
    ("cyclic_extends", "which policies there are, the file says"),
    ("unknown_variable", "it is not in the file"),
    ("index_key", "it is not in the file"),
    ("unknown_policy", "the build knows its policies"),
    ("lost_policy", "the build knows its policies"),
    ("declared_twice", "it is not in the file"),
    ("stated_twice", "it is not in the file"),
    ("unknown_store", "which stores there are, the file says"),
    ("profile_alone", "which policies there are, the file says"),
    ("shared_type", "two names that become one type"),
    ("store_migration", "which stores there are, the file says"),
    ("store_timeout", "a schema doesn't compare lengths of time"),
    ("cookie_path", "what a path is, its rule says"),
    ("store_place", "what a path is, its rule says"),
    ("store_place_missing", "which keys a kind needs, its rule says"),
    ("codec_feature", "which features the build has, the build says"),
    ("encryption_feature", "it is not in the file"),
    ("encryption_keys", "it is not in the file"),
    ("secret_in_file", "a secret may stand there in development"),
    ("store_feature", "which features the build has, the build says"),
];

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn validator() -> Validator {
    let text = fs::read_to_string(workspace().join("sessions/policy/sessions.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// A policy file as an editor hands it to a validator.
fn document(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    json(toml::Value::Table(table))
}

/// JSON has no dates: they are texts there.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json(value))).collect(),
        plain => serde_json::to_value(plain).unwrap(),
    }
}

fn complaints(validator: &Validator, text: &str) -> Vec<String> {
    let document = document(text);
    validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Every policy file below a folder.
fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn our_own_files_are_valid() {
    let validator = validator();
    let mut found = vec![workspace().join("sessions.toml")];
    for folder in ["examples", "tests/ui/pass"] {
        files(&workspace().join(folder), &mut found);
    }
    found.retain(|path| !path.ends_with("Cargo.toml"));
    for path in found {
        let complaints = complaints(&validator, &fs::read_to_string(&path).unwrap());
        assert!(complaints.is_empty(), "{}: {complaints:#?}", path.display());
    }
}

#[test]
fn what_the_rules_accept_is_valid() {
    let validator = validator();
    for case in CASES {
        let complaints = complaints(&validator, case.right);
        assert!(complaints.is_empty(), "{}: {complaints:#?}", case.rule);
    }
}

#[test]
fn what_is_no_key_or_of_the_wrong_kind_is_invalid() {
    let validator = validator();
    let schema = sessions_policy::lint("SL093").unwrap();
    let (mut judged, mut missed) = (0, Vec::new());
    for case in CASES.iter().filter(|case| schema.rules().contains(&case.rule)) {
        if BEYOND_A_SCHEMA.iter().any(|(rule, _)| *rule == case.rule) {
            continue;
        }
        if complaints(&validator, case.wrong).is_empty() {
            missed.push(case.rule);
        }
        judged += 1;
    }
    assert!(missed.is_empty(), "{missed:?}");
    assert!(judged > 5, "{judged}");
}

#[test]
fn nothing_is_called_beyond_a_schema_that_is_not() {
    let validator = validator();
    for (rule, _) in BEYOND_A_SCHEMA.iter().filter(|(rule, _)| *rule != "syntax") {
        let case = CASES.iter().find(|case| case.rule == *rule).unwrap_or_else(|| panic!("no rule `{rule}`"));
        assert!(complaints(&validator, case.wrong).is_empty(), "{rule}");
    }
}

#[test]
fn mistakes_of_every_kind_are_invalid() {
    let validator = validator();
    let mistakes = [
        "polices = {}",
        "[policies.shop]\nidle_timout = '1h'",
        "[policies.shop]\ntransport = { addapter = 'cookie' }",
        "[policies.shop]\ntransport = 'cookie'",
        "[policies.shop]\nttl = 3600",
        "[policies.shop]\nttl = '3600'",
        "[policies.shop]\nttl = '0s'",
        "[policies.shop]\nttl = 'off'",
        "[policies.shop]\nttl = '1 fortnight'",
        "[policies.shop]\nrotate_on_use = 'true'",
        "[policies.shop]\ncsrf = 'lax'",
        "[policies.shop]\nmax_size = 65536",
        "[policies.shop]\nmax_keys = 0",
        "[policies.shop]\nconcurrency = { max_sessions_per_principal = 'many' }",
        "[policies.shop]\ntrusted_origins = 'https://a.example'",
        "[policies.shop]\npersistence = { compress = true }",
        "[policies.shop]\nallow = [{ rule = 'SL010' }]",
        "[policies.shop]\nallow = [{ rule = 'SL002', reason = 'r', owner = 'o', until = '2027-01-31' }]",
        "[policies.shop]\nallow = [{ rule = 'SL010', reason = 'r', owner = 'o', until = 'soon' }]",
        "[policies.Shop]\n",
        "[policies.registry]\n",
        "[policies.two__underscores]\n",
        "[stores.main]\nkind = 'memry'",
        "[staging.policies.shop]\n",
        "[production.policy.shop]\n",
        "[production.stores.main]\nkind = 5",
    ];
    for mistake in mistakes {
        assert!(!complaints(&validator, mistake).is_empty(), "{mistake}");
    }
}

#[test]
fn values_of_every_kind_are_valid() {
    let validator = validator();
    for value in [
        "ttl = '1h 30min'",
        "ttl = '1h30min'",
        "ttl = '1.5h'",
        "idle_timeout = 'off'",
        "carry_over = 'all'",
        "carry_over = ['cart']",
        "max_size = '64KiB'",
        "max_size = '100_000 B'",
        "concurrency = { max_sessions_per_principal = 'unlimited' }",
        "allow = [{ rule = 'SL010', reason = 'r', owner = 'o', until = '2027-01-31' }]",
    ] {
        let text = format!("[policies.shop]\n{value}\n[development.policies.shop]\n{value}\n");
        let complaints = complaints(&validator, &text);
        assert!(complaints.is_empty(), "{value}: {complaints:#?}");
    }
}
