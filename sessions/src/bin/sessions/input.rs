//! What a command reads: the policy file, the profile and the variables. It says in words what that was.

use std::env;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sessions_policy::{Date, Declaration, Location, Problem, Profile, Severity, SourceFile, Sources, Stage};

use crate::arguments::Environment;
use crate::env_file;
use crate::outcome::Failure;

const CONFIG: &str = "SESSIONS_CONFIG";
const PROFILE: &str = "SESSIONS_PROFILE";
const PREFIX: &str = "SESSIONS_";
const DEFAULT: &str = "sessions.toml";

/// Everything that was read.
#[derive(Debug)]
pub(crate) struct Input {
    file: SourceFile,
    variables: Vec<(String, String)>,
    /// As an option, or else a variable, names it.
    pub(crate) profile: Option<Profile>,
    /// Policies that are declared in Rust.
    in_rust: Vec<String>,
    /// Where the variables are from.
    origins: Vec<String>,
    /// What the person should know beside the report.
    pub(crate) notes: Vec<String>,
}

impl Input {
    /// Reads the file, or the one that a start would find here, and what `environment` asks for.
    pub(crate) fn read(file: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        let file = read_file(file)?;
        let mut input = Self {
            file,
            variables: Vec::new(),
            profile: environment.profile,
            in_rust: Vec::new(),
            origins: Vec::new(),
            notes: Vec::new(),
        };
        let mut named = None;
        for path in &environment.env_file {
            let name = path.display().to_string();
            let variables = env_file::parse(&read(path)?)
                .map_err(|line| Failure::Senseless(format!("{name}:{line}: a line is `NAME=VALUE`")))?;
            input.take(variables, &name, &mut named)?;
        }
        if environment.env {
            input.take(of_this_process()?, "the environment", &mut named)?;
        } else {
            input.notes.extend(left_out(&names_of_this_process()));
        }
        input.profile = environment.profile.or(named);
        Ok(input)
    }

    /// Knows of policies that are declared in Rust.
    pub(crate) fn knowing(self, in_rust: &[String]) -> Self {
        Self { in_rust: in_rust.to_vec(), ..self }
    }

    /// Takes the variables that are settings; later ones override earlier ones.
    fn take(
        &mut self,
        variables: Vec<(String, String)>,
        from: &str,
        profile: &mut Option<Profile>,
    ) -> Result<(), Failure> {
        let mut count = 0;
        for (name, value) in variables {
            if name == PROFILE {
                let parsed = value.parse().map_err(|error| Failure::Senseless(format!("{PROFILE}: {error}")));
                *profile = Some(parsed?);
            } else if name.starts_with(PREFIX) && name != CONFIG {
                self.variables.retain(|(other, _)| *other != name);
                self.variables.push((name, value));
                count += 1;
            }
        }
        self.variables.sort();
        self.origins.push(format!("{} of {from}", counted(count, "variable")));
        Ok(())
    }

    /// The file's name.
    pub(crate) fn name(&self) -> &str {
        &self.file.name
    }

    /// The names of the variables that are laid over the file.
    pub(crate) fn variables(&self) -> Vec<&str> {
        self.variables.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// What was read, in words.
    pub(crate) fn told(&self) -> String {
        [std::slice::from_ref(&self.file.name), self.origins.as_slice()].concat().join(", ")
    }

    /// The profile of a command that looks at one.
    pub(crate) fn one_profile(&self) -> Profile {
        self.profile.unwrap_or_default()
    }

    /// The sources of a configuration, judged as a tool judges.
    pub(crate) fn sources(&self, profile: Profile) -> Sources {
        let declared = self.in_rust.iter().map(|name| Declaration {
            name: name.clone().into(),
            location: Location::new("Rust", 1, 1),
            entries: Vec::new().into(),
        });
        Sources {
            declarations: declared.collect(),
            file: Some(self.file.clone()),
            profile,
            variables: self.variables.clone(),
            stage: Stage::Tool,
            today: Some(Date::of(SystemTime::now())),
            ..Sources::default()
        }
    }
}

impl Input {
    /// Everything that is found. Of a policy that is declared in Rust only what is wrong where it stands: the rest of it
    /// isn't here to be judged.
    pub(crate) fn lint(&self, profile: Profile) -> Vec<Problem> {
        let mut found = self.sources(profile).lint();
        found.retain(|problem| problem.lint().id() == "SL093" || !self.is_in_rust(problem.key()));
        found
    }

    /// Whether a start would refuse it.
    pub(crate) fn is_refused(&self, profile: Profile) -> bool {
        self.lint(profile).iter().any(|problem| problem.severity() == Severity::Error)
    }

    fn is_in_rust(&self, key: &str) -> bool {
        let name = key.strip_prefix("policies.").and_then(|path| path.split('.').next());
        name.is_some_and(|name| self.in_rust.iter().any(|known| known == name))
    }
}

/// A number of things, such as `1 warning` or `2 warnings`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    match (thing.strip_suffix('y'), count) {
        (Some(stem), 0 | 2..) => format!("{count} {stem}ies"),
        _ => format!("{count} {thing}{plural}"),
    }
}

fn read_file(file: Option<&Path>) -> Result<SourceFile, Failure> {
    let (path, because) = match (file, env::var_os(CONFIG)) {
        (Some(path), _) => (path.to_owned(), ""),
        (None, Some(path)) => (PathBuf::from(path), ", which SESSIONS_CONFIG names,"),
        (None, None) => (PathBuf::from(DEFAULT), ""),
    };
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::Unreadable(format!("standard input can't be read: {error}")))?;
        return Ok(SourceFile { name: "standard input".to_owned(), text });
    }
    let name = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(SourceFile { name, text }),
        Err(error) => {
            let help = if file.is_none() && because.is_empty() {
                "\n  = help: name a file, or write one with `sessions init`"
            } else {
                ""
            };
            Err(Failure::Unreadable(format!("`{name}`{because} can't be read: {error}{help}")))
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::Unreadable(format!("`{}` can't be read: {error}", path.display())))
}

fn of_this_process() -> Result<Vec<(String, String)>, Failure> {
    let text = |name: String| match env::var(&name) {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(Failure::Senseless(format!("{name}: the value is not UTF-8"))),
    };
    names_of_this_process().into_iter().map(text).collect()
}

fn names_of_this_process() -> Vec<String> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(PREFIX) && name != CONFIG).collect();
    names.sort();
    names
}

/// What is said about variables that nobody asked to apply: a start would.
fn left_out(names: &[String]) -> Option<String> {
    let (first, others) = names.split_first()?;
    let what = if others.is_empty() {
        format!("{first} is set here and not applied")
    } else {
        format!("{first} and {} are set here and not applied", counted(others.len(), "other variable"))
    };
    Some(format!("{what}; `--env` applies what a start would"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted_in_words() {
        assert_eq!(counted(1, "policy"), "1 policy");
        assert_eq!(counted(0, "policy"), "0 policies");
        assert_eq!(counted(2, "warning"), "2 warnings");
    }
}
