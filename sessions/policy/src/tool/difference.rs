//! What changes between two configurations, key by key, and whether it protects less or more. Both may be wrong: what
//! can't be read has no value, and what is wrong elsewhere doesn't matter.

use std::collections::BTreeMap;

use super::Strength;
use crate::adapt::adapt;
use crate::draft::{Draft, Drafts};
use crate::explain::{SECRET, plain};
use crate::keys::{Key, Kind, Safer, Table};
use crate::origin::Origin;
use crate::resolve::resolve;
use crate::source::{Merged, Sources};
use crate::suppress::Suppression;
use crate::value::{Setting, read_fallback};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A policy or store that only the second configuration has.
    Added {
        /// Whether it is a policy or a store.
        table: Table,
        /// Its name.
        name: String,
    },
    /// A policy or store that only the first configuration has.
    Removed {
        /// Whether it is a policy or a store.
        table: Table,
        /// Its name.
        name: String,
    },
    /// A key that has another value.
    Changed(Change),
}

/// A key that has another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    name: String,
    key: &'static Key,
    before: Option<(String, Origin)>,
    after: Option<(String, Origin)>,
    strength: Strength,
}

impl Change {
    /// The policy or store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &'static Key {
        self.key
    }

    /// The value in the first configuration, as messages print it; a secret is `…`.
    pub fn before(&self) -> Option<&str> {
        self.before.as_ref().map(|(value, _)| value.as_str())
    }

    /// The value in the second configuration.
    pub fn after(&self) -> Option<&str> {
        self.after.as_ref().map(|(value, _)| value.as_str())
    }

    /// Where the value in the first configuration was written.
    pub fn origin_before(&self) -> Option<&Origin> {
        self.before.as_ref().map(|(_, origin)| origin)
    }

    /// Where the value in the second configuration was written.
    pub fn origin_after(&self) -> Option<&Origin> {
        self.after.as_ref().map(|(_, origin)| origin)
    }

    /// What the change does to the policy.
    pub fn strength(&self) -> Strength {
        self.strength
    }
}

/// What differs between two configurations: policies, then stores, each by name and in the order of the table of keys.
///
/// ```
/// use sessions_policy::{Difference, SourceFile, Sources, Strength, difference};
///
/// let sources = |ttl: &str| {
///     let text = format!("[policies.shop]\nextends = \"user_default\"\nttl = \"{ttl}\"\n");
///     Sources { file: Some(SourceFile { name: "sessions.toml".into(), text }), ..Sources::default() }
/// };
/// let found = difference(&sources("2h"), &sources("3h"));
/// let [Difference::Changed(change)] = found.as_slice() else { return Err("one change") };
/// assert_eq!((change.key().path(), change.strength()), ("ttl", Strength::Weaker));
/// # Ok::<(), &str>(())
/// ```
pub fn difference(before: &Sources, after: &Sources) -> Vec<Difference> {
    let (before, after) = (settled(before), settled(after));
    let mut found = Vec::new();
    let mut names: Vec<&(Table, String)> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for entry in names {
        let (table, name) = entry.clone();
        match (before.get(entry), after.get(entry)) {
            (Some(before), Some(after)) => {
                found.extend(changes(&name, table, before, after).map(Difference::Changed));
            }
            (None, _) => found.push(Difference::Added { table, name }),
            (_, None) => found.push(Difference::Removed { table, name }),
        }
    }
    found
}

/// What holds in one policy or store.
#[derive(Default)]
struct Settled {
    values: BTreeMap<&'static str, (Setting, Origin)>,
    allow: Vec<Suppression>,
}

fn settled(sources: &Sources) -> BTreeMap<(Table, String), Settled> {
    let merged = Merged::read(sources, &mut Vec::new());
    let drafts = Drafts::read(&merged, &mut Vec::new());
    let policies = drafts.policies.iter().map(|draft| {
        let mut resolved = resolve(draft, &drafts, &mut Vec::new());
        adapt(&mut resolved, &mut Vec::new());
        let values = resolved.values.into_iter().map(|(key, held)| (key, (held.setting, held.origin)));
        let settled = Settled { values: values.collect(), allow: resolved.allow };
        ((Table::Policies, draft.name.clone()), settled)
    });
    let mut settled: BTreeMap<(Table, String), Settled> = policies.collect();
    for draft in &drafts.stores {
        settled.insert((Table::Stores, draft.name.clone()), of_store(draft));
    }
    settled.entry((Table::Stores, "main".to_owned())).or_insert_with(|| of_store(&Draft::undeclared("main")));
    settled
}

fn of_store(draft: &Draft) -> Settled {
    let values = Table::Stores.rows().iter().filter_map(|key| {
        let stated =
            draft.stated.get(key.path()).map(|stated| (stated.setting.clone(), stated.origin.clone()));
        let default = || Some((read_fallback(key, key.fallback())?, Origin::Default));
        Some((key.path(), stated.or_else(default)?))
    });
    Settled { values: values.collect(), allow: draft.allow.clone() }
}

fn changes<'a>(
    name: &'a str,
    table: Table,
    before: &'a Settled,
    after: &'a Settled,
) -> impl Iterator<Item = Change> + 'a {
    table.rows().iter().filter(|key| !key.is_reserved()).filter_map(move |key| {
        let (before, after, strength) = if key.kind() == Kind::Suppressions {
            let (before, after) = (allowed(&before.allow), allowed(&after.allow));
            let strength = of_suppressions(before.as_ref(), after.as_ref())?;
            (before.map(listed), after.map(listed), strength)
        } else {
            let (before, after) = (before.values.get(key.path()), after.values.get(key.path()));
            if effect(before) == effect(after) {
                return None;
            }
            let strength = key.safer().judge(effect(before), effect(after));
            (before.map(|side| shown(key, side)), after.map(|side| shown(key, side)), strength)
        };
        Some(Change { name: name.to_owned(), key, before, after, strength })
    })
}

/// The value that has an effect: what is switched off has none.
fn effect(side: Option<&(Setting, Origin)>) -> Option<&Setting> {
    side.map(|(setting, _)| setting).filter(|setting| **setting != Setting::Word("off"))
}

fn shown(key: &Key, (setting, origin): &(Setting, Origin)) -> (String, Origin) {
    let text = if key.is_secret() { SECRET.to_owned() } else { plain(setting) };
    (text, origin.clone())
}

/// What is suppressed, and where the first of it is written.
type Allowed = (Vec<String>, Origin);

fn allowed(suppressions: &[Suppression]) -> Option<Allowed> {
    let first = suppressions.first()?;
    let mut ids: Vec<String> = suppressions.iter().map(|one| one.lint().id().to_owned()).collect();
    ids.sort();
    ids.dedup();
    Some((ids, first.origin().clone()))
}

fn listed((ids, origin): Allowed) -> (String, Origin) {
    (ids.join(", "), origin)
}

/// To suppress more is weaker; `None` where the same is suppressed.
fn of_suppressions(before: Option<&Allowed>, after: Option<&Allowed>) -> Option<Strength> {
    let list = |side: Option<&Allowed>| Setting::List(side.map(|(ids, _)| ids.clone()).unwrap_or_default());
    let (before, after) = (list(before), list(after));
    (before != after).then(|| Safer::Fewer.judge(Some(&before), Some(&after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Profile, SourceFile};

    fn sources(text: &str) -> Sources {
        let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
        Sources { file: Some(file), ..Sources::default() }
    }

    fn told(before: &Sources, after: &Sources) -> Vec<String> {
        let tell = |difference| match difference {
            Difference::Added { table, name } => format!("+ {}.{name}", table.as_str()),
            Difference::Removed { table, name } => format!("- {}.{name}", table.as_str()),
            Difference::Changed(change) => format!(
                "{}.{}: {} → {} {}",
                change.name(),
                change.key().path(),
                change.before().unwrap_or("none"),
                change.after().unwrap_or("none"),
                change.strength()
            ),
        };
        difference(before, after).into_iter().map(tell).collect()
    }

    #[test]
    fn a_configuration_does_not_differ_from_itself() {
        let one = sources("[policies.shop]\nextends = \"user_default\"\n[stores.main]\nmax_sessions = 5\n");
        assert_eq!(told(&one, &one), [""; 0]);
    }

    #[test]
    fn what_an_heir_inherits_changes_there_too() {
        let text = |ttl: &str| format!("[policies.a]\nttl = \"{ttl}\"\n[policies.b]\nextends = \"a\"\n");
        let (before, after) = (sources(&text("2h")), sources(&text("1h")));
        assert_eq!(told(&before, &after), ["a.ttl: 2h → 1h stronger", "b.ttl: 2h → 1h stronger"]);
    }

    #[test]
    fn what_is_off_is_none() {
        let before = sources("[policies.a]\nextends = \"user_default\"\n");
        let after = sources(
            "[policies.a]\nextends = \"user_default\"\nidle_timeout = \"off\"\nremember.ttl = \"off\"\n",
        );
        assert_eq!(told(&before, &after), ["a.idle_timeout: 30min → off weaker"]);
    }

    #[test]
    fn policies_stores_suppressions_and_variables_are_compared() {
        let before = sources("[policies.a]\n[policies.b]\n");
        let allow = "allow = [{ rule = \"SL010\", reason = \"r\", owner = \"o\", until = \"2999-01-31\" }]";
        let mut after = sources(&format!("[policies.b]\n{allow}\n[policies.c]\n[stores.other]\n"));
        after.variables = vec![("SESSIONS_STORES__MAIN__TIMEOUT".into(), "1s".into())];
        let expected = [
            "- policies.a",
            "b.allow: none → SL010 weaker",
            "+ policies.c",
            "main.timeout: 2s → 1s neutral",
            "+ stores.other",
        ];
        assert_eq!(told(&before, &after), expected);
    }

    #[test]
    fn profiles_are_compared() {
        let production = sources("[policies.a]\nttl = \"1h\"\n[development.policies.a]\nttl = \"9h\"\n");
        let development = Sources { profile: Profile::Development, ..production.clone() };
        assert_eq!(told(&production, &development), ["a.ttl: 1h → 9h weaker"]);
    }
}
