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
    let mut command = Command::new(env!("CARGO"));
    forget_the_package(&mut command);
    let built = command
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

/// Takes away what `cargo test` tells a test of its package: build scripts that look at it, such as ring's, would run anew.
pub fn forget_the_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
}
