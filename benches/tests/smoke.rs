//! The whole measurement with tiny counts: every stack answers on every route, and the results are written.

use std::{fs, process::Command};

#[test]
fn every_part_runs_and_its_results_are_written() {
    let out = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("smoke");
    let few = ["--sessions", "20", "--most", "40", "--rounds", "1", "--chunk", "64", "--seconds", "0.02"];
    let output = Command::new(env!("CARGO_BIN_EXE_sessions-benches"))
        .args(few)
        .arg("--out")
        .arg(&out)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(out.join("results.md")).expect("a page");
    let named = ["sessions", "tower-sessions 0.15 memory", "axum_session 0.22", "actix-session 0.11 cookie"];
    for name in named {
        assert!(page.contains(&format!("| {name} |")), "{name} has its row:\n{page}");
    }
    assert!(page.contains("| sessions, `update` | 0, 0, 0 | 0, 0, 0 |"), "no update is lost:\n{page}");
    assert!(
        fs::read_to_string(out.join("results.svg")).expect("a plot").contains("<rect class=\"ours\""),
        "bars of ours"
    );
}

#[test]
fn what_cannot_be_measured_is_told_with_what_can() {
    let output = Command::new(env!("CARGO_BIN_EXE_sessions-benches"))
        .args(["--stacks", "apache"])
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("write one of bare, bare-again, sessions"), "{told}");
}
