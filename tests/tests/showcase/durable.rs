//! Stores that outlive the process: what was answered is there after a restart and after a kill, and a store that can't be
//! opened is told before anyone is served.

use std::{
    fs,
    process::Output,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    ada,
    client::Browser,
    grace,
    program::{Showcase, command, run_to_end},
};

const KIND: &str = "SESSIONS_STORES__MAIN__KIND";
const URL: &str = "SESSIONS_STORES__MAIN__URL";
const DIRECTORY: &str = "SESSIONS_STORES__MAIN__DIRECTORY";
const PROFILE: (&str, &str) = ("SESSIONS_PROFILE", "development");
const LIMIT: Duration = Duration::from_secs(5);

/// The variables of a kind of store that is in a folder.
fn variables(kind: &str, folder: &TempDir) -> Vec<(&'static str, String)> {
    let path = folder.path().to_str().expect("a path in UTF-8");
    match kind {
        "sqlite" => vec![(KIND, kind.to_owned()), (URL, format!("sqlite://{path}/sessions.db"))],
        _ => vec![
            (KIND, kind.to_owned()),
            (DIRECTORY, format!("{path}/sessions")),
            (PROFILE.0, PROFILE.1.to_owned()),
        ],
    }
}

fn start(variables: &[(&str, String)], more: &[(&str, &str)]) -> Showcase {
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied());
    Showcase::with(&variables.collect::<Vec<_>>())
}

/// The same browser, for the server at its new address.
fn again(browser: &Browser, shop: &Showcase) -> Browser {
    Browser { cookies: browser.cookies.clone(), ..shop.browser() }
}

/// Ends the program: well, or in the middle of whatever it does.
fn end(shop: Showcase, signal: &str) {
    shop.signal(signal);
    let stopped = shop.ended(LIMIT);
    if signal == "TERM" {
        assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    } else {
        assert_eq!(stopped.status.code(), None, "{stopped:?}");
    }
}

fn refused(variables: &[(&str, &str)]) -> (i32, String) {
    let began = Instant::now();
    let Output { status, stdout, stderr } = run_to_end(command(variables));
    assert!(stdout.is_empty() && began.elapsed() < Duration::from_secs(10));
    (status.code().expect("an exit code"), String::from_utf8(stderr).expect("UTF-8"))
}

#[test]
fn what_was_answered_is_there_after_a_restart_and_after_a_kill() {
    for kind in ["sqlite", "file"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = variables(kind, &folder);
        let shop = start(&settings, &[]);
        let (mut user, mut left) = (ada(&shop), grace(&shop));
        user.post_json("/cart/add", &json!({ "item_id": "tea", "quantity": 2 })).expect_status(200);
        let old = left.clone();
        left.post("/logout").expect_status(200);
        let mut visits = 0;
        let mut running = Some(shop);
        for signal in ["TERM", "KILL", "KILL", "TERM"] {
            end(running.take().unwrap(), signal);
            let shop = start(&settings, &[]);
            user = again(&user, &shop);
            user.expect_logged_in("u1");
            user.get("/cart").expect_json(&json!({ "cart": { "tea": 2 } }));
            visits += 1;
            user.post("/visits").expect_json(&json!({ "visits": visits }));
            again(&old, &shop).expect_logged_out();
            running = Some(shop);
        }
        let stolen = user.clone();
        user.post("/logout").expect_status(200);
        end(running.take().unwrap(), "KILL");
        let shop = start(&settings, &[]);
        again(&stolen, &shop).expect_logged_out();
        again(&stolen, &shop).post("/visits").expect_json(&json!({ "visits": 1 }));
    }
}

#[test]
fn a_limit_and_a_revocation_hold_over_a_kill() {
    let two = [("SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "2")];
    for kind in ["sqlite", "file"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = variables(kind, &folder);
        let shop = start(&settings, &two);
        let (first, second) = (ada(&shop), ada(&shop));
        end(shop, "KILL");
        let shop = start(&settings, &two);
        let third = ada(&shop);
        end(shop, "KILL");
        let shop = start(&settings, &two);
        again(&first, &shop).expect_logged_out();
        again(&second, &shop).expect_logged_in("u1");
        again(&third, &shop).post("/sessions/revoke-others").expect_json(&json!({ "revoked": 1 }));
        end(shop, "KILL");
        let shop = start(&settings, &two);
        again(&second, &shop).expect_logged_out();
        again(&third, &shop).expect_logged_in("u1");
    }
}

#[test]
fn a_store_that_can_not_be_opened_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().expect("a path in UTF-8");
    fs::write(folder.path().join("text"), "this is neither a database nor a folder").unwrap();
    let mut places = vec![
        ("sqlite", format!("{path}/missing/x.db")),
        ("sqlite", format!("{path}/text")),
        ("sqlite", path.to_owned()),
    ];
    places.extend([("file", format!("{path}/missing/x")), ("file", format!("{path}/text"))]);
    if cfg!(target_os = "linux") {
        // Nothing can be made there, whoever asks.
        places.extend([("sqlite", "/proc/x.db".to_owned()), ("file", "/proc/x".to_owned())]);
    }
    for (kind, place) in places {
        let url = format!("sqlite://{place}");
        let place = if kind == "sqlite" { (URL, url.as_str()) } else { (DIRECTORY, place.as_str()) };
        let (code, said) = refused(&[(KIND, kind), place, PROFILE]);
        assert_eq!(code, 1, "{place:?}: {said}");
        let lines: Vec<_> = said.lines().filter(|line| line.starts_with("error")).collect();
        let [line] = lines[..] else { unreachable!("one line: {said}") };
        assert!(line.starts_with("error: the store `main` can't be opened: ") && line.len() > 60, "{line}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_folder_serves_one_process_and_a_database_several() {
    let folder = tempfile::tempdir().unwrap();
    let settings = variables("file", &folder);
    let _shop = start(&settings, &[]);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (code, said) = refused(&settings);
    assert_eq!(code, 1);
    assert!(said.contains("is held by another store or process"), "{said}");

    let settings = variables("sqlite", &folder);
    let (one, other) = (start(&settings, &[]), start(&settings, &[]));
    let mut user = ada(&one);
    again(&user, &other).expect_logged_in("u1");
    let stolen = user.clone();
    user.post("/logout").expect_status(200);
    again(&stolen, &other).expect_logged_out();
}

#[test]
fn settings_of_a_store_that_are_wrong_are_told_without_their_text() {
    let url = "sqlite://ada:hunter2@localhost/x.db";
    let (code, said) = refused(&[(KIND, "sqlite"), (URL, url)]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains(URL) && said.contains("sqlite://sessions.db") && !said.contains("hunter2"),
        "{said}"
    );
    let (code, said) = refused(&[(KIND, "sqlite")]);
    assert!(code == 2 && said.contains("`stores.main.url` is missing") && said.contains(URL), "{said}");
    let (code, said) = refused(&[(KIND, "file"), (DIRECTORY, "/tmp/never-made")]);
    assert!(code == 2 && said.contains("SL078") && said.contains("SESSIONS_PROFILE=development"), "{said}");
    assert!(!fs::exists("/tmp/never-made").unwrap(), "nothing is made before the settings are right");
}
