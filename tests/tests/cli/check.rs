//! `sessions check`.

use crate::program::{Folder, golden, run, sessions, with_variables, workspace};

const WRONG: &str = "\
[policies.shop]
extends = \"user_default\"
idle_timout = \"10min\"
transport = { cookie_samesite = \"none\" }

[policies.api]
extends = \"api_token\"
ttl = 3600
";

#[test]
fn the_showcases_file_is_accepted_under_both_profiles() {
    let ran = sessions(&["check"]).expect_code(0).quiet();
    golden("check.txt", &ran.stdout);
}

#[test]
fn every_problem_is_told_with_its_place_and_what_each_profile_makes_of_it() {
    let folder = Folder::new("wrong").file("sessions.toml", WRONG);
    let ran = folder.run(&["check"]).expect_code(2).quiet();
    golden("check_wrong.txt", &ran.stdout);
    let development = folder.run(&["check", "--profile", "development"]).expect_code(2).stdout;
    assert!(
        development.contains("warning[SL010]") && !development.contains("as production"),
        "{development}"
    );
}

#[test]
fn a_report_for_machines_has_stable_names() {
    let folder = Folder::new("json").file("sessions.toml", WRONG);
    let ran = folder.run(&["check", "--format", "json"]).expect_code(2).quiet();
    golden("check.json", &ran.stdout);
    assert_eq!(ran.json()["ok"], false);
}

#[test]
fn warnings_can_be_denied() {
    sessions(&["check", "--deny-warnings", "--profile", "development"]).expect_code(0);
    sessions(&["check", "--deny-warnings"]).expect_code(2);
}

#[test]
fn a_suppression_that_has_expired_is_an_error_here() {
    let text = |until: &str| {
        let allow = format!("rule = \"SL010\", reason = \"frames\", owner = \"web\", until = \"{until}\"");
        format!(
            "[policies.widget]\nextends = \"user_default\"\nallow = [{{ {allow} }}]\n\
             transport = {{ cookie_samesite = \"none\" }}\n"
        )
    };
    let folder =
        Folder::new("expired").file("old.toml", &text("2020-01-31")).file("new.toml", &text("2999-01-31"));
    folder.run(&["check", "new.toml"]).expect_code(0);
    let ran = folder.run(&["check", "old.toml"]).expect_code(2);
    assert!(ran.stdout.contains("until 2020-01-31, which is over"), "{}", ran.stdout);
}

#[test]
fn the_file_is_the_named_one_else_that_of_the_variable_else_that_of_the_folder() {
    let good = "[policies.shop]\nextends = \"user_default\"\n";
    let folder = Folder::new("which").file("sessions.toml", good).file("other.toml", WRONG);
    folder.run(&["check"]).expect_code(0);
    let variable = [("SESSIONS_CONFIG", "other.toml")];
    let ran = run(folder.path(), &["check"], &variable).expect_code(2);
    assert!(ran.stdout.contains("read other.toml"), "{}", ran.stdout);
    run(folder.path(), &["check", "sessions.toml"], &variable).expect_code(0);
}

#[test]
fn a_file_that_cannot_be_read_is_another_failure_than_a_wrong_one() {
    let ran = sessions(&["check", "nowhere.toml"]).expect_code(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("nowhere.toml"), "{}", ran.stderr);
    let folder = Folder::new("nothing");
    let ran = folder.run(&["check"]).expect_code(1);
    assert!(ran.stderr.contains("sessions init"), "{}", ran.stderr);
    let ran = run(folder.path(), &["check"], &[("SESSIONS_CONFIG", "gone.toml")]).expect_code(1);
    assert!(ran.stderr.contains("SESSIONS_CONFIG"), "{}", ran.stderr);
}

#[test]
fn variables_are_applied_when_asked_for_and_spoken_of_otherwise() {
    let variables = [("SESSIONS_POLICIES__ADMIN__TTL", "0s"), ("SESSIONS_PROFILE", "development")];
    let ran = with_variables(&["check"], &variables).expect_code(0);
    let note = "SESSIONS_POLICIES__ADMIN__TTL and 1 other variable are set here and not applied";
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
    let ran = with_variables(&["check", "--env"], &variables).expect_code(2).quiet();
    assert!(
        ran.stdout.contains("SESSIONS_POLICIES__ADMIN__TTL: `policies.admin.ttl` is zero"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("as development: 1 error") && !ran.stdout.contains("as production"));
}

#[test]
fn a_file_of_variables_is_applied() {
    let good = "[policies.shop]\nextends = \"user_default\"\n";
    let folder = Folder::new("envfile")
        .file("sessions.toml", good)
        .file("staging.env", "# staging\nSESSIONS_POLICIES__SHOP__TRANSPORT__COOKIE_SAMESITE=none\n")
        .file("broken.env", "SESSIONS_X=1\nnonsense\n");
    let ran = folder.run(&["check", "--env-file", "staging.env"]).expect_code(2);
    assert!(ran.stdout.contains("error[SL094]"), "a variable that weakens: {}", ran.stdout);
    assert!(ran.stdout.contains("read sessions.toml, 1 variable of staging.env"), "{}", ran.stdout);
    let ran = folder.run(&["check", "--env-file", "broken.env"]).expect_code(2);
    assert!(ran.stderr.contains("broken.env:2"), "{}", ran.stderr);
    folder.run(&["check", "--env-file", "gone.env"]).expect_code(1);
}

#[test]
fn a_policy_of_rust_is_spoken_of_when_it_is_named() {
    let variable = "SESSIONS_POLICIES__CHECKOUT__TTL=10min\n";
    let text =
        "[policies.shop]\nextends = \"user_default\"\n[production.policies.checkout]\nttl = \"10min\"\n";
    let folder = Folder::new("in-rust")
        .file("sessions.toml", text)
        .file("a.env", variable)
        .file("b.env", "SESSIONS_POLICIES__CHECKOUT__TTL=10\n");
    folder.run(&["check", "--env-file", "a.env"]).expect_code(2);
    folder.run(&["check", "--env-file", "a.env", "--in-rust", "checkout"]).expect_code(0);
    folder.run(&["check", "--env-file", "b.env", "--in-rust", "checkout"]).expect_code(2);
    let arguments = ["explain", "checkout", "ttl", "--env-file", "a.env", "--in-rust", "checkout"];
    let ran = folder.run(&arguments).expect_code(0).quiet();
    assert!(ran.stdout.contains("10min  SESSIONS_POLICIES__CHECKOUT__TTL (variable)"), "{}", ran.stdout);
}

#[test]
fn a_password_is_never_printed() {
    let text = "[stores]\nmain = { kind = \"memry\", url = \"redis://:hunter2@host\" }\n";
    let folder = Folder::new("secret").file("sessions.toml", text);
    for arguments in [vec!["check"], vec!["check", "--format", "json"], vec!["explain", "stores.main"]] {
        let ran = folder.run(&arguments);
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let always = [("CLICOLOR_FORCE", "1")];
    assert!(!sessions(&["check"]).stdout.contains('\u{1b}'));
    assert!(with_variables(&["check"], &always).stdout.contains('\u{1b}'));
    let none = [("NO_COLOR", "1")];
    assert!(!with_variables(&["check"], &none).stdout.contains('\u{1b}'));
}

#[test]
fn a_misspelt_option_is_told() {
    let ran = sessions(&["check", "--profil", "production"]).expect_code(2);
    assert!(ran.stderr.contains("--profile"), "{}", ran.stderr);
    let ran = sessions(&["check", "--profile", "prodution"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `production`?"), "{}", ran.stderr);
}

#[test]
fn the_exit_codes_are_told() {
    for arguments in [vec!["--help"], vec!["check", "--help"], vec!["explain", "--help"]] {
        let help = sessions(&arguments).expect_code(0).stdout;
        assert!(help.contains("Exit codes:") && help.contains("2  wrong"), "{help}");
    }
    assert!(workspace().join("sessions.toml").exists());
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_matters_only_where_it_is_applied() {
    use std::os::unix::ffi::OsStrExt as _;
    let broken = std::ffi::OsStr::from_bytes(b"\xff");
    let name = "SESSIONS_POLICIES__ADMIN__TTL";
    assert_eq!(crate::program::code_with(&["check"], name, broken), 0);
    assert_eq!(crate::program::code_with(&["check", "--env"], name, broken), 2);
}
