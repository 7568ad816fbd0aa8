//! Declarations in Rust: the form that generated code and the builder state them in, and their figment provider.

use std::borrow::Cow;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Provider};

use super::place::{Place, Places};
use crate::keys::{Key, Table};
use crate::origin::{Layer, Location, Origin};
use crate::problem::Problem;
use crate::value::shown;

/// What figment calls this provider.
pub(crate) const NAME: &str = "code";

/// A policy declared in Rust: its name and the keys that it states. Every constructor is `const`.
///
/// ```
/// use sessions_policy::{Declaration, Entry, Literal, Location};
///
/// const CHECKOUT: Declaration = {
///     const ENTRIES: &[Entry] =
///         &[Entry::new("ttl", Literal::text("20min"), Location::new("src/checkout.rs", 7, 12))];
///     Declaration::new("checkout", Location::new("src/checkout.rs", 7, 1), ENTRIES)
/// };
/// assert_eq!(CHECKOUT.name, "checkout");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The policy's name.
    pub name: Cow<'static, str>,
    /// Where it is declared.
    pub location: Location,
    /// What it states.
    pub entries: Cow<'static, [Entry]>,
}

impl Declaration {
    /// A declaration whose parts are constants.
    pub const fn new(name: &'static str, location: Location, entries: &'static [Entry]) -> Self {
        Self { name: Cow::Borrowed(name), location, entries: Cow::Borrowed(entries) }
    }
}

/// One key that a declaration states.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The dotted path of the key, such as `transport.cookie_samesite`.
    pub key: Cow<'static, str>,
    /// Its value.
    pub value: Literal,
    /// Where it is written.
    pub location: Location,
}

impl Entry {
    /// An entry whose parts are constants.
    pub const fn new(key: &'static str, value: Literal, location: Location) -> Self {
        Self { key: Cow::Borrowed(key), value, location }
    }
}

/// A value as code writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Literal {
    /// Text: a duration, a size, a word, a name.
    Text(Cow<'static, str>),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A list of texts that is a constant.
    List(&'static [&'static str]),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of tables of texts that is a constant, such as `allow` has.
    Tables(&'static [&'static [(&'static str, &'static str)]]),
    /// A list of tables of texts.
    Entries(Vec<Vec<(String, String)>>),
}

impl Literal {
    /// A text that is a constant.
    pub const fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<&'static str> for Literal {
    fn from(text: &'static str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Literal {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i32> for Literal {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<Vec<String>> for Literal {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<&Literal> for Value {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Text(text) => Self::from(text.as_ref()),
            Literal::Integer(number) => Self::from(*number),
            Literal::Bool(truth) => Self::from(*truth),
            Literal::List(items) => Self::from(*items),
            Literal::Texts(items) => Self::from(items.clone()),
            Literal::Tables(tables) => {
                tables.iter().map(|table| dict(table.iter().copied())).collect::<Vec<_>>().into()
            }
            Literal::Entries(tables) => {
                let pairs =
                    |table: &Vec<(String, String)>| dict(table.iter().map(|(key, text)| (&**key, &**text)));
                tables.iter().map(pairs).collect::<Vec<_>>().into()
            }
        }
    }
}

fn dict<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    Value::from(pairs.map(|(key, text)| (key.to_owned(), Value::from(text))).collect::<Dict>())
}

/// The declarations as one layer.
#[derive(Debug)]
pub(crate) struct Code {
    policies: Dict,
}

impl Code {
    /// Reads declarations; what is declared twice is a problem, and its first declaration holds.
    pub(crate) fn read(
        declarations: &[Declaration],
        places: &mut Places,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut policies = Dict::new();
        for (index, declaration) in declarations.iter().enumerate() {
            let name = declaration.name.as_ref();
            let full = format!("policies.{}", shown(name));
            if policies.contains_key(name) {
                let message = format!("`{full}` is declared twice in code");
                let problem =
                    Problem::new(declaration.location.clone().into(), full, "declared_twice", message);
                problems.push(problem.with_help("give one of them another name"));
                continue;
            }
            let mut reader = EntryReader {
                name,
                // Places of code come after those of any file.
                order: usize::MAX / 2 + index,
                places,
                problems,
            };
            reader.places.insert(
                Layer::Code,
                &["policies".to_owned(), name.to_owned()],
                reader.place(&declaration.location),
            );
            let mut dict = Dict::new();
            for entry in declaration.entries.iter() {
                reader.insert(&mut dict, entry);
            }
            policies.insert(name.to_owned(), dict.into());
        }
        Self { policies }
    }

    /// The names of the policies, in the order of their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.policies.keys().map(String::as_str)
    }
}

impl Provider for Code {
    fn metadata(&self) -> Metadata {
        Metadata::named(NAME)
    }

    fn data(&self) -> Result<Map<figment::Profile, Dict>, Error> {
        let root = Dict::from([("policies".to_owned(), Value::from(self.policies.clone()))]);
        Ok(Map::from([(figment::Profile::Default, root)]))
    }
}

struct EntryReader<'a> {
    name: &'a str,
    order: usize,
    places: &'a mut Places,
    problems: &'a mut Vec<Problem>,
}

impl EntryReader<'_> {
    fn place(&self, location: &Location) -> Place {
        let origin = Origin::from(location.clone());
        Place { key: origin.clone(), value: origin, order: self.order }
    }

    fn insert(&mut self, dict: &mut Dict, entry: &Entry) {
        let levels: Vec<&str> = entry.key.split('.').collect();
        let mut path = vec!["policies".to_owned(), self.name.to_owned()];
        let mut dict = dict;
        for level in &levels[..levels.len() - 1] {
            path.push((*level).to_owned());
            self.places.insert(Layer::Code, &path, self.place(&entry.location));
            let inner = dict.entry((*level).to_owned()).or_insert_with(|| Dict::new().into());
            let Value::Dict(_, inner) = inner else {
                return self.refuse(entry, "unknown_key", "is not a key of a policy", "drop it");
            };
            dict = inner;
        }
        let last = levels[levels.len() - 1].to_owned();
        path.push(last.clone());
        if dict.contains_key(&last) {
            return self.refuse(entry, "stated_twice", "is stated twice", "drop one of the two");
        }
        if Table::Policies.is_table(&entry.key) {
            let first = Table::Policies.rows().iter().find(|key| key.path().starts_with(&*entry.key));
            let example = first.map(Key::path).unwrap_or_default();
            let help = format!("write its keys, such as `{example}`");
            return self.refuse(entry, "wrong_kind", "is a table of keys, not a value", &help);
        }
        self.places.insert(Layer::Code, &path, self.place(&entry.location));
        dict.insert(last, Value::from(&entry.value));
    }

    fn refuse(&mut self, entry: &Entry, rule: &'static str, reason: &str, help: &str) {
        let full = format!("policies.{}.{}", shown(self.name), shown(&entry.key));
        let message = format!("`{full}` {reason}");
        self.problems.push(Problem::new(entry.location.clone().into(), full, rule, message).with_help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32) -> Location {
        Location::new("src/main.rs", line, 5)
    }

    fn entry(key: &'static str, line: u32) -> Entry {
        Entry::new(key, Literal::text("1h"), at(line))
    }

    fn problems(entries: Vec<Entry>) -> Vec<Problem> {
        let declaration = Declaration { name: "a".into(), location: at(1), entries: entries.into() };
        let mut problems = Vec::new();
        Code::read(&[declaration], &mut Places::default(), &mut problems);
        problems
    }

    #[test]
    fn a_key_that_is_stated_twice_is_refused_where_it_is_repeated() {
        let found = problems(vec![entry("ttl", 2), entry("ttl", 3)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].origin().to_string(), "src/main.rs:3:5");
        assert_eq!(found[0].rule(), "stated_twice");
    }

    #[test]
    fn a_table_is_not_a_value() {
        assert_eq!(problems(vec![entry("transport", 2)])[0].rule(), "wrong_kind");
        assert_eq!(problems(vec![entry("ttl", 2), entry("ttl.x", 3)])[0].rule(), "unknown_key");
    }

    #[test]
    fn a_policy_that_is_declared_twice_is_refused() {
        let declaration = Declaration::new("a", at(1), &[]);
        let again = Declaration::new("a", at(9), &[]);
        let mut problems = Vec::new();
        Code::read(&[declaration, again], &mut Places::default(), &mut problems);
        assert_eq!(problems[0].rule(), "declared_twice");
        assert_eq!(problems[0].origin().to_string(), "src/main.rs:9:5");
    }
}
