//! The README keeps its word: every block of it is compiled, run or compared, and every name in it exists.
//!
//! Its Rust blocks are documentation tests of the library; this file sees to it that they are. All others are checked here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a test's helper fails the test")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;
use sessions::{Fault, SessionPolicy};
use sessions_policy::{Fallback, Key, SourceFile, Sources, Stage, policy_keys, reference, store_keys};

sessions::policies!("sessions.toml");

const README: &str = include_str!("../../README.md");
const MIGRATING: &str = include_str!("../../docs/MIGRATING.md");

/// A fenced block.
#[derive(Clone, Copy)]
struct Block {
    /// The line of its fence.
    line: usize,
    /// What stands behind the fence, such as `rust,no_run`.
    kind: &'static str,
    text: &'static str,
}

/// All blocks of the README in their order.
fn blocks() -> Vec<Block> {
    blocks_of(README)
}

/// All blocks of a text in their order.
fn blocks_of(text: &'static str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, usize)> = None;
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            match open.take() {
                None => open = Some((index + 1, kind.trim(), offset + line.len())),
                Some((line, kind, start)) => blocks.push(Block { line, kind, text: &text[start..offset] }),
            }
        }
        offset += line.len();
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The block that is `text` and follows another: what the checker prints about that one.
fn answer_to(blocks: &[Block], index: usize) -> Option<&'static str> {
    let next = blocks.get(index + 1).filter(|next| next.kind == "text")?;
    (!next.text.starts_with("error[E")).then_some(next.text.trim_end())
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The manifest of a package of the workspace, as cargo reads it.
fn package(name: &str) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().find(|package| package["name"] == name).unwrap().clone()
}

/// What the checker makes of a configuration: nothing, or what it prints.
fn judged(sources: &Sources) -> Option<String> {
    sources.check_every_profile().err().map(|problems| problems.to_string())
}

#[test]
fn every_block_is_of_a_kind_that_is_checked() {
    assert!(!README.contains("~~~"), "blocks have fences of backticks");
    for block in blocks() {
        let known = ["rust", "rust,no_run", "rust,test_harness", "toml", "sh", "text"];
        assert!(known.contains(&block.kind), "README.md:{}: `{}`", block.line, block.kind);
        let serves = block.text.contains("axum::serve");
        assert_eq!(block.kind == "rust,no_run", serves, "README.md:{}: only a server isn't run", block.line);
    }
}

#[test]
fn the_rust_blocks_are_documentation_tests_of_the_library() {
    assert!(read("sessions/src/lib.rs").contains("#![doc = include_str!(\"../../README.md\")]"));
    let library = package("sessions");
    let targets = library["targets"].as_array().unwrap();
    let target = targets.iter().find(|target| target["kind"][0] == "lib").unwrap();
    assert_eq!(target["doctest"], true);
    assert!(read("tests/run").contains("cargo test --workspace --all-features"));
}

#[test]
fn the_guide_for_migrating_keeps_its_word_too() {
    assert!(read("sessions/src/lib.rs").contains("#[doc = include_str!(\"../../docs/MIGRATING.md\")]"));
    let blocks = blocks_of(MIGRATING);
    assert_eq!(blocks.iter().filter(|block| block.kind == "rust").count(), 3, "one for each library");
    for block in blocks {
        match block.kind {
            "rust" | "text" => {}
            "toml" => {
                let file = SourceFile { name: "sessions.toml".to_owned(), text: block.text.to_owned() };
                assert_eq!(judged(&Sources { file: Some(file), ..Sources::default() }), None);
            }
            other => panic!("MIGRATING.md:{}: `{other}`", block.line),
        }
    }
}

#[test]
fn the_program_has_at_most_twenty_five_lines() {
    let program = blocks().into_iter().find(|block| block.kind.starts_with("rust")).unwrap().text;
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    assert!(program.lines().filter(is_code).count() <= 25, "{program}");
    for part in ["fn login", "fn logout", "fn me", "policies!", "#[session(", "Registry::load()", ".layer("] {
        assert!(program.contains(part), "{part}");
    }
}

#[test]
fn policy_files_pass_the_checks_or_fail_them_as_shown() {
    let blocks = blocks();
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind == "toml") {
        let file = SourceFile { name: "sessions.toml".to_owned(), text: block.text.to_owned() };
        let sources = Sources { file: Some(file), ..Sources::default() };
        let found = judged(&sources);
        assert_eq!(found.as_deref(), answer_to(&blocks, index), "README.md:{}", block.line);
        if found.is_none() {
            let started = Sources { stage: Stage::Start, ..sources }.check().err();
            assert_eq!(started.map(|problems| problems.to_string()), None, "README.md:{}", block.line);
        }
    }
}

#[test]
fn every_message_belongs_to_what_stands_before_it_or_to_a_test_of_the_compiler() {
    let folder = workspace().join("tests/ui/fail");
    let outputs: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "stderr"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let blocks = blocks();
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind == "text") {
        if block.text.starts_with("error[E") {
            // Shortened: the lines of the message in their order.
            let is_said = |output: &String| {
                let mut lines = output.lines();
                block.text.lines().all(|line| lines.any(|other| other == line))
            };
            assert!(outputs.iter().any(is_said), "README.md:{}: no test says this", block.line);
        } else {
            let before = blocks[index - 1];
            assert!(["toml", "sh"].contains(&before.kind), "README.md:{}", block.line);
        }
    }
}

/// A command with the variables before it.
struct Line {
    variables: Vec<(String, String)>,
    command: String,
}

/// The commands of a block, each on one line and with single spaces.
fn lines_of(block: &Block) -> Vec<Line> {
    let joined = block.text.replace("\\\n", " ");
    let parse = |line: &str| {
        let is_variable = |word: &&str| {
            let name = word.split_once('=').map_or("", |(name, _)| name);
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let (variables, command) = words.split_at(words.iter().take_while(|word| is_variable(word)).count());
        let pair = |word: &&str| word.split_once('=').map(|(name, value)| (name.into(), value.into()));
        Line { variables: variables.iter().filter_map(pair).collect(), command: command.join(" ") }
    };
    joined.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
}

#[test]
fn every_command_is_there() {
    let examples = package("sessions-examples");
    let showcase = read("examples/showcase/main.rs").replace("//!", " ").replace("\\\n", " ");
    let showcase = showcase.split_whitespace().collect::<Vec<_>>().join(" ");
    let blocks = blocks();
    let mut commands = BTreeSet::new();
    for block in blocks.iter().filter(|block| block.kind == "sh") {
        for Line { command, .. } in lines_of(block) {
            if let Some(example) = command.strip_prefix("cargo run --example ") {
                let example = example.split(' ').next().unwrap_or_default();
                let targets = examples["targets"].as_array().unwrap();
                let is_it = |target: &Value| target["kind"][0] == "example" && target["name"] == example;
                assert!(targets.iter().any(is_it), "no example `{example}`");
            } else if command.starts_with("curl ") {
                assert!(showcase.contains(&command), "the showcase's own page says otherwise: {command}");
            } else if let Some(features) = command.strip_prefix("cargo install --path sessions --features ") {
                let package = package("sessions");
                let targets = package["targets"].as_array().unwrap();
                let program = targets.iter().find(|target| target["kind"][0] == "bin").unwrap();
                assert_eq!(
                    (&program["name"], &program["required-features"][0]),
                    (&"sessions".into(), &features.into())
                );
            } else if let Some(name) = command.strip_prefix("cargo run --release -p ") {
                let package = package(name);
                let targets = package["targets"].as_array().unwrap();
                assert!(targets.iter().any(|target| target["kind"][0] == "bin"), "`{name}` has no program");
            } else if command.starts_with("sessions ") {
                // The end-to-end tests of the program run it: `cli/readme.rs`.
            } else {
                assert_eq!(command, "tests/run", "README.md:{}: who checks this?", block.line);
            }
            commands.insert(command);
        }
    }
    for command in ["cargo run --example showcase", "tests/run"] {
        assert!(commands.contains(command), "{command}");
    }
    assert!(read("Cargo.toml").contains("default-members = [\"examples\"]"), "where `cargo run` looks");
}

#[test]
fn the_table_of_the_benchmarks_is_that_of_their_last_run() {
    let results = read("benches/results/results.md");
    let (_, rest) = README.split_once("<!-- summary: written by sessions-benches -->").unwrap();
    let (shown, _) = rest.split_once("<!-- end of summary -->").unwrap();
    assert!(
        results.contains(shown) && shown.lines().count() > 10,
        "run `sessions-benches`, which writes both"
    );
    assert!(README.contains("](benches/results/results.svg)"));
    assert!(read("benches/results/results.svg").ends_with("</svg>\n"));
}

#[test]
fn the_test_command_can_be_run_and_is_what_ci_runs() {
    assert!(read(".ci/run").lines().any(|line| line == "exec tests/run"));
    #[cfg(unix)]
    for script in ["tests/run", ".ci/run"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(workspace().join(script)).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script} is executable");
    }
}

#[test]
fn every_variable_overrides_a_setting_or_is_refused_as_shown() {
    let blocks = blocks();
    let mut overridden = 0;
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind == "sh") {
        for Line { variables, .. } in lines_of(block).into_iter().filter(|line| !line.variables.is_empty()) {
            assert!(variables.iter().all(|(name, _)| name.starts_with("SESSIONS_")), "{variables:?}");
            let profile = variables.iter().find(|(name, _)| name == "SESSIONS_PROFILE");
            let profile = profile.map(|(_, profile)| profile.parse().unwrap()).unwrap_or_default();
            let file = SourceFile { name: "sessions.toml".to_owned(), text: read("sessions.toml") };
            let sources = Sources { file: Some(file), profile, variables, ..Sources::default() };
            let found = sources.check().err().map(|problems| problems.to_string());
            assert_eq!(found.as_deref(), answer_to(&blocks, index), "README.md:{}", block.line);
            overridden += 1;
        }
    }
    assert!(overridden > 1, "the README shows how to override");
}

/// The rows of the table that follows a place and has this head, without head and rule.
fn rows<'a>(page: &'a str, after: &str, head: &str) -> Vec<&'a str> {
    let page = &page[page.find(after).unwrap_or_else(|| panic!("`{after}` is not there"))..];
    let mut lines = page.lines().skip_while(|line| *line != head);
    assert_eq!(lines.next(), Some(head), "the table after `{after}`");
    lines.skip(1).take_while(|line| line.starts_with('|')).collect()
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

fn default_of(key: &Key) -> String {
    match key.fallback() {
        Fallback::Unset => "none".to_owned(),
        Fallback::Text(text) => format!("`\"{text}\"`"),
        Fallback::Count(count) => format!("`{count}`"),
        Fallback::Bool(truth) => format!("`{truth}`"),
        Fallback::Empty => "`[]`".to_owned(),
        Fallback::Derived(phrase) => phrase.to_owned(),
        other => panic!("{other:?}: how does the README show it?"),
    }
}

#[test]
fn the_tables_have_exactly_the_keys_and_their_defaults() {
    let head = "| key | value | default | meaning |";
    let reference = reference();
    let policies: Vec<&Key> = policy_keys().collect();
    let stores: Vec<&Key> = store_keys().collect();
    for (keys, place, section) in
        [(policies, "Under `[policies.NAME]`", "## Policies"), (stores, "Under `[stores.NAME]`", "## Stores")]
    {
        let shown = rows(README, place, head);
        let keys: Vec<&&Key> = keys.iter().filter(|key| !key.is_reserved()).collect();
        assert_eq!(shown.len(), keys.len());
        for (row, key) in shown.iter().zip(keys) {
            let cells = cells(row);
            assert_eq!((cells[0], cells[2]), (&*format!("`{}`", key.path()), &*default_of(key)));
        }
        // Where the reference links to a key's own page, the README has the key alone.
        let unlinked = |row: &&str| match row.strip_prefix("| [").and_then(|rest| rest.split_once("](")) {
            Some((key, rest)) => format!("| {key} {}", &rest[rest.find(" |").unwrap() + 1..]),
            None => (*row).to_owned(),
        };
        let kept: Vec<String> = rows(&reference, section, head).iter().map(unlinked).collect();
        assert_eq!(shown, kept, "copy the rows from sessions/policy/KEYS.md, without the links");
    }
}

#[test]
fn the_features_and_the_oldest_compiler_are_those_of_the_manifest() {
    let package = package("sessions");
    let features = package["features"].as_object().unwrap();
    let defaults = features["default"].as_array().unwrap();
    let of_the_manifest: BTreeSet<String> = features
        .keys()
        .filter(|feature| *feature != "default")
        .map(|feature| {
            let is_default = defaults.iter().any(|default| default == feature);
            format!("`{feature}` {}", if is_default { "yes" } else { "no" })
        })
        .collect();
    let shown = rows(README, "## Features", "| feature | default | what it adds |");
    let shown: BTreeSet<String> = shown.into_iter().map(|row| cells(row)[..2].join(" ")).collect();
    assert_eq!(shown, of_the_manifest);
    let oldest = format!("Rust {} or later", package["rust_version"].as_str().unwrap());
    assert!(README.contains(&oldest), "{oldest}");
    let tried = format!("cargo +{} check", package["rust_version"].as_str().unwrap());
    assert!(read(".github/workflows/ci.yml").contains(&tried), "{tried}");
}

#[test]
fn every_fault_is_named_with_its_status() {
    let mut told = 0;
    for (before, rest) in README.match_indices("`SESSION_").map(|(at, _)| README.split_at(at)) {
        let code = rest.split('`').nth(1).unwrap();
        let fault = Fault::ALL.iter().find(|fault| fault.code() == code).unwrap_or_else(|| panic!("{code}"));
        let status = before.split_whitespace().next_back().unwrap();
        assert_eq!(status, fault.status().as_str(), "{code}");
        told += 1;
    }
    assert!(told > 0);
}

#[test]
fn every_preset_is_named() {
    for row in rows(&reference(), "## Presets", "| preset | for | over the defaults |") {
        assert!(README.contains(cells(row)[0]), "{row}");
    }
}

/// Compiles a call, and asserts that the README names it in these words.
macro_rules! named {
    ($call:expr) => {{
        let words = concat!("`", stringify!($call), "`");
        assert!(README.contains(words), "{words}");
        $call
    }};
}

#[tokio::test]
async fn what_the_prose_calls_exists() {
    assert!(named!(SessionPolicy::for_web_users().named("site").sliding().build()).is_ok());
    let clock = sessions::testing::ManualClock::default();
    let registry = named!(policies::Registry::builder().clock(clock.shared()));
    assert!(registry.with_settings(None, []).load().await.is_ok());
}

#[test]
fn every_link_leads_to_a_file() {
    let mut links = 0;
    for (at, _) in README.match_indices("](") {
        let target = README[at + 2..].split(')').next().unwrap();
        assert!(!target.contains("://"), "{target}: a page elsewhere can't be checked here");
        assert!(workspace().join(target).exists(), "{target}");
        links += 1;
    }
    assert!(links > 0);
}
