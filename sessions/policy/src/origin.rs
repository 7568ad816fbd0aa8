//! Where a value was written, and which layer that place belongs to. Not what the value is.

use std::borrow::Cow;
use std::fmt;

/// The place that a value came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A place in a policy file; line and column count from 1, columns in characters.
    File {
        /// The file's name, as the caller gave it.
        name: String,
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
    },
    /// A policy file as a whole: what is wrong is something that it doesn't say.
    Document(String),
    /// A place in Rust source: file, line and column, both from 1.
    Code(Cow<'static, str>, u32, u32),
    /// An environment variable, by its name.
    Variable(String),
    /// A preset of this crate, by its name.
    Preset(&'static str),
    /// Nobody wrote it: the default of the table of keys.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Code(file, line, column) => write!(f, "{file}:{line}:{column}"),
            Self::Document(name) | Self::Variable(name) => f.write_str(name),
            Self::Preset(name) => write!(f, "preset `{name}`"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A place in Rust source, as generated code states it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The source file's path.
    pub file: Cow<'static, str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Location {
    /// The place `line:column` of `file`.
    pub const fn new(file: &'static str, line: u32, column: u32) -> Self {
        Self { file: Cow::Borrowed(file), line, column }
    }

    /// Where the function that calls this was called, for builders.
    #[track_caller]
    pub fn caller() -> Self {
        let here = std::panic::Location::caller();
        Self::new(here.file(), here.line(), here.column())
    }
}

impl From<Location> for Origin {
    fn from(location: Location) -> Self {
        Self::Code(location.file, location.line, location.column)
    }
}

/// The layers of configuration, the later overriding the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The table of keys.
    Default,
    /// A preset of this crate.
    Preset,
    /// Rust code.
    Code,
    /// The policy file.
    File,
    /// The file's table of the profile.
    Profile,
    /// A variable.
    Variable,
    /// No layer of its own: the value gave way to another key's, which is where it is from.
    Adapted,
}

impl Layer {
    /// The layer's name, for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Preset => "preset",
            Self::Code => "code",
            Self::File => "file",
            Self::Profile => "profile",
            Self::Variable => "variable",
            Self::Adapted => "adapted",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adapted => "gave way",
            layer => layer.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_editors_expect_it() {
        let file = Origin::File { name: "sessions.toml".into(), line: 14, column: 12 };
        assert_eq!(file.to_string(), "sessions.toml:14:12");
        assert_eq!(Origin::from(Location::new("src/main.rs", 3, 5)).to_string(), "src/main.rs:3:5");
        assert_eq!(Origin::Variable("SESSIONS_X".into()).to_string(), "SESSIONS_X");
        assert_eq!(Origin::Default.to_string(), "default");
    }

    #[test]
    fn the_environment_is_the_last_layer() {
        assert!(Layer::Default < Layer::Preset && Layer::Preset < Layer::Code && Layer::Code < Layer::File);
        assert!(Layer::File < Layer::Profile && Layer::Profile < Layer::Variable);
    }
}
