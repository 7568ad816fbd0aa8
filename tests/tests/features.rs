//! What a build without a feature says of settings that need it: the compiler at the line of the file, the start at the
//! variable.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const MAIN: &str = "POLICIES

#[tokio::main(flavor = \"current_thread\")]
async fn main() -> std::process::ExitCode {
    match policies::Registry::load().await {
        Ok(_) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(\"{error}\");
            error.exit_code()
        }
    }
}
";

const FILE: &str = "[stores.main]
kind = \"memory\"

[policies.shop]
extends = \"user_default\"

[production.stores.main]
kind = \"sqlite\"
url = \"sqlite://sessions.db\"
";

/// A package outside the workspace, whose library has no store but those that are always there.
struct Program(tempfile::TempDir);

impl Program {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        let workspace = workspace();
        let manifest = format!(
            "[package]\nname = \"lean\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             sessions = {{ path = '{}', default-features = false, features = [\"macros\"] }}\n\
             tokio = {{ version = \"1\", default-features = false, features = [\"macros\", \"rt\", \"time\"] }}\n",
            workspace.join("sessions").display()
        );
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.path().join("sessions.toml"), FILE).unwrap();
        // The crates that the workspace has, and no others.
        fs::copy(workspace.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        Self(folder)
    }

    fn cargo(&self, task: &str, policies: &str, variables: &[(&str, &str)]) -> Output {
        fs::write(self.0.path().join("src/main.rs"), MAIN.replace("POLICIES", policies)).unwrap();
        let target = target().join("lean");
        let mut command = Command::new(env!("CARGO"));
        command.args([task, "--offline", "--quiet"]).current_dir(self.0.path());
        command
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env_remove("RUSTFLAGS");
        command.envs(variables.iter().copied()).output().unwrap()
    }
}

fn workspace() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).canonicalize().unwrap()
}

/// The folder that this test was built in, so that what it builds is kept for the next time.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

#[test]
fn a_store_without_its_feature_is_refused_by_the_build_and_by_the_start() {
    let program = Program::new();
    let feature = "add the feature `sqlite` of the crate `sessions`";

    let built = program.cargo("build", "sessions::policies!(\"sessions.toml\");", &[]);
    let said = String::from_utf8(built.stderr).unwrap();
    assert!(!built.status.success());
    let place = "sessions.toml:8:8: `stores.main.kind` (sqlite) is a store that this build has no code for";
    assert!(said.contains(place) && said.contains(feature), "{said}");

    let inline = "sessions::policies! { shop: { extends: \"user_default\" } }";
    let settings =
        [("SESSIONS_STORES__MAIN__KIND", "sqlite"), ("SESSIONS_STORES__MAIN__URL", "sqlite://never-made.db")];
    let started = program.cargo("run", inline, &settings);
    let said = String::from_utf8(started.stderr).unwrap();
    assert_eq!(started.status.code(), Some(2), "{said}");
    assert!(
        said.contains("error[SL093]: SESSIONS_STORES__MAIN__KIND: `stores.main.kind` (sqlite)"),
        "{said}"
    );
    assert!(said.contains(feature), "{said}");
    assert!(!program.0.path().join("never-made.db").exists());

    let settings = [
        ("SESSIONS_STORES__MAIN__KIND", "redis"),
        ("SESSIONS_STORES__MAIN__URL", "redis://:hunter2@localhost"),
    ];
    let started = program.cargo("run", inline, &settings);
    let said = String::from_utf8(started.stderr).unwrap();
    assert_eq!(started.status.code(), Some(2), "{said}");
    assert!(
        said.contains("add the feature `redis` of the crate `sessions`") && !said.contains("hunter2"),
        "{said}"
    );
    let started = program.cargo("run", inline, &[]);
    assert_eq!(started.status.code(), Some(0), "{}", String::from_utf8_lossy(&started.stderr));

    let settings = [
        ("SESSIONS_STORES__MAIN__KIND", "postgres"),
        ("SESSIONS_STORES__MAIN__URL", "postgres://u:hunter2@db/x"),
    ];
    let started = program.cargo("run", inline, &settings);
    let said = String::from_utf8(started.stderr).unwrap();
    assert_eq!(started.status.code(), Some(2), "{said}");
    assert!(said.contains("add the feature `postgres` of the crate `sessions`"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn the_showcase_takes_any_setting_without_being_asked_for_features() {
    let manifest =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/Cargo.toml")).unwrap();
    let defaults = manifest.lines().find(|line| line.starts_with("default = ")).unwrap();
    for feature in ["encryption", "messagepack", "postgres", "redis", "sqlite", "watch"] {
        assert!(defaults.contains(&format!("\"{feature}\"")), "{feature}: {defaults}");
    }
}
