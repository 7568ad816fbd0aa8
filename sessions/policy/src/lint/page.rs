//! The reference pages of the lints, printed from their table: one page a lint, and the list of all.

use std::fmt::Write as _;

use super::{Judged, Lint, Suppressible, lints};
use crate::source::Profile;

/// Adds text to the page; a `String` takes any.
macro_rules! line {
    ($page:expr, $($text:tt)*) => { writeln!($page, $($text)*).expect("a string takes any text") };
}

impl Lint {
    /// The page of this lint, as Markdown.
    pub fn page(&self) -> String {
        let mut page = format!("# {}: {}\n\n{}\n\n", self.id(), self.name(), self.doc());
        line!(page, "**Instead.** {}\n", self.fix());
        line!(page, "| in production | in development | suppressed by `allow` | judged |\n|---|---|---|---|");
        let [production, development] =
            [Profile::Production, Profile::Development].map(|profile| self.severity(profile));
        line!(
            page,
            "| {production} | {development} | {} | {} |",
            suppressible(self.suppressible()),
            judged(self.judged())
        );
        if !self.citation().is_empty() {
            line!(page, "\n**Asked for by** {}.", self.citation());
        }
        page
    }
}

/// The list of all lints, as Markdown; each links to its page, `ID.md`.
pub fn index() -> String {
    let mut page = String::from(
        "# Lints\n\n\
         An error fails the start; what is an error in both profiles fails the build too. A warning shows in the \
         build and at start. `allow = [{ rule = \"SL010\", reason = \"…\", owner = \"…\", until = \"2027-01-31\" }]` \
         in a policy suppresses what may be suppressed, up to that day.\n\n",
    );
    line!(page, "| id | name | production | development | suppressed by `allow` |\n|---|---|---|---|---|");
    for lint in lints() {
        line!(
            page,
            "| [{id}]({id}.md) | {} | {} | {} | {} |",
            lint.name(),
            lint.severity(Profile::Production),
            lint.severity(Profile::Development),
            suppressible(lint.suppressible()),
            id = lint.id(),
        );
    }
    page
}

fn suppressible(suppressible: Suppressible) -> &'static str {
    match suppressible {
        Suppressible::Yes => "yes",
        Suppressible::Warnings => "only its warnings",
        Suppressible::No => "no",
    }
}

fn judged(judged: Judged) -> &'static str {
    match judged {
        Judged::Everywhere => "by the compiler, at start, on the command line",
        Judged::AtStart => "at start, on the command line",
        Judged::OnOpening => "when the store is opened",
        Judged::OnRequests => "for each request",
    }
}
