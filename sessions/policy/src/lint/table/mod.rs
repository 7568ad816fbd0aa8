//! The table of lints: one row each, in the order of the ids, a file for each family.

mod cookies;
mod files;
mod lifetimes;
mod sessions;

use super::{Judged, Lint, Severity, Suppressible};

const fn lint(
    id: &'static str,
    name: &'static str,
    (production, development): (Severity, Severity),
    rules: &'static [&'static str],
    [doc, fix, citation]: [&'static str; 3],
) -> Lint {
    let suppression = match production {
        Severity::Error => Suppressible::No,
        _ => Suppressible::Yes,
    };
    let judged = Judged::Everywhere;
    Lint { id, name, rules, production, development, suppression, judged, doc, fix, citation }
}

impl Lint {
    const fn excusable(mut self) -> Self {
        self.suppression = Suppressible::Yes;
        self
    }

    const fn warns_too(mut self) -> Self {
        self.suppression = Suppressible::Warnings;
        self
    }

    const fn unexcused(mut self) -> Self {
        self.suppression = Suppressible::No;
        self
    }

    const fn judged_by(mut self, judged: Judged) -> Self {
        self.judged = judged;
        self
    }
}

/// Every row, in the order of the ids.
pub(super) fn rows() -> impl Iterator<Item = &'static Lint> {
    [cookies::LINTS, lifetimes::LINTS, sessions::LINTS, files::LINTS].into_iter().flatten()
}
