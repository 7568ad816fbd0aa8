//! `sessions completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;

use crate::arguments::{Arguments, Completions};
use crate::outcome::Report;

pub(crate) fn run(arguments: &Completions) -> Report {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    Report::fine(String::from_utf8_lossy(&script).into_owned())
}
