//! What the project depends on: few crates, under licences that its users can live with.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

use std::{collections::BTreeSet, process::Command};

/// The most crates of the default build, the library's own included.
const MOST: usize = 85;

const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "ISC",
    "Unlicense",
    "BSD-3-Clause",
    "Unicode-3.0",
    "Zlib",
    "CC0-1.0",
    "BSL-1.0",
];

/// What only tests use, and no one gets who uses the library: its files stay under a licence that asks for changes to them.
const OF_TESTS: &[(&str, &str)] = &[("webdriver", "MPL-2.0")];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_default_build_of_a_server_is_small() {
    // The showcase's package: the library with axum, tokio and hyper, as a service has them.
    let tree = cargo(&[
        "tree",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--locked",
        "-p",
        "sessions-examples",
        "--no-default-features",
    ]);
    let crates: BTreeSet<_> =
        tree.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    let subscriber =
        cargo(&["tree", "-e", "normal", "--prefix", "none", "--locked", "-p", "tracing-subscriber"]);
    let only_logs = |name: &&String| {
        !subscriber.lines().any(|line| line.starts_with(&format!("{name} ")) || line == *name)
    };
    let library = cargo(&["tree", "-e", "normal", "--prefix", "none", "--locked", "-p", "sessions"]);
    let library: BTreeSet<_> =
        library.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert!(library.len() <= MOST, "{} crates in the library: {library:#?}", library.len());
    let server = crates.iter().filter(only_logs).count();
    assert!(server <= MOST, "{server} crates in a server: {crates:#?}");
}

#[test]
fn every_licence_is_a_permissive_one() {
    let metadata = cargo(&["metadata", "--format-version", "1", "--locked", "--all-features"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        let allowed = licence.split(" AND ").all(|part| {
            let part = part.trim_matches(['(', ')']);
            part.split(" OR ").any(|one| {
                let one = one.trim_matches(['(', ')', ' ']).replace(" WITH LLVM-exception", "");
                LICENCES.contains(&one.as_str())
            })
        });
        let name = package["name"].as_str().unwrap_or_default();
        assert!(allowed || OF_TESTS.contains(&(name, &licence)), "{name}: `{licence}`");
    }
}
