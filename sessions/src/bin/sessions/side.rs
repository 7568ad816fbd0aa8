//! One side of a comparison, as the command line names it: `FILE@PROFILE+ENVFILE`, each part of which may be left out.

use std::path::{Path, PathBuf};

use sessions_policy::{Profile, UnknownProfile};

use crate::arguments::Environment;
use crate::input::Input;
use crate::outcome::Failure;

/// What the text of a side says.
#[derive(Debug, PartialEq, Eq)]
struct Side {
    file: Option<PathBuf>,
    profile: Option<Profile>,
    env_files: Vec<PathBuf>,
}

impl Side {
    /// The parts of `text`. A file whose name has these signs is taken for what it is, if it exists.
    fn parse(text: &str, exists: &dyn Fn(&Path) -> bool) -> Result<Self, UnknownProfile> {
        let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        if exists(Path::new(text)) {
            return Ok(Self { file: path(text), profile: None, env_files: Vec::new() });
        }
        let mut parts = text.split('+');
        let head = parts.next().unwrap_or_default();
        let env_files = parts.filter_map(path).collect();
        match head.rsplit_once('@') {
            Some((file, profile)) if !exists(Path::new(head)) => {
                Ok(Self { file: path(file), profile: Some(profile.parse()?), env_files })
            }
            _ => Ok(Self { file: path(head), profile: None, env_files }),
        }
    }
}

/// Reads a side. What the side doesn't say, `default` does.
pub(crate) fn read(text: &str, default: Option<Profile>) -> Result<Input, Failure> {
    let side = Side::parse(text, &|path| path.exists())
        .map_err(|unknown| Failure::Senseless(format!("`{text}`: {unknown}")))?;
    let profile = side.profile.or(default);
    let environment = Environment { profile, env: false, env_file: side.env_files };
    Input::read(side.file.as_deref(), &environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Side {
        Side::parse(text, &|path| path == Path::new("a@b+c.toml")).unwrap()
    }

    fn side(file: &str, profile: Option<Profile>, env_files: &[&str]) -> Side {
        let file = (!file.is_empty()).then(|| PathBuf::from(file));
        Side { file, profile, env_files: env_files.iter().map(PathBuf::from).collect() }
    }

    #[test]
    fn each_part_may_be_left_out() {
        assert_eq!(parse("s.toml"), side("s.toml", None, &[]));
        assert_eq!(parse("s.toml@development"), side("s.toml", Some(Profile::Development), &[]));
        assert_eq!(parse("@production"), side("", Some(Profile::Production), &[]));
        assert_eq!(parse("s.toml+a.env+b.env"), side("s.toml", None, &["a.env", "b.env"]));
        assert_eq!(parse("@production+a.env"), side("", Some(Profile::Production), &["a.env"]));
        assert_eq!(parse("+a.env"), side("", None, &["a.env"]));
    }

    #[test]
    fn a_file_with_such_a_name_is_a_file() {
        assert_eq!(parse("a@b+c.toml"), side("a@b+c.toml", None, &[]));
    }

    #[test]
    fn a_misspelt_profile_is_no_file() {
        assert!(Side::parse("s.toml@prodution", &|_| false).is_err());
    }
}
