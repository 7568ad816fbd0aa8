//! What a lint is: its id, severities, meaning and standard. The rows are in `table`; the functions that look for
//! them are the rules.

mod page;
mod table;

use std::fmt;

pub use self::page::index;
use self::table::rows;
use crate::source::Profile;
use crate::suggest::nearest;

/// One lint: what a configuration must or should not say, under an id that never changes.
///
/// ```
/// let lint = sessions_policy::lint("SL032").ok_or("no such lint")?;
/// assert_eq!(lint.name(), "idle-gt-absolute");
/// assert_eq!(lint.to_string(), "SL032 idle-gt-absolute");
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Lint {
    id: &'static str,
    name: &'static str,
    rules: &'static [&'static str],
    production: Severity,
    development: Severity,
    suppression: Suppressible,
    judged: Judged,
    doc: &'static str,
    fix: &'static str,
    citation: &'static str,
}

impl Lint {
    /// Its stable id, such as `SL032`.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Its readable name, such as `idle-gt-absolute`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The names of the rules that look for it, as [`Problem::rule`](crate::Problem::rule) gives them.
    pub const fn rules(&self) -> &'static [&'static str] {
        self.rules
    }

    /// How much it weighs under a profile. A single finding may weigh less, where the page of the lint says so.
    pub const fn severity(&self, profile: Profile) -> Severity {
        match profile {
            Profile::Production => self.production,
            Profile::Development => self.development,
        }
    }

    /// Whether `allow` may suppress it.
    pub const fn suppressible(&self) -> Suppressible {
        self.suppression
    }

    /// Who judges it.
    pub const fn judged(&self) -> Judged {
        self.judged
    }

    /// What it looks for and why, in Markdown.
    pub const fn doc(&self) -> &'static str {
        self.doc
    }

    /// What to do about it, in Markdown.
    pub const fn fix(&self) -> &'static str {
        self.fix
    }

    /// The standard that asks for it; empty where none does.
    pub const fn citation(&self) -> &'static str {
        self.citation
    }
}

/// Id and name.
impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.name)
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Not told.
    Silent,
    /// Worth knowing.
    Info,
    /// Told, and accepted.
    Warning,
    /// Refused.
    Error,
}

impl Severity {
    /// The word that a message begins with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `allow` may suppress a lint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suppressible {
    /// All that it finds, with reason, owner and date.
    Yes,
    /// What it finds and doesn't refuse.
    Warnings,
    /// Nothing that it finds.
    No,
}

/// Who judges a lint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Judged {
    /// The compiler, the start and the command line: it depends on what is written alone.
    Everywhere,
    /// The start and the command line: it depends on profile, variables or the machine.
    AtStart,
    /// The store, when it is opened.
    OnOpening,
    /// The layer, for each request.
    OnRequests,
}

/// Every lint, in the order of the ids.
pub fn lints() -> impl Iterator<Item = &'static Lint> {
    rows()
}

/// The lint of that id or name.
pub fn lint(word: &str) -> Option<&'static Lint> {
    rows().find(|lint| lint.id.eq_ignore_ascii_case(word) || lint.name.eq_ignore_ascii_case(word))
}

/// The lint that the rule of this name looks for.
pub(crate) fn of_rule(rule: &str) -> &'static Lint {
    let own = rows().find(|lint| lint.rules.contains(&rule));
    own.or_else(|| lint("SL093")).expect("the table has a row for what is no rule's, as a test proves")
}

/// The id that a misspelt one most likely meant, whether an id or a name was meant.
pub(crate) fn nearest_id(word: &str) -> Option<String> {
    if let Some(lint) = lint(word) {
        return Some(lint.id.to_owned());
    }
    // Letters that look like digits are meant as such.
    let upper = word.to_ascii_uppercase();
    let look_alike = |rest: &str| format!("SL{}", rest.replace('O', "0").replace(['I', 'L'], "1"));
    let upper = upper.strip_prefix("SL").map(look_alike).unwrap_or(upper);
    let digits = upper.trim_start_matches(|c: char| !c.is_ascii_digit());
    let padded = digits.parse::<u16>().ok().map(|number| format!("SL{number:03}"));
    if let Some(lint) = padded.and_then(|id| lint(&id)) {
        return Some(lint.id.to_owned());
    }
    let names: Vec<&str> = rows().map(|lint| lint.name).collect();
    let ids: Vec<&str> = rows().map(|lint| lint.id).collect();
    let name = nearest(word, &names).and_then(|name| lint(&name)).map(|lint| lint.id.to_owned());
    name.or_else(|| nearest(&upper, &ids))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::rules;

    #[test]
    fn each_id_and_name_stands_once_and_in_order() {
        let ids: Vec<&str> = lints().map(Lint::id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert_eq!(lints().map(Lint::name).collect::<BTreeSet<_>>().len(), ids.len());
        for lint in lints() {
            assert!(lint.id.starts_with("SL") && lint.id.len() == 5, "{lint}");
            assert!(!lint.doc.is_empty() && !lint.fix.is_empty(), "{lint}");
        }
    }

    #[test]
    fn what_is_no_rules_is_a_lint_too() {
        assert_eq!(of_rule("no rule").id(), "SL093");
    }

    #[test]
    fn each_rule_looks_for_one_lint() {
        for rule in rules() {
            let lints = lints().filter(|lint| lint.rules.contains(&rule.name)).count();
            assert_eq!(lints, 1, "{}", rule.name);
        }
    }

    #[test]
    fn production_is_never_milder_than_development() {
        assert!(lints().all(|lint| lint.production >= lint.development));
    }

    #[test]
    fn what_is_an_error_in_every_profile_cannot_be_suppressed() {
        for lint in lints().filter(|lint| lint.development == Severity::Error) {
            assert_ne!(lint.suppression, Suppressible::Yes, "{lint}");
        }
    }

    #[test]
    fn a_slip_finds_the_id() {
        for (slip, id) in [
            ("sl10", "SL010"),
            ("SL0010", "SL010"),
            ("samesite-none", "SL010"),
            ("10", "SL010"),
            ("SL1O", "SL010"),
        ] {
            assert_eq!(nearest_id(slip).as_deref(), Some(id), "{slip}");
        }
        assert_eq!(nearest_id("same-site-none").as_deref(), Some("SL010"));
        assert_eq!(nearest_id("colour"), None);
    }
}
