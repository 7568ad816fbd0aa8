//! Reading what an earlier, or a later, version of a struct has stored: fields that were added, renamed or removed.

use serde::de::DeserializeOwned;
use serde_json::{Error, Map, Value};

/// The struct of the stored fields, over its defaults.
///
/// A field may be stored under its earlier name (`#[serde(alias = "…")]`), or under both: then its present name's value
/// holds. A stored field that the struct doesn't know is passed over, also with `#[serde(deny_unknown_fields)]`: the
/// other version of the program may need it.
pub(super) fn read<T: DeserializeOwned>(
    defaults: &Map<String, Value>,
    stored: &Map<String, Value>,
) -> Result<T, Error> {
    let mut fields = defaults.clone();
    fields.extend(stored.clone());
    loop {
        let error = match parse(&fields) {
            Ok(data) => return Ok(data),
            Err(error) => error,
        };
        let passed_over = match Stumble::over(&error) {
            Some(Stumble::Unknown(name)) if stored.contains_key(&name) => fields.remove(&name),
            Some(Stumble::Twice(name)) if stored.contains_key(&name) => {
                earlier_name::<T>(&name, &fields, defaults).and_then(|earlier| fields.remove(&earlier))
            }
            Some(Stumble::Twice(name)) => fields.remove(&name),
            _ => None,
        };
        // Each round has a field less, or is the last.
        if passed_over.is_none() {
            return Err(error);
        }
    }
}

/// The stored field that is an earlier name of `name`: beside it, serde finds the field twice.
fn earlier_name<T: DeserializeOwned>(
    name: &str,
    fields: &Map<String, Value>,
    defaults: &Map<String, Value>,
) -> Option<String> {
    let is_it = |(other, value): &(&String, &Value)| {
        let mut pair = defaults.clone();
        pair.insert(name.to_owned(), fields.get(name).cloned().unwrap_or_default());
        pair.insert((*other).clone(), (*value).clone());
        let twice = Stumble::Twice(name.to_owned());
        parse::<T>(&pair).is_err_and(|error| Stumble::over(&error) == Some(twice))
    };
    let candidates = fields.iter().filter(|(other, _)| *other != name && !defaults.contains_key(*other));
    candidates.into_iter().find(is_it).map(|(other, _)| other.clone())
}

fn parse<T: DeserializeOwned>(fields: &Map<String, Value>) -> Result<T, Error> {
    serde_json::from_value(Value::Object(fields.clone()))
}

/// What a struct's `Deserialize` stumbled over, as serde words it. Where the words are others, it is an error like any.
#[derive(Debug, PartialEq, Eq)]
enum Stumble {
    Unknown(String),
    Twice(String),
}

impl Stumble {
    fn over(error: &Error) -> Option<Self> {
        let text = error.to_string();
        let name = |start: &str| {
            let (name, _) = text.strip_prefix(start)?.split_once('`')?;
            Some(name.to_owned())
        };
        name("unknown field `").map(Self::Unknown).or_else(|| name("duplicate field `").map(Self::Twice))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Data {
        #[serde(alias = "one", alias = "uno")]
        first: u8,
        #[serde(alias = "two")]
        second: u8,
    }

    fn read_from(stored: &Value) -> Result<Data, Error> {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        read(&map(&json!({ "first": 0, "second": 0 })), &map(stored))
    }

    #[test]
    fn a_field_is_found_under_each_of_its_names() {
        for stored in [json!({ "first": 5 }), json!({ "one": 5 }), json!({ "first": 5, "one": 6, "uno": 7 })]
        {
            assert_eq!(read_from(&stored).ok(), Some(Data { first: 5, second: 0 }), "{stored}");
        }
        let both = json!({ "first": 5, "one": 6, "uno": 7, "two": 8, "gone": 9 });
        assert_eq!(read_from(&both).ok(), Some(Data { first: 5, second: 8 }));
    }

    #[test]
    fn a_value_of_another_type_is_an_error() {
        assert!(read_from(&json!({ "first": "five" })).is_err());
        assert!(read_from(&json!({ "one": null, "two": 2 })).is_err());
    }
}
