//! What can be asked for: commands and their options, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use sessions_policy::Profile;

use crate::outcome::EXIT_CODES;

/// Checks, explains and compares the policies of `sessions.toml`.
///
/// A command reads the file that it is given, else the one that `SESSIONS_CONFIG` names, else `./sessions.toml`.
/// Policies that are declared in Rust are the compiler's to check: the file doesn't hold them.
#[derive(Debug, Parser)]
#[command(name = "sessions", version, after_help = EXIT_CODES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(Check),
    Explain(Explain),
    Diff(Diff),
    Dossier(Dossier),
    Migrate(Migrate),
    Init(Init),
    /// Writes the JSON Schema of policy files, with which an editor completes and checks them
    ///
    /// `sessions schema > sessions.schema.json`, and `#:schema ./sessions.schema.json` as the first line of the policy
    /// file, for editors with Taplo, such as Even Better TOML.
    Schema,
    Completions(Completions),
}

/// Writes what an auditor asks about sessions, as Markdown: times, limits and cookies of each policy, deviations with
/// their reasons, each with the clause of OWASP ASVS 5.0 or NIST SP 800-63B-4.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Dossier {
    /// The policy file; `-` reads standard input
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) environment: Environment,
}

/// Moves the sessions of a store to the one that names it by `migrate_from`, while the application runs.
///
/// Every node has to run with that key before. It may be ended and run again: it goes on where it was. It takes a minute at
/// least, and tells how far it is once a second. When it is done, drop the key and the old store.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Migrate {
    /// The store that the sessions move to
    #[arg(default_value = "main")]
    pub(crate) store: String,
    /// The policy file; `-` reads standard input
    #[arg(short, long)]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) environment: Environment,
    /// Tells how far a migration is that another process runs, and moves nothing
    #[arg(long)]
    pub(crate) progress: bool,
}

/// Writes a policy file to begin with, with its keys explained.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Init {
    /// Where to write it; `-` writes to standard output
    #[arg(default_value = "sessions.toml")]
    pub(crate) path: PathBuf,
    /// Overwrites a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Writes the completions of a shell.
///
/// bash: `sessions completions bash > ~/.local/share/bash-completion/completions/sessions`
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Judges a policy file as a start would, and tells every problem with its place and its fix.
///
/// It judges as production and as development, unless `--profile` names one. An expired suppression, which a start
/// only warns of, is an error here.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Check {
    /// The policy file; `-` reads standard input
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) environment: Environment,
    /// A policy that is declared in Rust: the file and variables may speak of it, and it isn't judged as a whole
    #[arg(long, value_name = "NAME")]
    pub(crate) in_rust: Vec<String>,
    /// Exits with 2 if there is a warning, too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Tells which value each key of a policy has, and who set it.
///
/// With a key, the whole chain: default, preset, Rust, file, profile and variable, from the lowest layer to the value
/// that holds.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Explain {
    /// The policy, or a store as `stores.NAME`
    pub(crate) policy: String,
    /// The key, such as `ttl` or `transport.adapter`, or a table of keys, such as `transport`
    pub(crate) key: Option<String>,
    /// The policy file; `-` reads standard input
    #[arg(short, long)]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) environment: Environment,
    /// A policy that is declared in Rust: the file and variables may speak of it, and it isn't judged as a whole
    #[arg(long, value_name = "NAME")]
    pub(crate) in_rust: Vec<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Tells what a deployment would change: policies that come and go, and each key with its old and its new value.
///
/// A side is `FILE@PROFILE+ENVFILE`, each part of which may be left out: `sessions diff old.toml new.toml`,
/// `sessions diff @production @development`, `sessions diff sessions.toml sessions.toml+staging.env`. A change that
/// protects less is marked `weaker`, one that protects more `stronger`. No variables apply but those of the sides.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Diff {
    /// The side before the change
    #[arg(value_name = "FILE@PROFILE+ENVFILE")]
    pub(crate) before: String,
    /// The side after it
    #[arg(value_name = "FILE@PROFILE+ENVFILE")]
    pub(crate) after: String,
    /// The profile of a side that names none: `production` or `development`
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    pub(crate) profile: Option<Profile>,
    /// Exits with 3 if anything differs, or if something is weaker
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) fail_on: Option<FailOn>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Any,
    Weaker,
}

/// What is laid over the file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Environment {
    /// The profile: `production` or `development`
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    pub(crate) profile: Option<Profile>,
    /// Applies the `SESSIONS_…` variables of this environment, as a program that starts here would
    #[arg(long)]
    pub(crate) env: bool,
    /// Applies the `SESSIONS_…` variables of a file with a line `NAME=VALUE` for each
    #[arg(long, value_name = "ENVFILE")]
    pub(crate) env_file: Vec<PathBuf>,
}

/// How a report is written.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Output {
    /// How to write it: for people, or as JSON with stable names
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

fn profile(name: &str) -> Result<Profile, String> {
    name.parse().map_err(|unknown: sessions_policy::UnknownProfile| unknown.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        Arguments::command().debug_assert();
    }
}
