//! What the macros cost a build: 100 policies and 500 handlers with `#[session]`, against the same handlers without.
//!
//! `cargo run -p sessions-tests --bin compile_cost [ROUNDS]` writes both crates below `target/`, checks each from nothing
//! and after an edit of one handler, in turns, and prints the medians. The dependencies of both are built before.
//! It fails where the cost is beyond the aim.

mod program;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use program::Program;

/// How often each is measured, unless the command says.
const ROUNDS: usize = 5;
/// What the macros may add to a check from nothing, and to one after an edit.
const AIMS: [(&str, Duration); 2] =
    [("clean cargo check", Duration::from_secs(2)), ("edit of one handler", Duration::from_secs(1))];

fn main() -> ExitCode {
    let rounds = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(ROUNDS);
    match measure(rounds) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures both programs and prints the table. Says whether the aims are reached.
fn measure(rounds: usize) -> io::Result<bool> {
    let folder = target().join("compile_cost");
    write_workspace(&folder)?;
    for program in Program::BOTH {
        program.write(&folder)?;
    }
    for program in Program::BOTH {
        check(&folder, program)?;
    }
    // By aim, then by program.
    let mut times: [[Vec<Duration>; 2]; 2] = Default::default();
    for round in 0..rounds {
        for (index, program) in Program::BOTH.into_iter().enumerate() {
            clean(&folder, program)?;
            times[0][index].push(check(&folder, program)?);
        }
        for (index, program) in Program::BOTH.into_iter().enumerate() {
            program.edit(&folder, round)?;
            times[1][index].push(check(&folder, program)?);
        }
    }
    println!("{:20}  {:>9}  {:>9}  {:>9}  {:>9}", "", "without", "with", "added", "aim");
    let mut reached = true;
    for ((what, aim), [without, with]) in AIMS.into_iter().zip(times) {
        let (without, with) = (median(without), median(with));
        let added = with.saturating_sub(without);
        reached &= added <= aim;
        println!(
            "{what:20}  {:>7.2} s  {:>7.2} s  {:>7.2} s  {:>7.2} s",
            without.as_secs_f64(),
            with.as_secs_f64(),
            added.as_secs_f64(),
            aim.as_secs_f64()
        );
    }
    Ok(reached)
}

/// Where cargo builds this workspace.
fn target() -> PathBuf {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from)
}

/// The workspace of both programs, with the versions of this one.
fn write_workspace(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let members = Program::BOTH.map(|program| format!("{:?}", program.name())).join(", ");
    fs::write(folder.join("Cargo.toml"), format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n"))?;
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}

/// Runs `cargo check` on a program, and says how long it took.
fn check(folder: &Path, program: Program) -> io::Result<Duration> {
    let start = Instant::now();
    cargo(folder, &["check", "--quiet", "--offline", "--package", program.name()])?;
    Ok(start.elapsed())
}

/// Forgets what was built of a program, but for its dependencies.
fn clean(folder: &Path, program: Program) -> io::Result<()> {
    cargo(folder, &["clean", "--quiet", "--offline", "--package", program.name()])
}

fn cargo(folder: &Path, arguments: &[&str]) -> io::Result<()> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("cargo {}: {said}", arguments.join(" "))))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
