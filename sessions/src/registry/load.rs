//! Where a program finds its settings when it starts, and what it says when they are wrong.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sessions_policy::{Date, Note, Problem, Problems, Profile, SourceFile, Sources, Stage, UnknownProfile};

use super::Declared;
use crate::store::StoreError;

/// Names the policy file to read.
const CONFIG: &str = "SESSIONS_CONFIG";
/// Names the profile: `production`, unless it says `development`.
const PROFILE: &str = "SESSIONS_PROFILE";
const PREFIX: &str = "SESSIONS_";

/// Why a registry could not be loaded. Its text is for the person who started the program, also where a `main` that
/// returns it prints its `Debug`.
#[non_exhaustive]
pub enum LoadError {
    /// The settings are wrong: every problem, each with its place and its fix.
    Configuration(Problems),
    /// The policy file can't be read, and no variable named it.
    File {
        /// The path as it was given.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// `SESSIONS_PROFILE` names another profile than the one that the program runs with.
    Profile {
        /// What was wrong with it.
        message: String,
    },
    /// A store is declared as `custom`, and the program binds none to its name.
    StoreNotBound {
        /// The store's name.
        store: String,
    },
    /// The program binds a store to a name that is declared with another kind than `custom`.
    StoreNotCustom {
        /// The store's name.
        store: String,
    },
    /// The program binds a store to a name that nothing declares.
    StoreNotDeclared {
        /// The name.
        store: String,
    },
    /// A policy names a transport as `custom`, and the program binds none to it.
    TransportNotBound {
        /// The policy's name.
        policy: String,
    },
    /// The program binds a transport to a policy that doesn't name one as `custom`.
    TransportNotCustom {
        /// The policy's name.
        policy: String,
    },
    /// The new settings are right, and some of them can't change while the program runs.
    NeedsRestart(Vec<Note>),
    /// A store can't be opened.
    StoreNotOpened {
        /// The store's name.
        store: String,
        /// Why.
        error: StoreError,
    },
    /// A store does not answer.
    StoreUnreachable {
        /// The store's name.
        store: String,
    },
}

impl LoadError {
    /// What a program should exit with: 1 if a store can't be opened or reached, 2 if the settings are wrong.
    pub fn exit_code(&self) -> std::process::ExitCode {
        match self {
            Self::StoreUnreachable { .. } | Self::StoreNotOpened { .. } => std::process::ExitCode::from(1),
            _ => std::process::ExitCode::from(2),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(problems) => problems.fmt(f),
            Self::File { path, error } => write!(
                f,
                "error: the policy file `{}` can't be read: {error}\n  = help: put it back, or name another by {CONFIG}",
                path.display()
            ),
            Self::Profile { message } => write!(f, "error: {PROFILE}: {message}"),
            Self::StoreNotBound { store } => write!(
                f,
                "error: `stores.{store}` is of kind \"custom\", and the program binds no store to it\n  = help: \
                 `Registry::builder().store(\"{store}\", …)` binds one"
            ),
            Self::StoreNotCustom { store } => write!(
                f,
                "error: the program binds a store to `{store}`, and `stores.{store}.kind` is not \"custom\"\n  = help: \
                 set `kind = \"custom\"`"
            ),
            Self::StoreNotDeclared { store } => write!(
                f,
                "error: the program binds a store to `{store}`, and nothing declares it\n  = help: add `[stores.{store}]` \
                 with `kind = \"custom\"`"
            ),
            Self::TransportNotBound { policy } => write!(
                f,
                "error: `policies.{policy}.transport` is \"custom\", and the program binds no transport to it\n  = help: \
                 `Registry::builder().transport::<P>(…)` binds one"
            ),
            Self::TransportNotCustom { policy } => write!(
                f,
                "error: the program binds a transport to `policies.{policy}`, whose `transport` is not \"custom\"\n  = help: \
                 set `adapter = \"custom\"`, or name it in `order`"
            ),
            Self::NeedsRestart(notes) => {
                for note in notes {
                    writeln!(f, "error: {}: {}", note.origin(), note.message())?;
                }
                f.write_str("  = help: start the program again, or put it back: nothing has changed")
            }
            Self::StoreNotOpened { store, error } => write!(
                f,
                "error: the store `{store}` can't be opened{}\n  = help: mend that, or check `stores.{store}`",
                causes(error)
            ),
            Self::StoreUnreachable { store } => write!(
                f,
                "error: the store `{store}` does not answer\n  = help: start it, or check `stores.{store}`"
            ),
        }
    }
}

impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { error, .. } => Some(error),
            Self::StoreNotOpened { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// What is behind an error, each after a colon, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        // Some errors repeat what is behind them.
        if !text.contains(&own) {
            text.extend([": ", &own]);
        }
        cause = error.source();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Settings that were read, and from which file, if there was one.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) sources: Sources,
    pub(super) path: Option<PathBuf>,
}

impl Read {
    /// The text of the policy file.
    pub(super) fn text(&self) -> Option<&str> {
        self.sources.file.as_ref().map(|file| file.text.as_str())
    }
}

/// The settings that the process was started with.
pub(super) fn of_process<D: Declared>() -> Result<Read, LoadError> {
    let mut variables = Vec::new();
    let mut refused = Vec::new();
    let mut profile = Profile::default();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)).map(str::to_owned) else {
            continue;
        };
        if name == CONFIG {
            continue;
        }
        let Ok(value) = value.into_string() else {
            let help = "write it as text, or unset it";
            refused.push(Problem::of_variable(&name, "is not UTF-8", help));
            continue;
        };
        if name == PROFILE {
            profile = parse_profile(&value, &mut refused);
        } else {
            variables.push((name, value));
        }
    }
    variables.sort();
    let (file, path) = file::<D>(&mut refused)?;
    read(Sources { file, profile, variables, ..of_build::<D>() }, path, refused)
}

/// The profile of that name; what names none is refused.
fn parse_profile(name: &str, refused: &mut Vec<Problem>) -> Profile {
    name.parse().unwrap_or_else(|error: UnknownProfile| {
        // In quotes, so that a space shows.
        let reason = format!("(\"{}\") names no profile", name.escape_debug());
        refused.push(Problem::of_variable(PROFILE, &reason, &format!("{error}")));
        // What was most likely meant decides how the rest is judged.
        error.suggestion().and_then(|near| near.parse().ok()).unwrap_or_default()
    })
}

/// What was read, unless something was refused on the way: then it comes with all that is wrong beside it.
fn read(sources: Sources, path: Option<PathBuf>, refused: Vec<Problem>) -> Result<Read, LoadError> {
    if !refused.is_empty() {
        sources.check_beside(refused).map_err(LoadError::Configuration)?;
    }
    Ok(Read { sources, path })
}

/// Settings that a test or a tool gives. The profile is among the variables, as it is for a process.
pub(super) fn given<D: Declared>(
    file: Option<&str>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Read, LoadError> {
    let mut sources = of_build::<D>();
    let mut refused = Vec::new();
    if let Some(text) = file {
        sources.file = Some(SourceFile { name: "given.toml".to_owned(), text: text.to_owned() });
    }
    for (name, value) in variables {
        if name == PROFILE {
            sources.profile = parse_profile(&value, &mut refused);
        } else {
            sources.variables.push((name, value));
        }
    }
    read(sources, None, refused)
}

/// What a key may take and this build has no code for.
const MISSING_FEATURES: &[&str] = &[
    #[cfg(not(feature = "encryption"))]
    "encryption",
    #[cfg(not(feature = "messagepack"))]
    "messagepack",
    #[cfg(not(feature = "postgres"))]
    "postgres",
    #[cfg(not(feature = "redis"))]
    "redis",
    #[cfg(not(feature = "sqlite"))]
    "sqlite",
];

/// What the build knew.
fn of_build<D: Declared>() -> Sources {
    Sources {
        declarations: D::declarations(),
        file: D::FILE
            .map(|file| SourceFile { name: format!("{} (as built)", file.name), text: file.text.to_owned() }),
        profile: Profile::default(),
        variables: Vec::new(),
        known: Some(D::NAMES.iter().map(|name| (*name).to_owned()).collect()),
        stage: Stage::Start,
        today: Some(Date::of(SystemTime::now())),
        missing_features: MISSING_FEATURES.to_vec(),
    }
}

/// Where the file is looked for: where `SESSIONS_CONFIG` says, else in the working directory.
#[cfg(feature = "watch")]
pub(super) fn path<D: Declared>() -> Option<PathBuf> {
    let named = std::env::var_os(CONFIG).map(PathBuf::from);
    named.or_else(|| D::FILE.map(|file| PathBuf::from(file.name)))
}

/// The file that `SESSIONS_CONFIG` names, else the one in the working directory, else the one of the build.
/// Where the named one can't be read, what else is wrong is judged by the one of the build.
fn file<D: Declared>(refused: &mut Vec<Problem>) -> Result<(Option<SourceFile>, Option<PathBuf>), LoadError> {
    if let Some(path) = std::env::var_os(CONFIG) {
        let path = PathBuf::from(path);
        return match std::fs::read_to_string(&path) {
            Ok(text) => Ok((Some(SourceFile { name: path.display().to_string(), text }), Some(path))),
            Err(error) => {
                refused.push(unreadable(&path, &error));
                Ok((of_build::<D>().file, None))
            }
        };
    }
    let built = of_build::<D>().file;
    let Some(embedded) = D::FILE else { return Ok((built, None)) };
    let path = PathBuf::from(embedded.name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((Some(SourceFile { name: embedded.name.to_owned(), text }), Some(path))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((built, None)),
        Err(error) => Err(LoadError::File { path, error }),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    // In quotes, so that a space shows.
    let reason = format!("names the file {:?}, which can't be read: {error}", path.display().to_string());
    Problem::of_variable(CONFIG, &reason, "name an existing file, or unset the variable")
}
