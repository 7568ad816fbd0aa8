//! What is wrong with a configuration: each problem with its place, reason, fix and nearest spelling. Not the
//! rules that find it.

use std::fmt::{self, Write as _};

use crate::lint::{self, Lint, Severity};
use crate::origin::Origin;
use crate::snippet::Snippet;
use crate::source::Profile;
use crate::value::{shown, without_quotes};

/// One thing that is wrong, or that is worth a warning.
///
/// It prints as the compiler's messages do:
///
/// ```text
/// error[SL032]: sessions.toml:14:16: `policies.admin.idle_timeout` (2h) is longer than `absolute_timeout` (1h)
///    |
/// 14 | idle_timeout = "2h"
///    |                ^^^^
///    = help: lower `idle_timeout`, or raise `absolute_timeout`: a session can't be idle past its end
///    = note: OWASP Session Management Cheat Sheet, Session Expiration
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    origin: Origin,
    key: String,
    rule: &'static str,
    lint: &'static Lint,
    weight: Weight,
    severity: Severity,
    message: String,
    help: Option<String>,
    suggestion: Option<String>,
    note: Option<String>,
    snippet: Option<Snippet>,
}

/// How much a finding weighs beside its lint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// What the lint says.
    OfTheLint,
    /// An error in every profile.
    Refused,
    /// A warning in every profile.
    Warned,
}

impl Problem {
    pub(crate) fn new(origin: Origin, key: impl Into<String>, rule: &'static str, message: String) -> Self {
        let lint = lint::of_rule(rule);
        let note = Some(lint.citation()).filter(|citation| !citation.is_empty()).map(str::to_owned);
        Self {
            origin,
            key: key.into(),
            rule,
            lint,
            weight: Weight::OfTheLint,
            severity: Severity::Error,
            message,
            help: None,
            suggestion: None,
            note,
            snippet: None,
        }
    }

    /// A variable that is refused before the settings are read, such as the one that names the file: `reason` is the
    /// end of a sentence that begins with its name.
    #[must_use]
    pub fn of_variable(variable: &str, reason: &str, help: &str) -> Self {
        let message = format!("`{}` {reason}", shown(variable));
        let origin = Origin::Variable(variable.to_owned());
        Self::new(origin, variable, "unknown_variable", message).with_help(help)
    }

    pub(crate) fn weighing(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    pub(crate) fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn with_note(mut self, note: impl AsRef<str>) -> Self {
        self.note = Some(match self.note.take() {
            Some(earlier) => format!("{earlier}; {}", note.as_ref()),
            None => note.as_ref().to_owned(),
        });
        self
    }

    /// Adds the line of `text` that it is about, if it is about the file `name`.
    pub(crate) fn quoting(mut self, name: &str, text: &str) -> Self {
        if let Origin::File { name: own, line, column } = &self.origin
            && own == name
        {
            self.snippet = Snippet::of(text, *line, *column, self.rule != "syntax");
        }
        self
    }

    /// At a closer place, if there is one.
    pub(crate) fn moved_to(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin.unwrap_or(self.origin);
        self
    }

    /// Adds to the help what else has a part in it.
    pub(crate) fn with_cause(mut self, cause: &str) -> Self {
        self.help = Some(match self.help.take() {
            Some(help) => format!("{help}; {cause}"),
            None => cause.to_owned(),
        });
        self
    }

    /// Its help as its place spells values: a variable has no quotes.
    pub(crate) fn spelt_for_its_place(mut self) -> Self {
        if let (Origin::Variable(_), Some(help)) = (&self.origin, &self.help) {
            self.help = Some(without_quotes(help));
        }
        self
    }

    /// What it weighs under a profile.
    pub(crate) fn weight_under(&self, profile: Profile) -> Severity {
        match self.weight {
            Weight::OfTheLint => self.lint.severity(profile),
            Weight::Refused => Severity::Error,
            Weight::Warned => Severity::Warning,
        }
    }

    /// Whether it is an error in every profile, which the compiler refuses.
    pub(crate) fn is_refused_always(&self) -> bool {
        [Profile::Production, Profile::Development]
            .into_iter()
            .all(|profile| self.weight_under(profile) == Severity::Error)
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

    /// The lint that the rule looks for.
    pub fn lint(&self) -> &'static Lint {
        self.lint
    }

    /// How much it weighs under the profile that it was judged under.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The standard that asks for it, and what else is to be known; `None` where there is none.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
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

impl Problem {
    /// The text of a compiler's message, which says `error` itself: with the place and the line of a file, without a
    /// place in code, which the compiler underlines.
    pub fn to_compiler_message(&self) -> String {
        let mut text = format!("[{}] ", self.lint.id());
        if matches!(self.origin, Origin::File { .. } | Origin::Document(_)) {
            text.extend([&self.origin.to_string(), ": "]);
        }
        text.push_str(&self.message);
        write!(text, "{}", Details(self)).expect("a string takes any text");
        text
    }

    /// The same on one line, for the note of a deprecation, which is how a macro can warn.
    pub fn to_deprecation_note(&self) -> String {
        let place = match &self.origin {
            Origin::Default => String::new(),
            origin => format!("{origin}: "),
        };
        let parts = [Some(&*self.message), self.help.as_deref(), self.note.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        place + &parts.join("; ")
    }
}

/// What stands below the first line.
struct Details<'a>(&'a Problem);

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { snippet, help, note, .. } = self.0;
        let gutter = " ".repeat(snippet.as_ref().map_or(1, Snippet::gutter));
        if let Some(snippet) = snippet {
            write!(f, "\n{snippet}")?;
        }
        if let Some(help) = help {
            write!(f, "\n{gutter} = help: {help}")?;
        }
        if let Some(note) = note {
            write!(f, "\n{gutter} = note: {note}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: ", self.severity, self.lint.id())?;
        match &self.origin {
            Origin::Default => f.write_str(&self.message)?,
            origin => write!(f, "{origin}: {}", self.message)?,
        }
        write!(f, "{}", Details(self))
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
        let text =
            "error[SL093]: sessions.toml:14:1: `ttl` is wrong\n  = help: did you mean `ttl2`? or drop it";
        assert_eq!(problem.to_string(), text);
        let quoting = problem.clone().quoting("sessions.toml", &("\n".repeat(13) + "ttl = 1"));
        let text = "14:1: `ttl` is wrong\n   |\n14 | ttl = 1\n   | ^^^\n   = help: ";
        assert!(quoting.to_string().contains(text), "{quoting}");
        assert_eq!(problem.suggestion(), Some("ttl2"));
    }
}
