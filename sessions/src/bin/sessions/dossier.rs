//! `sessions dossier`: the page for an auditor, of one profile.

use sessions_policy::dossier;

use crate::arguments::Dossier;
use crate::input::Input;
use crate::outcome::{Failure, Report};

pub(crate) fn run(arguments: &Dossier) -> Result<Report, Failure> {
    let input = Input::read(arguments.file.as_deref(), &arguments.environment)?;
    match dossier(&input.sources(input.one_profile())) {
        Ok(page) => Ok(Report { notes: input.notes, ..Report::fine(page) }),
        Err(problems) => Err(Failure::Refused(problems)),
    }
}
