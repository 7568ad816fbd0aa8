//! `sessions diff`: what a deployment would change, and what of it protects less.

use serde::Serialize;
use sessions_policy::{Change, Difference, Strength, difference};

use crate::arguments::{Diff, FailOn, Format};
use crate::input::{Input, counted};
use crate::json::{Place, document};
use crate::outcome::{Failure, Outcome, Report};
use crate::{paint, side};

pub(crate) fn run(arguments: &Diff) -> Result<Report, Failure> {
    let before = side::read(&arguments.before, arguments.profile)?;
    let after = side::read(&arguments.after, arguments.profile)?;
    let [one, other] = [&before, &after].map(|input| input.sources(input.one_profile()));
    let found = difference(&one, &other);
    let mut notes = Vec::new();
    for input in [&before, &after] {
        if input.is_refused(input.one_profile()) {
            let named = told(input);
            notes.push(format!("a start would refuse {named}; `sessions check` says why"));
        }
    }
    let text = match arguments.output.format {
        Format::Text => in_words(&before, &after, &found),
        Format::Json => as_json(&before, &after, &found),
    };
    let outcome = match arguments.fail_on {
        Some(FailOn::Any) if !found.is_empty() => Outcome::Differs,
        Some(FailOn::Weaker) if count(&found, Strength::Weaker) > 0 => Outcome::Differs,
        _ => Outcome::Fine,
    };
    Ok(Report { text, notes, outcome })
}

/// What one side is, in words.
fn told(input: &Input) -> String {
    format!("{} as {}", input.told(), input.one_profile())
}

fn count(found: &[Difference], strength: Strength) -> usize {
    let of = |difference: &&Difference| matches!(difference, Difference::Changed(change) if change.strength() == strength);
    found.iter().filter(of).count()
}

fn in_words(before: &Input, after: &Input, found: &[Difference]) -> String {
    let mut text = String::new();
    line!(text, "from {}\nto   {}\n", told(before), told(after));
    let mut of = String::new();
    for difference in found {
        match difference {
            Difference::Added { table, name } => {
                line!(text, "{}", paint::painted(paint::STRONG, &format!("+ {}.{name}", table.as_str())));
            }
            Difference::Removed { table, name } => {
                line!(text, "{}", paint::painted(paint::STRONG, &format!("- {}.{name}", table.as_str())));
            }
            Difference::Changed(change) => {
                let owner = format!("~ {}.{}", change.key().table().as_str(), change.name());
                if owner != of {
                    line!(text, "{}", paint::painted(paint::STRONG, &owner));
                    of = owner;
                }
                line!(text, "{}", row(change));
            }
            _ => {}
        }
    }
    if found.is_empty() {
        text.push_str("nothing differs\n");
    } else {
        line!(text, "\n{}", summary(found));
    }
    text
}

/// A changed key on a line of its own, and on the next one who changed it.
fn row(change: &Change) -> String {
    let (before, after) = (change.before().unwrap_or("none"), change.after().unwrap_or("none"));
    let style = match change.strength() {
        Strength::Weaker => paint::BAD,
        Strength::Stronger => paint::GOOD,
        _ => paint::FAINT,
    };
    let strength = match change.strength() {
        Strength::Weaker | Strength::Stronger => {
            format!("  {}", paint::painted(style, change.strength().as_str()))
        }
        _ => String::new(),
    };
    let origin = |origin: Option<&sessions_policy::Origin>| {
        origin.map_or_else(|| "nowhere".to_owned(), ToString::to_string)
    };
    let places = format!("{} → {}", origin(change.origin_before()), origin(change.origin_after()));
    format!(
        "    {}: {before} → {after}{strength}\n        {}",
        change.key().path(),
        paint::painted(paint::FAINT, &places)
    )
}

fn summary(found: &[Difference]) -> String {
    let parts = [
        (found.iter().filter(|one| matches!(one, Difference::Added { .. })).count(), "added"),
        (found.iter().filter(|one| matches!(one, Difference::Removed { .. })).count(), "removed"),
        (count(found, Strength::Weaker), "weaker"),
        (count(found, Strength::Stronger), "stronger"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let all = counted(found.len(), "difference");
    if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
}

#[derive(Serialize)]
struct Document<'a> {
    before: OfSide<'a>,
    after: OfSide<'a>,
    weaker: usize,
    stronger: usize,
    differences: Vec<OfDifference<'a>>,
}

#[derive(Serialize)]
struct OfSide<'a> {
    file: &'a str,
    profile: &'static str,
    variables: Vec<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum OfDifference<'a> {
    Added {
        table: &'static str,
        name: &'a str,
    },
    Removed {
        table: &'static str,
        name: &'a str,
    },
    Changed {
        table: &'static str,
        name: &'a str,
        key: &'static str,
        strength: &'static str,
        before: Option<Value<'a>>,
        after: Option<Value<'a>>,
    },
}

#[derive(Serialize)]
struct Value<'a> {
    value: &'a str,
    origin: Place<'a>,
}

impl<'a> OfDifference<'a> {
    fn of(difference: &'a Difference) -> Option<Self> {
        Some(match difference {
            Difference::Added { table, name } => Self::Added { table: table.as_str(), name },
            Difference::Removed { table, name } => Self::Removed { table: table.as_str(), name },
            Difference::Changed(change) => Self::Changed {
                table: change.key().table().as_str(),
                name: change.name(),
                key: change.key().path(),
                strength: change.strength().as_str(),
                before: value(change.before(), change.origin_before()),
                after: value(change.after(), change.origin_after()),
            },
            _ => return None,
        })
    }
}

fn value<'a>(value: Option<&'a str>, origin: Option<&'a sessions_policy::Origin>) -> Option<Value<'a>> {
    Some(Value { value: value?, origin: Place::from(origin?) })
}

fn as_json(before: &Input, after: &Input, found: &[Difference]) -> String {
    let [before, after] = [before, after].map(|input| OfSide {
        file: input.name(),
        profile: input.one_profile().as_str(),
        variables: input.variables(),
    });
    document(&Document {
        before,
        after,
        weaker: count(found, Strength::Weaker),
        stronger: count(found, Strength::Stronger),
        differences: found.iter().filter_map(OfDifference::of).collect(),
    })
}
