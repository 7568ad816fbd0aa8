//! `sessions diff`.

use crate::program::{Folder, golden, run, sessions};

const OVERRIDES: &str = "\
# staging
SESSIONS_POLICIES__USER_DEFAULT__TTL=10min
SESSIONS_POLICIES__ADMIN__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL=3
SESSIONS_POLICIES__API_TOKEN__TRANSPORT__HEADER_NAME=X-Token
SESSIONS_STORES__MAIN__MAX_SESSIONS=5000
";

const OLD: &str = "\
[policies.shop]
extends = \"user_default\"
ttl = \"2h\"

[policies.legacy]
extends = \"api_token\"

[development.policies.shop]
ttl = \"9h\"
csrf = \"strict\"
";

const NEW: &str = "\
[policies.shop]
extends = \"user_default\"
ttl = \"1h\"
trusted_origins = [\"https://pay.example\"]
idle_timeout = \"off\"

[policies.partner]
extends = \"api_token\"
";

/// The showcase's file and a file of variables.
fn showcase(name: &str) -> Folder {
    let file = std::fs::read_to_string(crate::program::workspace().join("sessions.toml")).unwrap();
    Folder::new(name).file("sessions.toml", &file).file("staging.env", OVERRIDES)
}

#[test]
fn the_showcases_environments_are_compared() {
    let folder = showcase("diff-showcase");
    for (golden_name, before, after) in [
        ("diff_profiles.txt", "@production", "@development"),
        ("diff_variables.txt", "sessions.toml", "sessions.toml+staging.env"),
        ("diff_profile_and_variables.txt", "@development", "@production+staging.env"),
    ] {
        let ran = folder.run(&["diff", before, after]).expect_code(0).quiet();
        golden(golden_name, &ran.stdout);
    }
}

#[test]
fn what_a_new_file_changes_is_told_with_its_direction() {
    let folder = Folder::new("diff-files").file("old.toml", OLD).file("new.toml", NEW);
    let ran = folder.run(&["diff", "old.toml", "new.toml"]).expect_code(0);
    golden("diff_files.txt", &ran.stdout);
    let json = folder.run(&["diff", "old.toml", "new.toml", "--format", "json"]).expect_code(0);
    golden("diff.json", &json.stdout);
    assert_eq!(json.json()["weaker"], 2);
    let ran = folder.run(&["diff", "old.toml", "old.toml@development"]).expect_code(0).quiet();
    assert!(ran.stdout.contains("ttl: 2h → 9h  weaker"), "{}", ran.stdout);
    assert!(ran.stdout.contains("csrf: standard → strict  stronger"), "{}", ran.stdout);
}

#[test]
fn a_build_can_be_stopped_by_what_differs() {
    let folder = Folder::new("diff-codes").file("old.toml", OLD).file("new.toml", NEW);
    folder.run(&["diff", "old.toml", "new.toml", "--fail-on", "weaker"]).expect_code(3);
    folder.run(&["diff", "old.toml", "new.toml", "--fail-on", "any"]).expect_code(3);
    let ran = folder.run(&["diff", "old.toml", "old.toml", "--fail-on", "any"]).expect_code(0).quiet();
    assert!(ran.stdout.contains("nothing differs"), "{}", ran.stdout);
}

#[test]
fn a_side_that_a_start_would_refuse_is_told() {
    let new = "[policies.shop]\nttl = 3600\n";
    let folder = Folder::new("diff-refused").file("old.toml", OLD).file("new.toml", new);
    let ran = folder.run(&["diff", "old.toml", "new.toml"]).expect_code(0);
    assert!(ran.stderr.contains("a start would refuse new.toml as production"), "{}", ran.stderr);
}

#[test]
fn a_side_that_makes_no_sense_is_told() {
    let ran = sessions(&["diff", "@prodution", "@development"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `production`?"), "{}", ran.stderr);
    sessions(&["diff", "nowhere.toml", "@development"]).expect_code(1);
    sessions(&["diff", "sessions.toml+nowhere.env", "@development"]).expect_code(1);
    sessions(&["diff", "@development"]).expect_code(2);
}

#[test]
fn the_default_file_of_a_side_is_that_of_the_variable() {
    let folder = Folder::new("diff-config").file("other.toml", OLD);
    let variables = [("SESSIONS_CONFIG", "other.toml")];
    let ran = run(folder.path(), &["diff", "@production", "@development"], &variables).expect_code(0).quiet();
    assert!(ran.stdout.contains("from other.toml as production"), "{}", ran.stdout);
}
