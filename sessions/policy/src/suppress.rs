//! Suppressions: `allow = [{ rule, reason, owner, until }]` as it is read, and what it takes away from what was found.

use figment::value::Value;

use crate::date::Date;
use crate::lint::{self, Lint, Severity, Suppressible};
use crate::origin::Origin;
use crate::problem::{Problem, Weight};
use crate::source::Profile;
use crate::suggest::nearest;
use crate::value::shown;

/// What each entry has to say.
const FIELDS: &[&str] = &["rule", "reason", "owner", "until"];
const LIST: &str = "write `allow = [{ rule = \"SL010\", reason = \"…\", owner = \"…\", until = \"2027-01-31\" }]`, with the brackets of a list";
const FORM: &str = "write `{ rule = \"SL010\", reason = \"…\", owner = \"…\", until = \"2027-01-31\" }`";

/// A decision to live with what a lint finds: an entry of `allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    lint: &'static Lint,
    reason: String,
    owner: String,
    until: Date,
    origin: Origin,
    /// The path of its last day, such as `policies.shop.allow.0.until`.
    full: String,
}

impl Suppression {
    /// The lint that it suppresses.
    pub fn lint(&self) -> &'static Lint {
        self.lint
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Who decided it.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its last day.
    pub fn until(&self) -> Date {
        self.until
    }

    /// Where its last day is written.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The policy or store that it is written in, such as `policies.shop`.
    pub fn of(&self) -> &str {
        self.full.rsplitn(4, '.').last().unwrap_or_default()
    }
}

impl Suppression {
    /// Reads the entries of the list `value` under the key `full`. `place` says where a part of it and its value stand:
    /// the list, an entry by its index, or a field of one.
    pub(crate) fn read_all(
        full: &str,
        value: &Value,
        place: &dyn Fn(&[&str]) -> (Origin, Origin),
        problems: &mut Vec<Problem>,
    ) -> Vec<Self> {
        let Some(items) = value.as_array() else {
            let message = format!("`{full}` is not a list of suppressions");
            problems.push(Problem::new(place(&[]).1, full, "bad_suppression", message).with_help(LIST));
            return Vec::new();
        };
        let read = |(index, item): (usize, &Value)| match Self::read(full, &index.to_string(), item, place) {
            Ok(suppression) => Some(suppression),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        items.iter().enumerate().filter_map(read).collect()
    }

    fn read(
        full: &str,
        index: &str,
        item: &Value,
        place: &dyn Fn(&[&str]) -> (Origin, Origin),
    ) -> Result<Self, Vec<Problem>> {
        let at = |field: &str, reason: String| {
            let part: &[&str] = if field.is_empty() { &[index] } else { &[index, field] };
            let key = format!("{full}.{}", part.join("."));
            let (own, value) = place(part);
            // A field that is none is wrong at its name.
            let origin = if field.is_empty() || FIELDS.contains(&field) { value } else { own };
            Problem::new(origin, key, "bad_suppression", format!("`{full}` {reason}"))
        };
        let Some(dict) = item.as_dict() else {
            return Err(vec![at("", "has an entry that is not a table".into()).with_help(FORM)]);
        };
        let mut found = Vec::new();
        let mut misspelt = Vec::new();
        for field in dict.keys().filter(|field| !FIELDS.contains(&field.as_str())) {
            let unknown =
                at(field, format!("has an entry with `{}`, which is not a field of one", shown(field)));
            let near = nearest(field, FIELDS);
            misspelt.extend(near.clone());
            found.push(unknown.with_suggestion(near).with_help(FORM));
        }
        let mut field = |name: &str| {
            let text = dict.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
            let is_misspelt = !dict.contains_key(name) && misspelt.iter().any(|near| near == name);
            if text.is_none() && !is_misspelt {
                let (part, state) = if dict.contains_key(name) { (name, "an empty") } else { ("", "no") };
                found.push(at(part, format!("has an entry with {state} `{name}`")).with_help(FORM));
            }
            text
        };
        let (rule, reason, owner, until) = (field("rule"), field("reason"), field("owner"), field("until"));
        let lint = rule.and_then(|rule| {
            known(rule, &|reason| at("rule", reason)).map_err(|refusal| found.push(*refusal)).ok()
        });
        let until = until.and_then(|text| {
            let date = text.parse::<Date>();
            date.map_err(|invalid| {
                let refusal = at(
                    "until",
                    format!("has an entry until \"{}\", which is no day of the calendar", shown(text)),
                );
                found.push(refusal.with_help(invalid.to_string()));
            })
            .ok()
        });
        match (lint, reason, owner, until) {
            (Some(lint), Some(reason), Some(owner), Some(until)) if found.is_empty() => Ok(Self {
                lint,
                reason: reason.to_owned(),
                owner: owner.to_owned(),
                until,
                origin: place(&[index, "until"]).1,
                full: format!("{full}.{index}.until"),
            }),
            _ => Err(found),
        }
    }

    fn excuses(&self, problem: &Problem) -> bool {
        let weight = problem.weight_under(Profile::Production);
        let may_be = weight < Severity::Error || problem.lint().suppressible() == Suppressible::Yes;
        self.lint == problem.lint() && may_be && !problem.is_refused_always()
    }

    /// Whether the same entry, which heirs have too.
    fn is_entry(&self, other: &Self) -> bool {
        self.origin == other.origin && self.full == other.full
    }

    fn unused(&self) -> Problem {
        let list = self.full.rsplitn(3, '.').last().unwrap_or_default();
        let message = format!("`{list}` suppresses {}, which finds nothing here", self.lint);
        let problem = Problem::new(self.origin.clone(), self.full.clone(), "unused_suppression", message);
        problem.with_help("drop the entry: it would hide what comes later").weighing(Weight::Warned)
    }

    fn expired(&self) -> Problem {
        let list = self.full.rsplitn(3, '.').last().unwrap_or_default();
        let message = format!("`{list}` suppresses {} until {}, which is over", self.lint, self.until);
        let help = "put right what it suppresses, or decide again until when it may stay";
        Problem::new(self.origin.clone(), self.full.clone(), "expired_suppression", message).with_help(help)
    }
}

/// The lint that `rule` names, if it may be suppressed.
fn known(rule: &str, problem: &impl Fn(String) -> Problem) -> Result<&'static Lint, Box<Problem>> {
    let Some(lint) = lint::lint(rule).filter(|lint| lint.id() == rule) else {
        let unknown = problem(format!("has an entry for \"{}\", which is not a lint", shown(rule)));
        let near = lint::nearest_id(rule);
        return Err(Box::new(match near {
            Some(_) => unknown.with_suggestion(near),
            None => unknown.with_help("write the id of a lint, such as `SL010`"),
        }));
    };
    if lint.suppressible() == Suppressible::No {
        let refused = problem(format!("has an entry for {lint}, which can't be suppressed"));
        return Err(Box::new(refused.with_help(format!("drop the entry. {}", lint.fix()))));
    }
    Ok(lint)
}

/// What is left of `found`, and what is to be said of suppressions that have expired by `today`. They still suppress:
/// no program stops on a date.
pub(crate) fn excuse(
    found: Vec<Problem>,
    suppressions: &[(String, Vec<Suppression>)],
    today: Option<Date>,
) -> Vec<Problem> {
    let is_excused = |problem: &Problem| {
        let of = suppressions.iter().filter(|(owner, _)| is_of(problem.key(), owner));
        of.flat_map(|(_, own)| own).any(|suppression| suppression.excuses(problem))
    };
    let mut left: Vec<Problem> = found.into_iter().filter(|problem| !is_excused(problem)).collect();
    let expired = suppressions.iter().flat_map(|(_, own)| own);
    let expired = expired.filter(|suppression| today.is_some_and(|today| suppression.until < today));
    left.extend(expired.map(Suppression::expired));
    left
}

/// What is to be said of suppressions that suppress nothing of `found`, which is everything before it is excused.
pub(crate) fn unused(found: &[Problem], suppressions: &[(String, Vec<Suppression>)]) -> Vec<Problem> {
    let entries = || suppressions.iter().flat_map(|(owner, own)| own.iter().map(move |entry| (owner, entry)));
    let used: Vec<&Suppression> = entries()
        .filter(|(owner, entry)| {
            found.iter().any(|problem| is_of(problem.key(), owner) && entry.excuses(problem))
        })
        .map(|(_, entry)| entry)
        .collect();
    let idle =
        entries().map(|(_, entry)| entry).filter(|entry| !used.iter().any(|other| other.is_entry(entry)));
    idle.map(Suppression::unused).collect()
}

/// Whether the full key is one of the policy or store `owner`, such as `policies.shop`.
fn is_of(key: &str, owner: &str) -> bool {
    key.strip_prefix(owner).is_some_and(|rest| rest.starts_with('.'))
}
