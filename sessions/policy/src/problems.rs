//! Everything that is wrong with a configuration, together.

use std::collections::BTreeSet;
use std::fmt;

use crate::problem::Problem;

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
        Self::sort(&mut found);
        Self(found)
    }

    /// Sorts by place and leaves each once.
    pub(crate) fn sort(found: &mut Vec<Problem>) {
        found.sort_by(|a, b| (a.origin(), a.key(), a.rule()).cmp(&(b.origin(), b.key(), b.rule())));
        let mut seen = BTreeSet::new();
        found.retain(|problem| {
            seen.insert((
                problem.origin().clone(),
                problem.key().to_owned(),
                problem.rule(),
                problem.message().to_owned(),
            ))
        });
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
    use crate::origin::Origin;

    fn at(line: u32, key: &str) -> Problem {
        let origin = Origin::File { name: "sessions.toml".into(), line, column: 1 };
        Problem::new(origin, key, "test", format!("`{key}` is wrong"))
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
