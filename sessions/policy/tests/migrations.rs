//! What `migrate_from` may name: each mistake has its reason, and two stores that fit have none.

use sessions_policy::{Profile, SourceFile, Sources, Stage};

const ONE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
const SQLITE: &str = "kind = 'sqlite'\nurl = 'sqlite://older.db'";
const REDIS: &str = "kind = 'redis'\nurl = 'rediss://:secret@sessions.internal'";
const POSTGRES: &str = "kind = 'postgres'\nurl = 'postgres://shop:secret@db.internal/shop'";

/// What is told of `migrate_from` where `main` has more to say, `older` is so, and variables are set.
fn told(main: &str, older: &str, variables: &[(&str, &str)]) -> String {
    let stores =
        format!("[stores.main]\n{POSTGRES}\nmigrate_from = 'older'\n{main}\n[stores.older]\n{older}\n");
    told_of(&format!("[policies.p]\nextends = 'user_default'\n{stores}"), variables)
}

/// The same of a whole file.
fn told_of(text: &str, variables: &[(&str, &str)]) -> String {
    let variables =
        variables.iter().map(|(key, value)| (format!("SESSIONS_STORES__{key}"), (*value).to_owned()));
    let sources = Sources {
        file: Some(SourceFile { name: "sessions.toml".into(), text: text.to_owned() }),
        variables: variables.collect(),
        stage: Stage::Start,
        profile: Profile::Development,
        ..Sources::default()
    };
    let problems = sources.lint();
    let of_the_rule = problems.iter().filter(|problem| problem.rule() == "store_migration");
    of_the_rule.map(ToString::to_string).collect()
}

fn is_refused(told: &str, reason: &str) {
    assert!(told.contains(reason), "`{reason}` is not in `{told}`");
}

#[test]
fn two_stores_that_fit_may_be_moved_between() {
    let both = [("MAIN__INDEX_KEY", ONE), ("OLDER__INDEX_KEY", ONE)];
    for (older, variables) in [(SQLITE, &[][..]), (REDIS, &[]), (SQLITE, &both)] {
        assert_eq!(told("", older, variables), "", "{older}");
    }
}

#[test]
fn sessions_move_from_another_store_of_the_file() {
    let from = |name| {
        let policy = "[policies.p]\nextends = 'user_default'";
        let older = format!("[stores.older]\n{SQLITE}");
        told_of(&format!("{policy}\n[stores.main]\n{POSTGRES}\nmigrate_from = '{name}'\n{older}\n"), &[])
    };
    is_refused(&from("main"), "is the store itself");
    is_refused(&from("oldest"), "names no store of this file");
    assert_eq!(from("older"), "");
}

#[test]
fn sessions_move_from_no_store_that_a_policy_keeps_sessions_in() {
    let beside = |policies: &str| {
        let main = format!("[stores.main]\n{POSTGRES}\nmigrate_from = 'older'");
        told_of(&format!("{main}\n[stores.older]\n{SQLITE}\n{policies}"), &[])
    };
    let of = |name, preset, store| {
        format!("[policies.{name}]\nextends = '{preset}'\npersistence = {{ store_name = '{store}' }}\n")
    };
    let (web, api) = (of("web", "user_default", "main"), of("api", "api_token", "older"));
    is_refused(&beside(&format!("{web}{api}")), "names a store that a policy keeps sessions in");
    // One that keeps none is in no one's way.
    let one_request = of("one", "ephemeral", "older");
    assert_eq!(beside(&format!("{web}{one_request}")), "");
}

#[test]
fn sessions_move_from_no_store_that_is_itself_still_filled() {
    let older = format!("{SQLITE}\nmigrate_from = 'main'");
    is_refused(&told("", &older, &[]), "names a store whose sessions are still to come");
}

#[test]
fn keys_have_to_be_the_same_or_nobody_would_be_found() {
    let other = "names a store of another `index_key`";
    for variables in [
        &[("MAIN__INDEX_KEY", ONE)][..],
        &[("OLDER__INDEX_KEY", ONE)],
        &[("MAIN__INDEX_KEY", ONE), ("OLDER__INDEX_KEY", OTHER)],
    ] {
        is_refused(&told("", SQLITE, variables), other);
    }
    let both = [("MAIN__INDEX_KEY", ONE), ("OLDER__INDEX_KEY", ONE)];
    is_refused(&told("", REDIS, &both), "whose sessions do not tell whose they are");
    let encrypted = [("OLDER__ENCRYPTION_KEYS", &*format!("1:{ONE}"))];
    is_refused(&told("", SQLITE, &encrypted), "names a store with encryption keys that this one has not");
}

#[test]
fn nothing_is_moved_beside_an_outbox() {
    let outbox = "from which nothing can be moved beside an `outbox`";
    is_refused(&told("outbox = '7days'", SQLITE, &[]), outbox);
    is_refused(&told("", &format!("{REDIS}\noutbox = '7days'"), &[]), outbox);
}
