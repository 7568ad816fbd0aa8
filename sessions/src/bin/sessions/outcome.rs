//! How a command ends: what it prints, and with which code.

use std::process::ExitCode;

use sessions_policy::Problems;

use crate::paint;

/// What `--help` says about exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  fine; warnings don't count
  1  a file or a store can't be read or written
  2  wrong: the configuration would be refused, or the command line makes no sense
  3  `diff --fail-on` found what it was told to look for";

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is nothing to object to.
    Fine,
    /// The configuration would be refused.
    Wrong,
    /// A comparison found what it was told to fail on.
    Differs,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Fine => ExitCode::SUCCESS,
            Self::Wrong => ExitCode::from(2),
            Self::Differs => ExitCode::from(3),
        }
    }
}

/// What a command has to say.
#[derive(Debug)]
pub(crate) struct Report {
    /// For standard output.
    pub(crate) text: String,
    /// For standard error, a line each.
    pub(crate) notes: Vec<String>,
    pub(crate) outcome: Outcome,
}

impl Report {
    pub(crate) fn fine(text: String) -> Self {
        Self { text, notes: Vec::new(), outcome: Outcome::Fine }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file or a store can't be read or written.
    Unreadable(String),
    /// What was asked for makes no sense.
    Senseless(String),
    /// The configuration is wrong.
    Refused(Problems),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unreadable(_) => ExitCode::from(1),
            Self::Senseless(_) | Self::Refused(_) => ExitCode::from(2),
        }
    }

    /// What is said of it on standard error.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Unreadable(message) | Self::Senseless(message) => {
                format!("{}: {message}", paint::word("error"))
            }
            Self::Refused(problems) => {
                let told = problems.iter().map(|one| paint::finding(one.severity(), &one.to_string()));
                told.collect::<Vec<_>>().join("\n")
            }
        }
    }
}
