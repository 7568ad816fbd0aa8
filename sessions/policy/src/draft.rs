//! What was written: for each policy and store the keys that some layer states, each with its origin. Made by
//! walking the merged layers by the table of keys; never `extract`ed, which would stop at the first error.

use std::collections::{BTreeMap, BTreeSet};

use figment::value::{Dict, Value};

use crate::keys::{Key, Kind, Table};
use crate::name::{nearest_name, refuse_name, refuse_policy_name};
use crate::origin::{Layer, Origin};
use crate::preset::{PRESETS, preset_names};
use crate::problem::Problem;
use crate::source::{Merged, Profile, is_unreadable};
use crate::suggest::{nearest, nearest_path};
use crate::suppress::Suppression;
use crate::value::{Setting, Spelling, read, shown};

/// One policy or store as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    /// Where it is declared.
    pub(crate) origin: Origin,
    order: usize,
    pub(crate) stated: BTreeMap<&'static str, Stated>,
    /// Keys whose values were refused: rules must not judge what stands in for them.
    pub(crate) broken: BTreeSet<&'static str>,
    /// What lints find here and is suppressed.
    pub(crate) allow: Vec<Suppression>,
}

impl Draft {
    /// Marks what can't be read: the key `dotted`, or every key of that table.
    fn break_all(&mut self, table: Table, dotted: &str) {
        let keys = table.rows().iter().map(Key::path);
        let within = keys.filter(|path| {
            *path == dotted || path.strip_prefix(dotted).is_some_and(|rest| rest.starts_with('.'))
        });
        self.broken.extend(within);
    }

    /// One that is there although nobody wrote it.
    pub(crate) fn undeclared(name: &str) -> Self {
        let (stated, broken) = (BTreeMap::new(), BTreeSet::new());
        let allow = Vec::new();
        Self { name: name.to_owned(), origin: Origin::Default, order: 0, stated, broken, allow }
    }
}

/// A value that some layer states.
#[derive(Clone, Debug)]
pub(crate) struct Stated {
    pub(crate) setting: Setting,
    pub(crate) origin: Origin,
    pub(crate) layer: Layer,
    /// Where each item of a list stands, if that is known.
    pub(crate) items: Vec<Origin>,
}

/// Everything that was written.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    /// In order of declaration.
    pub(crate) policies: Vec<Draft>,
    pub(crate) stores: Vec<Draft>,
    /// Policies and stores under a name or table that is refused: what they say is judged all the same.
    pub(crate) misplaced: Vec<(Table, Draft)>,
}

impl Drafts {
    /// Walks the merged layers. Every unknown name and every value of the wrong kind is a problem.
    pub(crate) fn read(merged: &Merged, problems: &mut Vec<Problem>) -> Self {
        let mut drafts = Self::default();
        let mut walk = Walk { merged, problems, misplaced: Vec::new() };
        let tables = merged.root.as_dict().into_iter().flatten();
        for (name, value) in tables.filter(|(_, value)| !is_unreadable(value)) {
            match Table::named(name) {
                Some(Table::Policies) => drafts.policies = walk.table(Table::Policies, name, value),
                Some(Table::Stores) => drafts.stores = walk.table(Table::Stores, name, value),
                None => {
                    let meant = walk.unknown_table(name, value).filter(|_| value.as_dict().is_some());
                    if let Some(table) = meant {
                        let drafts = walk.table(table, name, value);
                        walk.misplaced.extend(drafts.into_iter().map(|draft| (table, draft)));
                    }
                }
            }
        }
        drafts.misplaced = walk.misplaced;
        drafts
    }

    /// The policy of that name.
    pub(crate) fn policy(&self, name: &str) -> Option<&Draft> {
        self.policies.iter().find(|draft| draft.name == name)
    }

    /// What a policy may extend: one that stands under a misspelt table has its own problem.
    pub(crate) fn extensible(&self, name: &str) -> Option<&Draft> {
        let misplaced = self.misplaced.iter().filter(|(table, _)| *table == Table::Policies);
        self.policy(name).or_else(|| misplaced.map(|(_, draft)| draft).find(|draft| draft.name == name))
    }
}

struct Walk<'a> {
    merged: &'a Merged,
    problems: &'a mut Vec<Problem>,
    misplaced: Vec<(Table, Draft)>,
}

impl Walk<'_> {
    /// Refuses a table, and gives the one that was meant.
    fn unknown_table(&mut self, name: &str, value: &Value) -> Option<Table> {
        let origin = self.merged.key_origin(&[name.to_owned()], value);
        let tables: Vec<&str> = ["policies", "stores"].iter().chain(Profile::NAMES).copied().collect();
        let plural = [Table::Policies, Table::Stores].into_iter().find(|table| table.singular() == name);
        let suggestion = plural.map(|table| table.as_str().to_owned()).or_else(|| nearest(name, &tables));
        // Below a header that can't be read, keys stand at the top.
        if suggestion.is_none() && self.problems.iter().any(|problem| problem.rule() == "syntax") {
            return None;
        }
        let meant = suggestion.as_deref().and_then(Table::named);
        let message = format!("`{}` is not a table of a policy file", shown(name));
        let problem = Problem::new(origin, shown(name), "unknown_table", message).with_suggestion(suggestion);
        self.problems.push(problem.with_help(
            "the tables are `[policies.NAME]` and `[stores.NAME]`, also under `development` and `production`",
        ));
        meant
    }

    /// The entries of a table, which may be `written` in another way.
    fn table(&mut self, table: Table, written: &str, value: &Value) -> Vec<Draft> {
        let path = vec![written.to_owned()];
        let Some(dict) = value.as_dict() else {
            let message = format!("`{}` is a table, not a value", table.as_str());
            let origin = self.merged.key_origin(&path, value);
            let problem = Problem::new(origin, table.as_str(), "wrong_kind", message);
            self.problems.push(problem.with_help(format!("write `[{}.NAME]`", table.as_str())));
            return Vec::new();
        };
        let readable = dict.iter().filter(|(_, value)| !is_unreadable(value));
        let mut drafts: Vec<Draft> =
            readable.filter_map(|(name, value)| self.draft(table, written, name, value)).collect();
        drafts.sort_by_key(|draft| draft.order);
        drafts
    }

    fn draft(&mut self, table: Table, written: &str, name: &str, value: &Value) -> Option<Draft> {
        let mut path = vec![written.to_owned(), name.to_owned()];
        let full = format!("{}.{}", table.as_str(), shown(name));
        let declared = self.merged.places.declared(&path).cloned();
        let origin = match &declared {
            Some(place) => place.key.clone(),
            None => self.merged.key_origin(&path, value),
        };
        let refused = match table {
            Table::Policies => refuse_policy_name(name),
            Table::Stores => refuse_name(name),
        };
        if let Some(reason) = refused {
            let message = format!("`{full}`: the name {reason}");
            let problem = Problem::new(origin.clone(), full.clone(), "name", message);
            let problem = problem.with_suggestion(nearest_name(name));
            self.problems.push(problem.with_help("a name such as `user_default` has a to z, 0 to 9 and `_`"));
        }
        let Some(dict) = value.as_dict() else {
            if refused.is_some() {
                return None;
            }
            let message = format!("`{full}` is a table, not a value");
            let problem =
                Problem::new(self.merged.key_origin(&path, value), full.clone(), "wrong_kind", message);
            self.problems.push(problem.with_help(format!("write its keys under `[{full}]`")));
            return None;
        };
        if table == Table::Policies {
            self.refuse_profile_alone(&full, &path);
        }
        let order = declared.map_or(usize::MAX, |place| place.order);
        let (stated, broken) = (BTreeMap::new(), BTreeSet::new());
        let allow = Vec::new();
        let shown_name = if refused.is_some() { shown(name) } else { name.to_owned() };
        let mut draft = Draft { name: shown_name, origin, order, stated, broken, allow };
        self.keys(table, &mut path, dict, &mut draft);
        if refused.is_some() {
            self.misplaced.push((table, draft));
            return None;
        }
        Some(draft)
    }

    /// The names of policies are the same under every profile: handlers are bound to them at build time.
    fn refuse_profile_alone(&mut self, full: &str, path: &[String]) {
        let places = &self.merged.places;
        if places.get(Layer::File, path).is_some() || places.get(Layer::Code, path).is_some() {
            return;
        }
        let Some(place) = places.get(Layer::Profile, path) else { return };
        let message = format!("`{full}` stands in a profile only");
        let problem = Problem::new(place.key.clone(), full, "profile_alone", message);
        self.problems
            .push(problem.with_help(format!("declare `[{full}]`: a profile is laid over what there is")));
    }

    fn keys(&mut self, table: Table, path: &mut Vec<String>, dict: &Dict, draft: &mut Draft) {
        for (level, value) in dict {
            path.push(level.clone());
            let dotted = path[2..].join(".");
            match value {
                _ if is_unreadable(value) => draft.break_all(table, &dotted),
                Value::Dict(_, inner) if table.is_table(&dotted) => self.keys(table, path, inner, draft),
                _ if table.key(&dotted).is_some() => self.key(table, path, &dotted, value, draft),
                _ => self.unknown_key(table, path, &dotted, value),
            }
            path.pop();
        }
    }

    fn key(&mut self, table: Table, path: &[String], dotted: &str, value: &Value, draft: &mut Draft) {
        let Some(key) = table.key(dotted) else { return };
        let full = key.full(&draft.name);
        if key.is_reserved() {
            let message = format!("`{full}` comes with a later version");
            let problem = Problem::new(self.merged.key_origin(path, value), full, "later_version", message);
            self.problems.push(problem.with_help("drop the key: nothing reads it yet"));
            draft.broken.insert(key.path());
            return;
        }
        if key.kind() == Kind::Suppressions {
            self.suppressions(path, &full, value, draft);
            return;
        }
        let layer = self.merged.layer(value.tag());
        let spelling = if layer == Layer::Variable { Spelling::Text } else { Spelling::Typed };
        let origin = self.merged.value_origin(path, value);
        match read(key, value, spelling) {
            Ok(setting) => {
                let items = self.items(layer, path, &setting);
                draft.stated.insert(key.path(), Stated { setting, origin, layer, items });
            }
            Err(misfit) => {
                let message = format!("`{full}` {}", misfit.reason);
                let problem = Problem::new(origin, full, misfit.rule, message);
                let problem = if key.path() == "extends" {
                    self.advise_extends(problem, value, &draft.name)
                } else {
                    let problem = problem.with_suggestion(misfit.suggestion);
                    misfit.help.iter().fold(problem, Problem::with_help)
                };
                self.problems.push(problem);
                draft.broken.insert(key.path());
            }
        }
    }

    /// Where each item of a list stands. A variable's list has one place.
    fn items(&self, layer: Layer, path: &[String], setting: &Setting) -> Vec<Origin> {
        let Setting::List(items) = setting else { return Vec::new() };
        let place = |index: usize| {
            let item: Vec<String> = path.iter().cloned().chain([index.to_string()]).collect();
            Some(self.merged.places.get(layer, &item)?.value.clone())
        };
        (0..items.len()).map_while(place).collect()
    }

    /// What a policy can extend: the nearest, where one is near.
    fn advise_extends(&self, problem: Problem, value: &Value, own: &str) -> Problem {
        let policies = self.merged.root.as_dict().and_then(|root| root.get("policies")?.as_dict());
        let policies = policies.into_iter().flat_map(Dict::keys).map(String::as_str);
        let presets = PRESETS.iter().map(|preset| preset.name);
        let names: Vec<&str> = presets.chain(policies.filter(|name| *name != own)).collect();
        let near = value.as_str().and_then(|written| nearest(written, &names));
        let problem = problem.with_suggestion(near);
        let presets = preset_names();
        if value.as_array().is_some() {
            return problem
                .with_help(format!("write one name: a policy extends one other, or a preset: {presets}"));
        }
        problem.with_help(format!("write the name of a policy, or of a preset: {presets}"))
    }

    fn suppressions(&mut self, path: &[String], full: &str, value: &Value, draft: &mut Draft) {
        let whole = self.merged.value_origin(path, value);
        let layer = self.merged.layer(value.tag());
        let place = |part: &[&str]| {
            let item: Vec<String> =
                path.iter().cloned().chain(part.iter().map(ToString::to_string)).collect();
            let place = self.merged.places.get(layer, &item);
            place.map_or_else(
                || (whole.clone(), whole.clone()),
                |place| (place.key.clone(), place.value.clone()),
            )
        };
        draft.allow = Suppression::read_all(full, value, &place, self.problems);
    }

    /// Unknown keys never print their value.
    fn unknown_key(&mut self, table: Table, path: &[String], dotted: &str, value: &Value) {
        let full = format!("{}.{}.{}", table.as_str(), shown(&path[1]), shown(dotted));
        let origin = self.merged.key_origin(path, value);
        if table.is_table(dotted) {
            let message = format!("`{full}` is a table of keys, not a value");
            let example = table.rows().iter().find(|key| key.path().starts_with(dotted));
            let example = example.map(Key::path).unwrap_or_default();
            let problem = Problem::new(origin, full, "wrong_kind", message);
            self.problems.push(problem.with_help(format!("write its keys, such as `{example}`")));
            return;
        }
        let message = format!("`{full}` is not a key of a {}", table.singular());
        let paths = table.paths();
        if let Some((key, value)) = table.meant(dotted) {
            let problem =
                Problem::new(origin, full, "unknown_key", message).with_suggestion(Some(key.to_owned()));
            self.problems.push(match value {
                Some(value) => problem.with_help(format!("write `{key} = \"{value}\"`")),
                None => problem,
            });
            return;
        }
        let suggestion = nearest_path(dotted, &paths).or_else(|| {
            // A misspelt table, such as `transprt`.
            let tables: Vec<&str> = paths.iter().filter_map(|path| Some(path.split_once('.')?.0)).collect();
            nearest(dotted, &tables)
        });
        let problem = Problem::new(origin, full, "unknown_key", message);
        self.problems.push(match suggestion {
            Some(_) => problem.with_suggestion(suggestion),
            None => problem.with_help(format!("the keys there are {}", siblings(dotted, &paths))),
        });
    }
}

/// The keys and tables beside `dotted`, in quotes.
fn siblings(dotted: &str, paths: &[&str]) -> String {
    let table = dotted.rsplit_once('.').map(|(table, _)| format!("{table}.")).unwrap_or_default();
    let known = paths.iter().any(|path| path.starts_with(&table));
    let table = if known { table.as_str() } else { "" };
    let mut names: Vec<&str> = Vec::new();
    for rest in paths.iter().filter_map(|path| path.strip_prefix(table)) {
        let name = rest.split('.').next().unwrap_or(rest);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
