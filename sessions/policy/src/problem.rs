//! What is wrong with a configuration: each problem with its place, reason, fix and nearest spelling. Not the
//! rules that find it.

use std::collections::BTreeSet;
use std::fmt;

use crate::origin::Origin;

/// One thing that is wrong.
///
/// It prints as two lines:
///
/// ```text
/// error: sessions.toml:14:12: `policies.admin.idle_timeout` (2h) is longer than `absolute_timeout` (1h)
///   help: lower `idle_timeout`, or raise `absolute_timeout`: a session can't be idle past its end
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    origin: Origin,
    key: String,
    rule: &'static str,
    message: String,
    help: Option<String>,
    suggestion: Option<String>,
}

impl Problem {
    pub(crate) fn new(origin: Origin, key: impl Into<String>, rule: &'static str, message: String) -> Self {
        Self { origin, key: key.into(), rule, message, help: None, suggestion: None }
    }

    pub(crate) fn with_help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(match self.help.take() {
            Some(earlier) => format!("{earlier} {}", help.as_ref()),
            None => help.as_ref().to_owned(),
        });
        self
    }

    /// Adds the nearest spelling, which becomes part of the help.
    pub(crate) fn with_suggestion(mut self, suggestion: Option<String>) -> Self {
        if let Some(nearest) = &suggestion {
            self = self.with_help(format!("did you mean `{nearest}`?"));
        }
        self.suggestion = suggestion;
        self
    }

    /// Where it was written.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The full dotted path of the key, such as `policies.admin.idle_timeout`; of a variable that names no key,
    /// the variable's name; empty for a syntax error.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The stable name of the rule that was broken.
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How to put it right, the nearest spelling included.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The nearest valid spelling, where something is misspelt.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Default => write!(f, "error: {}", self.message)?,
            origin => write!(f, "error: {origin}: {}", self.message)?,
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration, at least one problem, sorted by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `Err` if anything was found: sorted by place, each once.
    pub(crate) fn none_of(found: Vec<Problem>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self::of(found)) }
    }

    /// Sorted by place, each once. The caller has at least one.
    fn of(mut found: Vec<Problem>) -> Self {
        found.sort_by(|a, b| (&a.origin, &a.key, a.rule).cmp(&(&b.origin, &b.key, b.rule)));
        let mut seen = BTreeSet::new();
        found.retain(|problem| {
            seen.insert((problem.origin.clone(), problem.key.clone(), problem.rule, problem.message.clone()))
        });
        Self(found)
    }

    /// These problems and those of `other`, each once.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self::of(self.0.into_iter().chain(other.0).collect())
    }

    /// The problems, sorted by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, key: &str) -> Problem {
        let origin = Origin::File { name: "sessions.toml".into(), line, column: 1 };
        Problem::new(origin, key, "test", format!("`{key}` is wrong"))
    }

    #[test]
    fn a_problem_prints_place_reason_and_fix() {
        let problem = at(14, "ttl").with_suggestion(Some("ttl2".into())).with_help("or drop it");
        let text = "error: sessions.toml:14:1: `ttl` is wrong\n  help: did you mean `ttl2`? or drop it";
        assert_eq!(problem.to_string(), text);
        assert_eq!(problem.suggestion(), Some("ttl2"));
    }

    #[test]
    fn problems_come_in_the_order_of_the_file_and_each_once() {
        let problems = Problems::none_of(vec![at(10, "b"), at(9, "a"), at(10, "b")]).unwrap_err();
        let keys: Vec<&str> = problems.iter().map(Problem::key).collect();
        assert_eq!(keys, ["a", "b"]);
    }

    #[test]
    fn nothing_wrong_is_no_error() {
        assert!(Problems::none_of(Vec::new()).is_ok());
    }
}
