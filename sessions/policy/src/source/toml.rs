//! The policy file as a figment provider that knows where each key stands. Only `development` and `production`
//! are profiles; figment's own TOML provider would take every table for one.

use std::collections::BTreeSet;

use figment::value::{Dict, Empty, Map, Value};
use figment::{Error, Metadata, Provider};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::{Place, Places};
use super::{Profile, SourceFile};
use crate::origin::{Layer, Origin};
use crate::problem::Problem;
use crate::value::shown;

/// What figment calls this provider.
pub(crate) const NAME: &str = "file";

/// The parsed file.
#[derive(Debug)]
pub(crate) struct TomlFile {
    data: Map<figment::Profile, Dict>,
}

impl TomlFile {
    /// Parses `file`. What can't be parsed is a problem, and the rest is read all the same.
    pub(crate) fn read(
        file: &SourceFile,
        profile: Option<Profile>,
        places: &mut Places,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let (root, errors) = DeTable::parse_recoverable(&file.text);
        let index = Index::new(file);
        let offsets = errors.iter().map(|error| error.span().map_or(0, |span| span.start));
        let broken = offsets.map(|offset| index.line(offset)).collect();
        for error in &errors {
            problems.push(syntax(error, &index));
        }
        let mut reader = Reader { index, broken, places, layer: Layer::File };
        let mut data = Map::new();
        let mut base = Dict::new();
        for (key, value) in root.get_ref() {
            let name = key.get_ref().as_ref();
            if !Profile::NAMES.contains(&name) {
                reader.layer = Layer::File;
                base.insert(name.to_owned(), reader.entry(&mut Vec::new(), key, value));
                continue;
            }
            let DeValue::Table(table) = value.get_ref() else {
                let message = format!("`{name}` is a profile, which is a table");
                let problem =
                    Problem::new(reader.index.origin(key.span().start), name, "wrong_kind", message);
                problems.push(problem.with_help(format!("write `[{name}.policies.NAME]` above its keys")));
                continue;
            };
            if profile.is_some_and(|profile| name == profile.as_str()) {
                reader.layer = Layer::Profile;
                let dict = reader.table(&mut Vec::new(), table);
                data.insert(figment::Profile::new(name), dict);
            }
        }
        data.insert(figment::Profile::Default, base);
        Self { data }
    }

    /// The names in `table`, whether in the base or in the profile.
    pub(crate) fn names(&self, table: &str) -> impl Iterator<Item = &str> {
        let tables = self.data.values().filter_map(move |dict| dict.get(table)?.as_dict());
        tables.flat_map(|dict| dict.keys().map(String::as_str))
    }
}

impl Provider for TomlFile {
    fn metadata(&self) -> Metadata {
        Metadata::named(NAME)
    }

    fn data(&self) -> Result<Map<figment::Profile, Dict>, Error> {
        Ok(self.data.clone())
    }
}

/// The problem of a syntax error. The parser's own Display would print the line, which may hold a secret.
fn syntax(error: &toml::de::Error, index: &Index<'_>) -> Problem {
    let span = error.span().unwrap_or_default();
    let message = format!("invalid TOML: {}", error.message());
    let name = index.file.text.get(span.clone()).unwrap_or_default().trim();
    if error.message() != "duplicate key" || name.is_empty() {
        return Problem::new(index.origin(span.start), "", "syntax", message);
    }
    let problem =
        Problem::new(index.origin(span.start), "", "syntax", format!("{message} `{}`", shown(name)));
    match index.first_of(name, span.start) {
        Some(line) => problem.with_help(format!("drop one of the two: line {line} has it first")),
        None => problem.with_help("drop one of the two"),
    }
}

/// What stands for a value that could not be parsed.
fn unreadable() -> Value {
    Value::from(Empty::None)
}

/// Whether `value` could not be parsed, for which there is a problem already.
pub(crate) fn is_unreadable(value: &Value) -> bool {
    value.to_empty() == Some(Empty::None)
}

/// Turns spanned TOML into figment values and notes each place on the way.
struct Reader<'a> {
    index: Index<'a>,
    /// The lines with a syntax error: what the parser made of their values nobody wrote.
    broken: BTreeSet<usize>,
    places: &'a mut Places,
    layer: Layer,
}

impl Reader<'_> {
    fn entry(
        &mut self,
        path: &mut Vec<String>,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Value {
        path.push(key.get_ref().to_string());
        let at = key.span().start;
        let place =
            Place { key: self.index.origin(at), value: self.index.origin(value.span().start), order: at };
        self.places.insert(self.layer, path, place);
        // What can't be parsed is replaced by the parser, at no place: the syntax error is its problem.
        let is_broken = value.span().is_empty() || self.broken.contains(&self.index.line(at));
        let is_replaced = is_broken && !value.get_ref().is_table();
        let value = if is_replaced { unreadable() } else { self.value(path, value.get_ref()) };
        path.pop();
        value
    }

    fn table(&mut self, path: &mut Vec<String>, table: &DeTable<'_>) -> Dict {
        let entries = table.iter();
        entries.map(|(key, value)| (key.get_ref().to_string(), self.entry(path, key, value))).collect()
    }

    /// An item of a list, whose place is that of its index.
    fn item(&mut self, path: &mut Vec<String>, index: usize, item: &Spanned<DeValue<'_>>) -> Value {
        path.push(index.to_string());
        let order = item.span().start;
        let origin = self.index.origin(order);
        self.places.insert(self.layer, path, Place { key: origin.clone(), value: origin, order });
        let value = self.value(path, item.get_ref());
        path.pop();
        value
    }

    fn value(&mut self, path: &mut Vec<String>, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::from(text.to_string()),
            DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(f64::INFINITY),
            },
            DeValue::Float(float) => Value::from(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(truth) => Value::from(*truth),
            // Only a suppression has a date, in quotes or not.
            DeValue::Datetime(date) if path.last().is_some_and(|key| key == "until") => {
                Value::from(date.to_string())
            }
            // No key is a date: whatever it is read as refuses it.
            DeValue::Datetime(_) => Value::from(Empty::Unit),
            DeValue::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| self.item(path, index, item));
                Value::from(items.collect::<Vec<_>>())
            }
            DeValue::Table(table) => Value::from(self.table(path, table)),
        }
    }
}

/// Turns byte offsets into lines and columns.
struct Index<'a> {
    file: &'a SourceFile,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

impl<'a> Index<'a> {
    fn new(file: &'a SourceFile) -> Self {
        let breaks = file.text.match_indices('\n').map(|(at, _)| at + 1);
        Self { file, lines: std::iter::once(0).chain(breaks).collect() }
    }

    /// The line of an offset, from 1.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset.min(self.file.text.len()))
    }

    /// The line that states the key or opens the table `name` before `offset`, as that does.
    fn first_of(&self, name: &str, offset: usize) -> Option<usize> {
        let lines: Vec<&str> = self.file.text.lines().map(str::trim).collect();
        let repeated = self.line(offset) - 1;
        let before = lines.get(..repeated)?;
        let own = lines.get(repeated)?;
        if own.starts_with('[') {
            return Some(before.iter().position(|line| line == own)? + 1);
        }
        let states =
            |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='));
        let table = before.iter().rposition(|line| line.starts_with('[')).map_or(0, |header| header + 1);
        Some(table + before.get(table..)?.iter().position(|line| states(line))? + 1)
    }

    fn origin(&self, offset: usize) -> Origin {
        let offset = offset.min(self.file.text.len());
        let line = self.line(offset);
        let start = self.lines[line - 1];
        let before = self.file.text.get(start..offset).unwrap_or_default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Origin::File {
            name: self.file.name.clone(),
            line: count(line),
            column: count(before.chars().count() + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (TomlFile, Places, Vec<Problem>) {
        let file = SourceFile { name: "s.toml".into(), text: text.into() };
        let (mut places, mut problems) = (Places::default(), Vec::new());
        let toml = TomlFile::read(&file, Some(Profile::Production), &mut places, &mut problems);
        (toml, places, problems)
    }

    fn path(path: &str) -> Vec<String> {
        path.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn each_key_knows_its_line_and_column() {
        let (_, places, _) =
            read("# é\n[policies.a]\nttl = \"1h\"\ntransport = { é = 1, adapter = \"x\" }\n");
        let place = places.get(Layer::File, &path("policies.a.ttl")).unwrap();
        assert_eq!(place.key.to_string(), "s.toml:3:1");
        assert_eq!(place.value.to_string(), "s.toml:3:7");
        let place = places.get(Layer::File, &path("policies.a.transport.adapter")).unwrap();
        assert_eq!(place.key.to_string(), "s.toml:4:22");
        assert_eq!(places.get(Layer::File, &path("policies.a")).unwrap().key.to_string(), "s.toml:2:11");
    }

    #[test]
    fn only_the_chosen_profile_is_read() {
        let (toml, places, problems) =
            read("[production.policies.a]\n[development.policies.b]\n[policies.c]\n");
        assert!(problems.is_empty());
        assert_eq!(toml.names("policies").collect::<Vec<_>>(), ["c", "a"]);
        assert!(places.get(Layer::Profile, &path("policies.a")).is_some());
    }

    #[test]
    fn a_syntax_error_has_a_place_and_no_source_line() {
        let (toml, _, problems) = read("[policies.a]\nurl = redis://:hunter2@host\n[policies.b]\n");
        assert!(!problems.is_empty());
        for problem in &problems {
            assert!(problem.origin().to_string().starts_with("s.toml:2:"), "{problem}");
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
        }
        assert_eq!(toml.names("policies").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn every_byte_of_garbage_is_a_problem_and_no_panic() {
        for text in ["\u{0}", "[", "a = ", "=\n", "a=1\na=2", "\"", "[a]\n[a]", "é", "production = 1", "\r"]
        {
            let (_, _, problems) = read(text);
            assert!(!problems.is_empty(), "{text:?}");
        }
    }
}
