//! `sessions explain`.

use crate::program::{Folder, golden, sessions, with_variables};

const VARIABLES: &[(&str, &str)] = &[
    ("SESSIONS_POLICIES__USER_DEFAULT__TTL", "10min"),
    ("SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "1"),
];

#[test]
fn every_key_of_a_policy_is_told_under_three_environments() {
    let production = sessions(&["explain", "user_default"]).expect_code(0).quiet();
    golden("explain_production.txt", &production.stdout);
    let development =
        sessions(&["explain", "user_default", "--profile", "development"]).expect_code(0).quiet();
    golden("explain_development.txt", &development.stdout);
    let variables = with_variables(&["explain", "user_default", "--env"], VARIABLES).expect_code(0).quiet();
    golden("explain_variables.txt", &variables.stdout);
}

#[test]
fn a_key_is_told_with_everyone_who_set_it() {
    let file = "\
[policies.base]
extends = \"user_default\"
ttl = \"3days\"

[policies.shop]
extends = \"base\"
ttl = \"2days\"

[production.policies.shop]
ttl = \"1day\"
";
    let folder =
        Folder::new("chain").file("sessions.toml", file).file("a.env", "SESSIONS_POLICIES__SHOP__TTL=2h\n");
    let ran = folder.run(&["explain", "shop", "ttl", "--env-file", "a.env"]).expect_code(0).quiet();
    golden("explain_key.txt", &ran.stdout);
    let arguments = ["explain", "policies.shop", "ttl", "--env-file", "a.env", "--format", "json"];
    let ran = folder.run(&arguments).expect_code(0).quiet();
    golden("explain.json", &ran.stdout);
    assert_eq!(ran.json()["keys"][0]["value"], "2h");
}

#[test]
fn what_gives_way_is_told() {
    let ran = with_variables(&["explain", "user_default", "idle_timeout", "--env"], VARIABLES).expect_code(0);
    assert!(ran.stdout.contains("10min  SESSIONS_POLICIES__USER_DEFAULT__TTL (gave way)"), "{}", ran.stdout);
}

#[test]
fn a_table_of_keys_and_a_store_are_told_too() {
    let ran = sessions(&["explain", "admin", "concurrency"]).expect_code(0);
    assert_eq!(ran.stdout.lines().filter(|line| line.contains("concurrency.")).count(), 2, "{}", ran.stdout);
    let ran = sessions(&["explain", "stores.main", "max_sessions"]).expect_code(0);
    assert!(ran.stdout.contains("100000  sessions.toml:6:16 (file)"), "{}", ran.stdout);
}

#[test]
fn suppressions_are_told_with_their_last_day() {
    let allow = "{ rule = \"SL010\", reason = \"frames\", owner = \"web\", until = \"2999-01-31\" }";
    let text = format!(
        "[policies.widget]\nextends = \"user_default\"\nallow = [{allow}]\ntransport.cookie_samesite = \"none\"\n"
    );
    let folder = Folder::new("allow").file("sessions.toml", &text);
    let ran = folder.run(&["explain", "widget", "allow"]).expect_code(0).quiet();
    assert!(ran.stdout.contains("SL010 until 2999-01-31  sessions.toml:3"), "{}", ran.stdout);
}

#[test]
fn a_slip_finds_its_name() {
    for (arguments, near) in [
        (["explain", "admn", "ttl"], "admin"),
        (["explain", "stores.mian", "kind"], "main"),
        (["explain", "admin", "tll"], "ttl"),
        (["explain", "admin", "cookie_samesite"], "transport.cookie_samesite"),
    ] {
        let ran = sessions(&arguments).expect_code(2);
        assert!(ran.stderr.contains(&format!("did you mean `{near}`?")), "{}", ran.stderr);
    }
    let ran = sessions(&["explain", "checkout"]).expect_code(2);
    assert!(ran.stderr.contains("declared in Rust"), "{}", ran.stderr);
}

#[test]
fn a_broken_file_is_explained_with_a_note() {
    let text = "[policies.shop]\nextends = \"user_default\"\nttl = \"2h\"\nidle_timout = \"1h\"\n";
    let folder = Folder::new("broken").file("sessions.toml", text);
    let ran = folder.run(&["explain", "shop", "ttl"]).expect_code(0);
    assert!(ran.stderr.contains("a start would refuse this configuration"), "{}", ran.stderr);
}
