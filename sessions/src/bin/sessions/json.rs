//! The parts that the JSON reports share. Names and meanings are stable; new ones may be added.

use serde::Serialize;
use sessions_policy::{Origin, Problem};

/// A document, indented and with a line's end.
pub(crate) fn document(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("these reports are structs of texts and numbers, which serde_json can write") + "\n"
}

/// Where something is written.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Place<'a> {
    File {
        file: &'a str,
        line: u32,
        column: u32,
    },
    /// A file as a whole: what is wrong is something that it doesn't say.
    Document {
        file: &'a str,
    },
    Code {
        file: &'a str,
        line: u32,
        column: u32,
    },
    Variable {
        name: &'a str,
    },
    Preset {
        name: &'a str,
    },
    Default,
}

impl<'a> From<&'a Origin> for Place<'a> {
    fn from(origin: &'a Origin) -> Self {
        match origin {
            Origin::File { name, line, column } => Self::File { file: name, line: *line, column: *column },
            Origin::Document(file) => Self::Document { file },
            Origin::Code(file, line, column) => Self::Code { file, line: *line, column: *column },
            Origin::Variable(name) => Self::Variable { name },
            Origin::Preset(name) => Self::Preset { name },
            _ => Self::Default,
        }
    }
}

/// Something that a lint found.
#[derive(Debug, Serialize)]
pub(crate) struct Finding<'a> {
    severity: &'static str,
    lint: &'static str,
    name: &'static str,
    key: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    suggestion: Option<&'a str>,
    note: Option<&'a str>,
    origin: Place<'a>,
}

impl<'a> From<&'a Problem> for Finding<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            severity: problem.severity().as_str(),
            lint: problem.lint().id(),
            name: problem.lint().name(),
            key: problem.key(),
            message: problem.message(),
            help: problem.help(),
            suggestion: problem.suggestion(),
            note: problem.note(),
            origin: Place::from(problem.origin()),
        }
    }
}
