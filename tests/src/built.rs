//! The programs of the workspace that tests run as processes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// An example, with every feature: as `cargo test --workspace --all-features` has built it, so that nothing is built again.
pub fn example(name: &str) -> PathBuf {
    program(&["--workspace", "--all-features", "--example", name])
}

/// What `cargo build` makes of these arguments. Cargo says where it is, so that any target directory will do.
pub fn program(arguments: &[&str]) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--message-format", "json-render-diagnostics"])
        .args(arguments)
        .current_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success(), "cargo build {} fails", arguments.join(" "));
    let messages = String::from_utf8(built.stdout).unwrap();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut executables = messages.filter_map(|message| Some(message["executable"].as_str()?.to_owned()));
    PathBuf::from(executables.next_back().unwrap())
}
