//! `sessions init`: a policy file to begin with. It never takes the place of one that is there, unless it is told to.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::arguments::Init;
use crate::outcome::{Failure, Report};

/// The file. A test sees to it that `check` has nothing to say of it.
const STARTER: &str = include_str!("starter.toml");

pub(crate) fn run(arguments: &Init) -> Result<Report, Failure> {
    if arguments.path == Path::new("-") {
        return Ok(Report::fine(STARTER.to_owned()));
    }
    let name = arguments.path.display();
    match write(&arguments.path, arguments.force) {
        Ok(()) => Ok(Report::fine(format!("wrote {name}; `sessions check {name}` checks it\n"))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Failure::Unreadable(format!("`{name}` is there already\n  = help: `--force` overwrites it")))
        }
        Err(error) => Err(Failure::Unreadable(format!("`{name}` can't be written: {error}"))),
    }
}

fn write(path: &Path, force: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // Creating and looking is one step, so that nothing comes in between.
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.write(true).open(path)?.write_all(STARTER.as_bytes())
}
