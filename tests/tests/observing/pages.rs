//! The pages of the documentation have the tables of the code.
//!
//! `SESSIONS_BLESS=1 cargo test -p sessions-tests --features observing --test observing` writes them anew.

use std::{env, fmt::Write as _, fs};

use sessions::{EventKind, observe::metric};

const BEGIN: &str = "<!-- begin: written by the test `observing`, with SESSIONS_BLESS=1 -->\n";
const END: &str = "<!-- end -->";

/// Compares a page's table with the code's, which is written into it when the tests are told to.
#[track_caller]
fn compare(page: &str, table: &str) {
    let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the page has a place for its table");
    let (_, after) = rest.split_once(END).expect("the table has an end");
    let expected = format!("{before}{BEGIN}{table}{END}{after}");
    if env::var_os("SESSIONS_BLESS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == expected, "docs/{page} is stale: run the test once with SESSIONS_BLESS=1");
}

fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_page_of_events_is_the_table() {
    let mut table = "| event | severity | | reasons | what it says |\n|---|---|---|---|---|\n".to_owned();
    for kind in EventKind::ALL {
        let routine = if kind.is_routine() { "routine" } else { "" };
        let (severity, reasons, about) = (kind.severity().name(), words(kind.reasons()), kind.about());
        writeln!(table, "| `{kind}` | {severity} | {routine} | {reasons} | {about} |").unwrap();
    }
    compare("EVENTS.md", &table);
}

#[test]
fn the_page_of_metrics_is_the_table() {
    let mut table = "| metric | kind | unit | labels | what it says |\n|---|---|---|---|---|\n".to_owned();
    for metric in metric::ALL {
        let kind = format!("{:?}", metric.kind).to_lowercase();
        let (name, unit, about) = (metric.name, metric.unit.unwrap_or(""), metric.about);
        writeln!(table, "| `{name}` | {kind} | {unit} | {} | {about} |", words(metric.labels)).unwrap();
    }
    compare("METRICS.md", &table);
}

/// The names that the original and the project's list of security events ask for.
#[test]
fn every_event_that_is_asked_for_is_there() {
    let names: Vec<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
    for name in [
        "session_created",
        "session_loaded",
        "session_invalid",
        "session_expired",
        "session_idle_timeout",
        "session_absolute_timeout",
        "session_fingerprint_mismatch",
        "session_corrupted",
        "session_rotated",
        "session_committed",
        "session_destroyed",
        "session_refreshed",
        "session_logged_out",
        "session_ended",
        "session_limit_reached",
        "session_revoked",
        "session_reused",
        "session_unknown",
        "session_duplicate",
        "session_cross_site",
        "session_store_failed",
        "session_foreign_cookie",
        "session_not_written",
    ] {
        assert!(names.contains(&name), "{name}");
    }
}
