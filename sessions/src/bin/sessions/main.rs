//! The program `sessions`: it checks, explains and compares policy files. This file runs one command and prints what
//! it reports; each command is a file of its own, and what a policy means is `sessions-policy`'s.

/// Adds a line to a report.
macro_rules! line {
    ($report:expr, $($text:tt)*) => {{
        use std::fmt::Write as _;
        writeln!($report, $($text)*).expect("a string takes any text")
    }};
}

mod arguments;
mod check;
mod completions;
mod diff;
mod dossier;
mod env_file;
mod explain;
mod init;
mod input;
mod json;
mod migrate;
mod outcome;
mod paint;
mod side;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Command};
use self::outcome::{Failure, Report};

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(report) => print(&report),
        Err(failure) => {
            let _ = writeln!(anstream::stderr(), "{}", failure.told());
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<Report, Failure> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Dossier(arguments) => dossier::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Schema => Ok(Report::fine(json::document(&sessions_policy::schema()))),
        Command::Completions(arguments) => Ok(completions::run(&arguments)),
    }
}

/// What is asked for goes to standard output, what is said beside it to standard error. Colours are left out where the
/// output is no terminal, and where `NO_COLOR` is set.
fn print(report: &Report) -> ExitCode {
    let mut stderr = anstream::stderr().lock();
    for note in &report.notes {
        let _ = writeln!(stderr, "{}: {note}", paint::word("note"));
    }
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(report.text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever reads it has seen enough, as `head` has.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failure = Failure::Unreadable(format!("the output can't be written: {error}"));
            let _ = writeln!(stderr, "{}", failure.told());
            failure.exit_code()
        }
        _ => report.outcome.exit_code(),
    }
}
