//! Measures how long the memory store holds its locks, whatever is done to it, and writes what was seen.
//!
//! `cargo run --release -p sessions-locks` builds the library once more, with locks that tell a watcher when they are
//! taken and given back, and runs this there.

mod load;
mod page;
mod watch;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// What can go wrong is told and ends the run.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const HELP: &str = "\
Measures the longest holds of the memory store's locks and writes locks.md, and that part of results.md.

usage: cargo run --release -p sessions-locks [-- OPTION…]

options:
  --sessions LIST   how many sessions the store has room for [1000000,10000000]
  --out FOLDER      where results go [benches/results]";

/// Looks at the clock without any lock, to know what the machine itself adds.
const LOOKS: u64 = 20_000_000;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<ExitCode> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let (mut sessions, mut out) = (vec![1_000_000, 10_000_000], root.join("benches/results"));
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--help" {
            println!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value: see --help"))?;
        match &*word {
            "--sessions" => sessions = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
            "--out" => out = PathBuf::from(value),
            _ => return Err(format!("there is no option `{word}`: see --help").into()),
        }
    }
    if !watch::begin() {
        return with_watched_locks(root);
    }
    let mut runs = Vec::new();
    for sessions in sessions {
        eprintln!("{sessions} sessions come and go");
        runs.push((sessions, load::run(sessions)?));
    }
    watch::nothing(LOOKS);
    page::publish(&out, &runs, &watch::take())?;
    Ok(ExitCode::SUCCESS)
}

/// Builds this program with watched locks and runs it.
fn with_watched_locks(root: &Path) -> Outcome<ExitCode> {
    let cargo = std::env::var_os("CARGO").ok_or("start this with `cargo run --release -p sessions-locks`")?;
    let status = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--locked", "--package", "sessions-locks", "--target-dir"])
        .arg(
            std::env::var_os("CARGO_TARGET_DIR")
                .map_or_else(|| root.join("target"), PathBuf::from)
                .join("measure"),
        )
        .arg("--")
        .args(std::env::args_os().skip(1))
        .current_dir(root)
        .env("RUSTFLAGS", "--cfg sessions_measure")
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
