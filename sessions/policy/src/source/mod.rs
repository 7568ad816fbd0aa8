//! The sources of a configuration, and the one path from them to a checked one.

mod code;
mod merged;
mod place;
mod profile;
mod toml;
mod variables;

pub use self::code::{Declaration, Entry, Literal};
pub(crate) use self::merged::Merged;
pub use self::profile::{Profile, UnknownProfile};
pub(crate) use self::toml::is_unreadable;

use std::fmt;

use crate::check::{Surroundings, check, lint};
use crate::configuration::Configuration;
use crate::date::Date;
use crate::problem::Problem;
use crate::problems::Problems;

/// Everything that a configuration is read from. Later sources override earlier ones: defaults and presets,
/// declarations in code, the file, the file's table of the profile, variables.
#[derive(Clone, Default)]
pub struct Sources {
    /// Policies declared in Rust.
    pub declarations: Vec<Declaration>,
    /// The policy file.
    pub file: Option<SourceFile>,
    /// The profile, whose table in the file is laid over the rest.
    pub profile: Profile,
    /// Variables as name and text. Those that don't begin with `SESSIONS_` are ignored.
    pub variables: Vec<(String, String)>,
    /// The names of policies that the build knew. At start a name that it didn't know is refused, and so is one
    /// that is gone. `None`: any name will do.
    pub known: Option<Vec<String>>,
    /// Who asks: it decides what is an error.
    pub stage: Stage,
    /// The day by which suppressions expire. `None`: none does.
    pub today: Option<Date>,
    /// Kinds of stores that the program has no code for, because it was built without their features.
    pub missing_kinds: Vec<&'static str>,
    /// Features of the crate `sessions` that the program was built without, and that a key may take.
    pub missing_features: Vec<&'static str>,
}

/// Who asks for a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The compiler: what is an error in every profile is one; all else is a warning.
    #[default]
    Build,
    /// The start of a program: what is an error under the profile is one, and what a variable weakens.
    Start,
    /// The command line: as the start, and expired suppressions are errors too.
    Tool,
}

/// A policy file that was read already.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, as problems shall print it.
    pub name: String,
    /// What it says, as TOML.
    pub text: String,
}

/// Without the text, which may hold secrets.
impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Without the variables' texts, which may hold secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Sources")
            .field("declarations", &self.declarations)
            .field("file", &self.file)
            .field("profile", &self.profile)
            .field("variables", &variables)
            .field("known", &self.known)
            .field("stage", &self.stage)
            .field("today", &self.today)
            .field("missing_kinds", &self.missing_kinds)
            .field("missing_features", &self.missing_features)
            .finish()
    }
}

impl Sources {
    /// Reads, merges and checks everything under [`profile`](Self::profile), as [`stage`](Self::stage) asks for it.
    /// What isn't an error is among the [`findings`](Configuration::findings).
    ///
    /// # Errors
    /// Every problem at once: syntax errors, unknown names, values of the wrong kind, broken rules.
    pub fn check(&self) -> Result<Configuration, Problems> {
        check(self, Surroundings::Whole)
    }

    /// Everything that the rules find under [`profile`](Self::profile): errors and what is only told, sorted by place.
    /// For a report; a program that starts wants [`check`](Self::check).
    pub fn lint(&self) -> Vec<Problem> {
        lint(self)
    }

    /// Checks what could be read, beside what was `refused` before it was.
    ///
    /// # Errors
    /// What was refused, with every problem that [`check`](Self::check) finds.
    pub fn check_beside(&self, refused: Vec<Problem>) -> Result<Configuration, Problems> {
        let checked = self.check();
        match (Problems::none_of(refused), checked) {
            (Ok(()), checked) => checked,
            (Err(refused), Ok(_)) => Err(refused),
            (Err(refused), Err(found)) => Err(refused.joined(found)),
        }
    }

    fn names_a_profile(&self) -> bool {
        let names = |file: &SourceFile| Profile::NAMES.iter().any(|name| file.text.contains(name));
        self.file.as_ref().is_some_and(names)
    }

    /// Whether the same file may be judged otherwise elsewhere: under another profile, or without the variables.
    pub(crate) fn may_differ(&self) -> bool {
        !self.variables.is_empty() || self.names_a_profile()
    }

    /// As `check`, for policies that no configuration surrounds: any store may be named.
    pub(crate) fn check_detached(&self) -> Result<Configuration, Problems> {
        check(self, Surroundings::None)
    }

    /// Checks as production and as development, which is what the compiler does, and gives the production one.
    ///
    /// # Errors
    /// As [`check`](Self::check), the problems of both, each once.
    pub fn check_every_profile(&self) -> Result<Configuration, Problems> {
        let under = |profile| Self { profile, ..self.clone() }.check();
        if !self.names_a_profile() {
            // Where no profile has a table, all say the same, and the compiler asks often.
            return under(Profile::Production);
        }
        match (under(Profile::Production), under(Profile::Development)) {
            (Err(production), Err(development)) => Err(production.joined(development)),
            (production, Ok(_)) => production,
            (Ok(_), Err(development)) => Err(development),
        }
    }
}
