//! The JSON Schema of a policy file, made from the table of keys: what editors complete, explain and underline. It
//! knows keys, kinds and words; whether values fit together, the rules judge.

use serde_json::{Map, Value, json};

use crate::keys::{Fallback, Key, Kind, Table};
use crate::lint::{Lint, Suppressible, lints};
use crate::name::{MAX_LENGTH, RESERVED};
use crate::source::Profile;
use crate::value::{DURATION_UNITS, SIZE_UNITS};

/// The schema of a policy file, in the draft 2020-12.
///
/// ```
/// let schema = sessions_policy::schema();
/// assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
/// ```
pub fn schema() -> Value {
    let mut properties = Map::new();
    for table in [Table::Policies, Table::Stores] {
        properties
            .insert(table.as_str().to_owned(), json!({ "$ref": format!("#/$defs/{}", table.as_str()) }));
    }
    let of_profile = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    for name in Profile::NAMES {
        let description = format!("What is laid over the rest where `SESSIONS_PROFILE` is `{name}`");
        properties
            .insert((*name).to_owned(), json!({ "$ref": "#/$defs/profile", "description": description }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sessions.toml",
        "description": "Policies and stores of sessions",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": {
            "policies": named(Table::Policies),
            "stores": named(Table::Stores),
            "policy": object("", Table::Policies),
            "store": object("", Table::Stores),
            "profile": of_profile,
            "name": name(),
            "duration": { "type": "string", "pattern": duration_pattern() },
            "size": { "type": "string", "pattern": size_pattern() },
            "suppression": suppression(),
        },
    })
}

/// A table whose keys are names.
fn named(table: Table) -> Value {
    let mut names = name();
    if table == Table::Policies {
        names["not"] = json!({ "enum": RESERVED });
    }
    json!({
        "type": "object",
        "description": format!("Each {} under its name", table.singular()),
        "propertyNames": names,
        "additionalProperties": { "$ref": format!("#/$defs/{}", table.singular()) },
    })
}

/// The keys whose paths begin with `prefix`, with their tables.
fn object(prefix: &str, table: Table) -> Value {
    let mut properties = Map::new();
    let rows = table.rows().iter().filter(|key| !key.is_reserved());
    for (key, rest) in rows.filter_map(|key| Some((key, key.path().strip_prefix(prefix)?))) {
        match rest.split_once('.') {
            None => {
                properties.insert(rest.to_owned(), property(key));
            }
            Some((inner, _)) if !properties.contains_key(inner) => {
                properties.insert(inner.to_owned(), object(&format!("{prefix}{inner}."), table));
            }
            Some(_) => {}
        }
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn property(key: &Key) -> Value {
    let mut schema = of_kind(key.kind());
    let mut description = key.doc().to_owned();
    match key.fallback() {
        Fallback::Unset => {}
        Fallback::Text(text) => schema["default"] = json!(text),
        Fallback::Count(count) => schema["default"] = json!(count),
        Fallback::Bool(truth) => schema["default"] = json!(truth),
        Fallback::Empty => schema["default"] = json!([]),
        Fallback::Derived(phrase) => description = format!("{description}. Default: {phrase}"),
    }
    schema["description"] = json!(description);
    schema
}

fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Name => json!({ "$ref": "#/$defs/name" }),
        Kind::Duration { word } => or_word(json!({ "$ref": "#/$defs/duration" }), word),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Count { min, max, word } => {
            or_word(json!({ "type": "integer", "minimum": min, "maximum": max }), word)
        }
        Kind::Size { .. } => json!({ "$ref": "#/$defs/size" }),
        Kind::Choice { words, .. } => json!({ "enum": words }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Suppressions => json!({ "type": "array", "items": { "$ref": "#/$defs/suppression" } }),
        Kind::List { word } => or_word(json!({ "type": "array", "items": { "type": "string" } }), word),
    }
}

fn or_word(schema: Value, word: Option<&str>) -> Value {
    match word {
        Some(word) => json!({ "anyOf": [schema, { "const": word }] }),
        None => schema,
    }
}

fn name() -> Value {
    json!({ "type": "string", "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$", "maxLength": MAX_LENGTH })
}

/// Numbers with units, not all of them zero.
fn duration_pattern() -> String {
    let units = DURATION_UNITS.join("|");
    format!(r"^(?=.*[1-9])\s*([0-9]+(\.[0-9]+)?\s*({units})\s*)+$")
}

fn size_pattern() -> String {
    let units: Vec<&str> = SIZE_UNITS.iter().map(|(unit, _)| *unit).collect();
    format!(r"^\s*[0-9][0-9_]*\s*({})\s*$", units.join("|"))
}

fn suppression() -> Value {
    let may_be = lints().filter(|lint| lint.suppressible() != Suppressible::No);
    let rules: Vec<&str> = may_be.map(Lint::id).collect();
    let text = |description: &str| json!({ "type": "string", "minLength": 1, "description": description });
    let mut until = text("The last day, such as `2027-01-31`");
    until["pattern"] = json!("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
    json!({
        "type": "object",
        "description": "A decision to live with what a lint finds",
        "properties": {
            "rule": { "enum": rules, "description": "The id of the lint" },
            "reason": text("Why it may stay"),
            "owner": text("Who decided it"),
            "until": until,
        },
        "required": ["rule", "reason", "owner", "until"],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SESSIONS_BLESS=1 cargo test -p sessions-policy --features tool` writes the file anew.
    #[test]
    fn the_schema_in_the_repository_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/sessions.schema.json");
        let text = format!("{:#}\n", schema());
        if std::env::var_os("SESSIONS_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == text, "sessions.schema.json is stale: run the tests once with SESSIONS_BLESS=1");
    }

    #[test]
    fn every_key_of_today_is_in_it_and_none_of_later() {
        let schema = schema();
        for (table, definition) in [(Table::Policies, "policy"), (Table::Stores, "store")] {
            for key in table.rows() {
                let pointer =
                    format!("/$defs/{definition}/properties/{}", key.path().replace('.', "/properties/"));
                let found = schema.pointer(&pointer);
                assert_eq!(found.is_some(), !key.is_reserved(), "{}", key.path());
                let described = found.is_none_or(|found| found["description"].as_str().is_some());
                assert!(described, "{}", key.path());
            }
        }
    }
}
