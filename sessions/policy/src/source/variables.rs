//! `SESSIONS_` variables as a figment provider. A variable that names no key is refused here, before it could
//! hide a whole table of a lower layer.

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Provider};

use super::Profile;
use super::place::{Place, Places};
use crate::keys::{Key, Kind, Table, variable_name};
use crate::origin::{Layer, Origin};
use crate::problem::Problem;
use crate::suggest::{nearest, nearest_path};
use crate::value::shown;

/// What figment calls this provider.
pub(crate) const NAME: &str = "variables";

const PREFIX: &str = "SESSIONS_";
/// They choose the file and the profile, and are no settings.
const NOT_SETTINGS: &[&str] = &["SESSIONS_CONFIG", "SESSIONS_PROFILE"];

/// The variables that name a key.
#[derive(Debug)]
pub(crate) struct Variables {
    data: Dict,
}

/// The names that variables may speak of.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) policies: Vec<String>,
    pub(crate) stores: Vec<String>,
}

impl Names {
    fn of(&self, table: Table) -> &[String] {
        match table {
            Table::Policies => &self.policies,
            Table::Stores => &self.stores,
        }
    }

    /// Every variable that would be a setting, for suggestions.
    fn variables(&self) -> Vec<String> {
        let of = |table: Table| {
            let keys =
                table.rows().iter().filter(|key| !key.is_reserved() && key.kind() != Kind::Suppressions);
            keys.flat_map(move |key| self.of(table).iter().map(move |name| key.variable(name)))
        };
        of(Table::Policies).chain(of(Table::Stores)).collect()
    }
}

impl Variables {
    /// Reads pairs of name and text.
    pub(crate) fn read(
        pairs: &[(String, String)],
        names: &Names,
        places: &mut Places,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut data = Dict::new();
        for (variable, text) in pairs {
            if !variable.starts_with(PREFIX) || NOT_SETTINGS.contains(&variable.as_str()) {
                continue;
            }
            match find(variable, names) {
                Ok((key, name)) => {
                    let levels =
                        [key.table().as_str(), name.as_str()].into_iter().chain(key.path().split('.'));
                    let path: Vec<String> = levels.map(str::to_owned).collect();
                    let origin = Origin::Variable(variable.clone());
                    let place = Place { key: origin.clone(), value: origin, order: usize::MAX };
                    places.insert(Layer::Variable, &path, place);
                    insert(&mut data, &path, Value::from(text.clone()));
                }
                Err(problem) => problems.push(*problem),
            }
        }
        Self { data }
    }
}

impl Provider for Variables {
    fn metadata(&self) -> Metadata {
        Metadata::named(NAME)
    }

    fn data(&self) -> Result<Map<figment::Profile, Dict>, Error> {
        Ok(Map::from([(figment::Profile::Global, self.data.clone())]))
    }
}

fn insert(dict: &mut Dict, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            dict.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = dict.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// The key that `variable` names and the name of its policy or store.
fn find(variable: &str, names: &Names) -> Result<(&'static Key, String), Box<Problem>> {
    let refuse = |reason: String| {
        let message = format!("`{}` {reason}", shown(variable));
        Problem::new(Origin::Variable(variable.to_owned()), variable, "unknown_variable", message)
    };
    let upper = variable.to_ascii_uppercase();
    if upper != variable {
        let problem = refuse("has lower-case letters".into());
        let spelling =
            if find(&upper, names).is_ok() { Some(upper) } else { nearest(&upper, &names.variables()) };
        return Err(Box::new(problem.with_suggestion(spelling).with_help("variables are in capitals")));
    }
    let lower = variable[PREFIX.len()..].to_ascii_lowercase();
    let levels: Vec<&str> = lower.split("__").collect();
    let [table, name, path @ ..] = levels.as_slice() else {
        return Err(Box::new(advised(refuse("names no setting".into()), variable, names)));
    };
    if Profile::NAMES.contains(table) {
        let without = variable_name(levels[1..].iter().copied());
        let problem = refuse("names a profile".into()).with_suggestion(Some(without));
        return Err(Box::new(
            problem.with_help("`SESSIONS_PROFILE` chooses the profile; variables override it"),
        ));
    }
    let Some(table) = Table::named(table) else {
        return Err(Box::new(advised(refuse("names no setting".into()), variable, names)));
    };
    if !names.of(table).iter().any(|known| known == name) {
        let problem = refuse(format!("names no {}: there is no `{}`", table.singular(), shown(name)));
        let spelling = nearest(name, names.of(table)).map(|near| {
            let levels = [table.as_str(), near.as_str()].into_iter().chain(path.iter().copied());
            variable_name(levels)
        });
        return Err(Box::new(match spelling {
            Some(_) => problem.with_suggestion(spelling),
            None => advised(problem, variable, names),
        }));
    }
    let path = path.join(".");
    if let Some(key) = table.key(&path) {
        if key.kind() == Kind::Suppressions {
            let problem = refuse("can't be set by a variable".into());
            return Err(Box::new(problem.with_help("write it in the file, where it is reviewed")));
        }
        return if key.is_reserved() {
            Err(Box::new(refuse("comes with a later version".into()).with_help("remove the variable")))
        } else {
            Ok((key, (*name).to_owned()))
        };
    }
    if path.is_empty() || table.is_table(&path) {
        let first = table.rows().iter().find(|key| path.is_empty() || key.path().starts_with(&path));
        let example = first.map(|key| key.variable(name)).unwrap_or_default();
        let problem = refuse("names a whole table".into());
        return Err(Box::new(problem.with_help(format!("name one of its keys, such as `{example}`"))));
    }
    let meant = table.meant(&path).map(|(key, _)| key.to_owned());
    let spelling = meant.or_else(|| nearest_path(&path, &table.paths()));
    let spelling = spelling.and_then(|path| Some(table.key(&path)?.variable(name)));
    let problem = refuse(format!("names no key of a {}", table.singular()));
    if spelling.is_some() {
        return Err(Box::new(problem.with_suggestion(spelling)));
    }
    let example = table.rows().first().map(|key| key.variable(name)).unwrap_or_default();
    Err(Box::new(problem.with_help(format!("name a key of the reference, such as `{example}`, or unset it"))))
}

fn advised(problem: Problem, variable: &str, names: &Names) -> Problem {
    let mut variables = names.variables();
    variables.extend(NOT_SETTINGS.iter().map(|name| (*name).to_owned()));
    let spelling = nearest(variable, &variables).or_else(|| {
        // The table may be left out, as in `SESSIONS_ADMIN__TTL`, and underscores with it.
        let plain = |text: &str| text.replace('_', "");
        let rest = plain(variable.strip_prefix(PREFIX)?);
        let mut whole = variables.iter().filter(|name| {
            let path = name[PREFIX.len()..].split_once("__").map(|(_, path)| plain(path));
            path.is_some_and(|path| path == rest)
        });
        whole.next().cloned()
    });
    problem.with_suggestion(spelling).with_help(
        "a setting is `SESSIONS_POLICIES__NAME__KEY` or `SESSIONS_STORES__NAME__KEY`, with `__` between levels",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(variable: &str) -> Problem {
        let names =
            Names { policies: vec!["user_default".into(), "admin".into()], stores: vec!["main".into()] };
        *find(variable, &names).unwrap_err()
    }

    #[test]
    fn a_slip_in_any_level_finds_the_variable() {
        let right = Some("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT");
        for slip in [
            "SESSIONS_POLICES__USER_DEFAULT__IDLE_TIMEOUT",
            "SESSIONS_POLICIES__USER_DEFALT__IDLE_TIMEOUT",
            "SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMOUT",
            "SESSIONS_POLICIES_USER_DEFAULT_IDLE_TIMEOUT",
            "SESSIONS_policies__user_default__idle_timeout",
            "SESSIONS_PRODUCTION__POLICIES__USER_DEFAULT__IDLE_TIMEOUT",
        ] {
            assert_eq!(refused(slip).suggestion(), right, "{slip}");
            assert_eq!(refused(slip).rule(), "unknown_variable");
        }
    }

    #[test]
    fn a_key_of_a_table_is_found_without_it() {
        let problem = refused("SESSIONS_POLICIES__ADMIN__COOKIE_SAMESITE");
        assert_eq!(problem.suggestion(), Some("SESSIONS_POLICIES__ADMIN__TRANSPORT__COOKIE_SAMESITE"));
    }

    #[test]
    fn a_variable_without_its_table_is_found() {
        let right = Some("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT");
        for slip in ["SESSIONS_USER_DEFAULT__IDLE_TIMEOUT", "SESSIONS_USER_DEFAULT_IDLE_TIMEOUT"] {
            assert_eq!(refused(slip).suggestion(), right, "{slip}");
        }
        assert_eq!(refused("SESSIONS_MAIN__KIND").suggestion(), Some("SESSIONS_STORES__MAIN__KIND"));
        assert_eq!(refused("SESSIONS_PROFIL").suggestion(), Some("SESSIONS_PROFILE"));
        assert_eq!(refused("SESSIONS_CONFG").suggestion(), Some("SESSIONS_CONFIG"));
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for variable in
            ["SESSIONS_X", "SESSIONS_POLICIES__ADMIN__FOO", "SESSIONS_STORES__MAIN__FOO", "SESSIONS_x"]
        {
            assert!(refused(variable).help().is_some(), "{variable}");
        }
    }

    #[test]
    fn a_whole_table_is_refused() {
        for variable in
            ["SESSIONS_POLICIES__ADMIN__TRANSPORT", "SESSIONS_POLICIES__ADMIN", "SESSIONS_STORES__MAIN"]
        {
            assert!(refused(variable).message().ends_with("names a whole table"), "{variable}");
        }
    }

    #[test]
    fn nonsense_is_refused_without_a_panic() {
        for variable in [
            "SESSIONS_",
            "SESSIONS___",
            "SESSIONS____X",
            "SESSIONS_Ü",
            "SESSIONS_X",
            "SESSIONS_STORES__MAIN__",
        ] {
            assert_eq!(refused(variable).rule(), "unknown_variable", "{variable}");
        }
    }
}
