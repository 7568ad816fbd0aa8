//! Typed values, and how each kind is read from what a layer wrote. Not whether values fit together: the
//! rules judge that.

mod duration;
mod show;
mod size;

use std::fmt;
use std::time::Duration;

use figment::value::Value;

#[cfg(feature = "tool")]
pub(crate) use self::duration::UNITS as DURATION_UNITS;
pub use self::duration::{InvalidDuration, parse_duration};
pub(crate) use self::show::{duration_text, shown, size_text, without_quotes};
#[cfg(feature = "tool")]
pub(crate) use self::size::UNITS as SIZE_UNITS;

use self::duration::duration;
use self::show::example;
use self::size::size;
use crate::keys::{Fallback, Key, Kind};
use crate::name::refuse_name;
use crate::suggest::nearest;

/// A value of a known kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Duration(Duration),
    Count(u64),
    Bool(bool),
    /// In bytes.
    Size(u64),
    /// A word of a choice, or the word that stands instead of a value.
    Word(&'static str),
    Text(String),
    List(Vec<String>),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => f.write_str(&duration_text(*duration)),
            Self::Count(count) => count.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Size(bytes) => f.write_str(&size_text(*bytes)),
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => f.write_str(&shown(text)),
            Self::List(items) => f.write_str(&shown(&items.join(", "))),
        }
    }
}

/// Why a value is not of its key's kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) rule: &'static str,
    /// What the value is, as the end of a sentence that begins with the key.
    pub(crate) reason: String,
    pub(crate) help: Option<String>,
    pub(crate) suggestion: Option<String>,
}

impl Misfit {
    fn new(rule: &'static str, reason: impl Into<String>) -> Self {
        Self { rule, reason: reason.into(), help: None, suggestion: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same without anything of the value.
    fn of_a_secret(self, kind: Kind) -> Self {
        // The value stands in front of what is wrong with it, in brackets.
        let reason = self.reason.rsplit(") ").next().unwrap_or_default().to_owned();
        Self { rule: self.rule, reason, help: Some(format!("write {}", example(kind))), suggestion: None }
    }

    /// The help as a variable is spelt: without the quotes that a file needs around text.
    fn in_a_variable(self) -> Self {
        Self { help: self.help.as_deref().map(without_quotes), ..self }
    }

    /// A variable whose quotes, which a file needs around text, would be part of the value, or of a list's items.
    fn quoted_variable(text: &str, kind: Kind) -> Option<Self> {
        let is_list = matches!(kind, Kind::List { .. });
        // A TOML array needs its quotes.
        if is_list && text.trim().starts_with('[') {
            return None;
        }
        let items: Vec<&str> =
            if is_list { text.split(',').map(str::trim).collect() } else { vec![text.trim()] };
        if items.iter().all(|item| unquoted(item).is_none()) {
            return None;
        }
        let plain = items.iter().map(|item| unquoted(item).unwrap_or(item)).collect::<Vec<_>>().join(",");
        let misfit = Self::new("wrong_kind", format!("({}) has quotes around it", shown(text)));
        // What isn't shown as it is must not be shown in another spelling either.
        let plain = (!plain.is_empty() && shown(text) == text).then_some(plain);
        let help = "write it without the quotes: they would be part of the value";
        Some(Self { suggestion: plain, ..misfit.help(help) })
    }
}

/// What is between the quotes, if the text has them around it.
fn unquoted(text: &str) -> Option<&str> {
    ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

/// How a layer spells values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// With types: TOML and code.
    Typed,
    /// As text: variables.
    Text,
}

/// Reads `value` as the kind of `key`. What is wrong with a secret is told without showing it.
pub(crate) fn read(key: &Key, value: &Value, spelling: Spelling) -> Result<Setting, Misfit> {
    let read = read_openly(key, value, spelling);
    if key.is_secret() { read.map_err(|misfit| misfit.of_a_secret(key.kind())) } else { read }
}

fn read_openly(key: &Key, value: &Value, spelling: Spelling) -> Result<Setting, Misfit> {
    if let Value::Dict(..) = value {
        return Err(Misfit::new("wrong_kind", "is a table, not a value")
            .help(format!("write {}", example(key.kind()))));
    }
    if spelling == Spelling::Text
        && let Some(misfit) = value.as_str().and_then(|text| Misfit::quoted_variable(text, key.kind()))
    {
        return Err(misfit);
    }
    let read = read_kind(key.kind(), value, spelling);
    if spelling == Spelling::Typed { read } else { read.map_err(Misfit::in_a_variable) }
}

fn read_kind(kind: Kind, value: &Value, spelling: Spelling) -> Result<Setting, Misfit> {
    let may_be_empty = matches!(kind, Kind::Text | Kind::List { .. });
    if !may_be_empty && value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Err(Misfit::new("wrong_kind", "is empty").help(format!("write {}", example(kind))));
    }
    match kind {
        Kind::Duration { word } => duration(value, word),
        Kind::Bool => truth(value, spelling),
        Kind::Count { min, max, word } => count(value, spelling, min, max, word),
        Kind::Size { min, max } => size(value, min, max),
        Kind::Choice { words, reserved } => choice(value, words, reserved),
        Kind::Name => name(value),
        Kind::Text => Ok(Setting::Text(text(value, kind)?.to_owned())),
        Kind::List { word } => list(value, spelling, word),
        // The walk over what was written reads them itself, each with its place.
        Kind::Suppressions => Err(wrong(value, kind)),
    }
}

/// Reads a default or a preset's value, which tests prove to be of its kind.
pub(crate) fn read_fallback(key: &Key, fallback: Fallback) -> Option<Setting> {
    let value = match fallback {
        Fallback::Unset | Fallback::Derived(_) => return None,
        Fallback::Empty if key.kind() == Kind::Suppressions => return None,
        Fallback::Text(text) => Value::from(text),
        Fallback::Count(count) => Value::from(count),
        Fallback::Bool(truth) => Value::from(truth),
        Fallback::Empty => Value::from(Vec::<String>::new()),
    };
    Some(
        read(key, &value, Spelling::Typed).expect("defaults and presets are of their kind, as a test proves"),
    )
}

/// The digits of a number, or of text that is nothing but a number.
fn bare_number(value: &Value) -> Option<String> {
    match value {
        Value::Num(_, _) => number(value),
        Value::String(_, text) => {
            let digits = text.trim();
            let bare = digits.chars().any(|c| c.is_ascii_digit())
                && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+'));
            bare.then(|| shown(digits))
        }
        _ => None,
    }
}

fn number(value: &Value) -> Option<String> {
    // With its fraction, even where that is zero: it is what makes `5.0` no whole number.
    let fraction = || value.to_f64().filter(|number| number.is_finite()).map(|number| format!("{number:?}"));
    whole(value).map(|n| n.to_string()).or_else(fraction)
}

/// A number without a fraction; figment asks for signed and unsigned ones apart.
fn whole(value: &Value) -> Option<i128> {
    value.to_i128().or_else(|| value.to_u128()?.try_into().ok())
}

fn truth(value: &Value, spelling: Spelling) -> Result<Setting, Misfit> {
    match value {
        Value::Bool(_, truth) => Ok(Setting::Bool(*truth)),
        Value::String(_, text) if spelling == Spelling::Text && text == "true" => Ok(Setting::Bool(true)),
        Value::String(_, text) if spelling == Spelling::Text && text == "false" => Ok(Setting::Bool(false)),
        Value::String(_, text)
            if spelling == Spelling::Typed && matches!(text.as_str(), "true" | "false") =>
        {
            Err(quoted(text))
        }
        Value::String(_, text) => {
            Err(Misfit { suggestion: nearest(text, &["true", "false"]), ..wrong(value, Kind::Bool) })
        }
        _ => Err(wrong(value, Kind::Bool)),
    }
}

/// A number or truth in quotes, where the layer has types.
fn quoted(text: &str) -> Misfit {
    Misfit::new("wrong_kind", format!("(\"{text}\") is text")).help(format!("write `{text}`, without quotes"))
}

fn count(
    value: &Value,
    spelling: Spelling,
    min: u64,
    max: u64,
    word: Option<&'static str>,
) -> Result<Setting, Misfit> {
    let kind = Kind::Count { min, max, word };
    let number = match value {
        Value::Num(..) => whole(value),
        Value::String(_, text) if word == Some(text.as_str()) => {
            return Ok(Setting::Word(word.unwrap_or_default()));
        }
        Value::String(_, text) if spelling == Spelling::Text => text.trim().replace('_', "").parse().ok(),
        _ => None,
    };
    let Some(number) = number else {
        if let Some(text) = value.as_str().filter(|text| text.parse::<u64>().is_ok()) {
            return Err(quoted(text));
        }
        let suggestion = match (value, word) {
            (Value::String(_, text), Some(word)) => nearest(text, &[word]),
            _ => None,
        };
        return Err(Misfit { suggestion, ..wrong(value, kind) });
    };
    match u64::try_from(number) {
        Ok(count) if (min..=max).contains(&count) => Ok(Setting::Count(count)),
        _ => Err(Misfit::new("out_of_range", format!("({number}) is not between {min} and {max}"))
            .help(format!("write {}", example(kind)))),
    }
}

fn choice(
    value: &Value,
    words: &'static [&'static str],
    reserved: &'static [&'static str],
) -> Result<Setting, Misfit> {
    let kind = Kind::Choice { words, reserved };
    let written = text(value, kind)?;
    if let Some(word) = words.iter().find(|word| **word == written) {
        return Ok(Setting::Word(word));
    }
    if reserved.contains(&written) {
        return Err(Misfit::new("later_version", format!("({written}) comes with a later version"))
            .help(format!("write {}", example(kind))));
    }
    let misfit = Misfit::new("unknown_word", format!("({}) is not one of its words", shown(written)));
    let suggestion = nearest(written, words);
    Err(Misfit { suggestion, ..misfit.help(format!("write {}", example(kind))) })
}

fn name(value: &Value) -> Result<Setting, Misfit> {
    let written = text(value, Kind::Name)?;
    match refuse_name(written) {
        None => Ok(Setting::Text(written.to_owned())),
        Some(reason) => Err(Misfit::new("name", format!("({}) {reason}", shown(written)))
            .help(format!("write {}", example(Kind::Name)))),
    }
}

fn list(value: &Value, spelling: Spelling, word: Option<&'static str>) -> Result<Setting, Misfit> {
    let kind = Kind::List { word };
    match value {
        Value::String(_, text) if word == Some(text.as_str()) => Ok(Setting::Word(word.unwrap_or_default())),
        Value::String(_, text) if spelling == Spelling::Text => {
            listed(text).map(Setting::List).ok_or_else(|| wrong(value, kind))
        }
        Value::Array(_, items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            let texts: Option<Vec<String>> = texts.collect();
            let not_text = || Misfit::new("wrong_kind", "has an item that is not text");
            texts.map(Setting::List).ok_or_else(|| not_text().help(format!("write {}", example(kind))))
        }
        Value::String(_, text) => {
            let or_word = word.map(|word| format!(", or `\"{word}\"`")).unwrap_or_default();
            Err(wrong(value, kind).help(format!("write `[\"{}\"]`{or_word}", shown(text))))
        }
        _ => Err(wrong(value, kind)),
    }
}

/// A variable's list: a TOML array of texts, or items between commas.
fn listed(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Some(items.map(str::to_owned).collect());
    }
    let array = toml::de::DeValue::parse(text).ok()?;
    let items = array.get_ref().as_array()?;
    items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

fn text(value: &Value, kind: Kind) -> Result<&str, Misfit> {
    value.as_str().ok_or_else(|| wrong(value, kind))
}

fn wrong(value: &Value, kind: Kind) -> Misfit {
    let what = wanted(kind);
    let written = match value {
        Value::String(_, text) => format!(" ({})", shown(text)),
        Value::Num(..) => number(value).map(|number| format!(" ({number})")).unwrap_or_default(),
        Value::Bool(_, truth) => format!(" ({truth})"),
        _ => String::new(),
    };
    let reason = format!("{written} is not {what}").trim_start().to_owned();
    Misfit::new("wrong_kind", reason).help(format!("write {}", example(kind)))
}

/// What a value of that kind is, behind "is not".
fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Name => "a name",
        Kind::Duration { .. } => "a duration",
        Kind::Bool => "`true` or `false`",
        Kind::Count { .. } => "a whole number",
        Kind::Size { .. } => "a size",
        Kind::Choice { .. } => "one of its words",
        Kind::Text => "text",
        Kind::List { .. } => "a list of texts",
        Kind::Suppressions => "a list of suppressions",
    }
}

#[cfg(test)]
mod tests {
    use figment::value::Empty;

    use super::*;
    use crate::keys::{policy_key, policy_keys, store_keys};
    use crate::preset::PRESETS;

    fn typed(key: &str, value: impl Into<Value>) -> Result<Setting, Misfit> {
        read(policy_key(key).unwrap(), &value.into(), Spelling::Typed)
    }

    fn variable(key: &str, value: &str) -> Result<Setting, Misfit> {
        read(policy_key(key).unwrap(), &value.into(), Spelling::Text)
    }

    fn rule(result: Result<Setting, Misfit>) -> &'static str {
        result.unwrap_err().rule
    }

    #[test]
    fn every_default_and_every_preset_is_of_its_kind() {
        for key in policy_keys().chain(store_keys()) {
            read_fallback(key, key.fallback());
        }
        for (path, value) in PRESETS.iter().flat_map(|preset| preset.entries) {
            assert!(read_fallback(policy_key(path).unwrap(), *value).is_some());
        }
    }

    #[test]
    fn a_duration_needs_a_unit_and_a_length() {
        assert_eq!(typed("ttl", "1h 30min"), Ok(Setting::Duration(Duration::from_secs(5400))));
        assert_eq!(rule(typed("ttl", 30)), "bare_number");
        assert_eq!(rule(typed("ttl", "30")), "bare_number");
        assert_eq!(rule(typed("ttl", 1.5)), "bare_number");
        for zero in ["0s", "0", "0days"] {
            assert_eq!(rule(typed("ttl", zero)), "zero_duration", "{zero}");
        }
        assert_eq!(rule(typed("ttl", "-5s")), "negative_duration");
        assert_eq!(rule(typed("ttl", "1ns")), "out_of_range");
        assert_eq!(rule(typed("ttl", "11years")), "out_of_range");
        assert_eq!(rule(typed("ttl", "99999999999999999999days")), "wrong_kind");
        for wrong in [Value::from("soon"), true.into(), vec!["1h"].into(), Empty::Unit.into()] {
            assert_eq!(rule(typed("ttl", wrong)), "wrong_kind");
        }
    }

    #[test]
    fn a_bare_number_is_told_its_unit() {
        let misfit = typed("ttl", 30).unwrap_err();
        assert_eq!(misfit.help.as_deref(), Some("write `\"30s\"`: a duration needs a unit"));
    }

    #[test]
    fn only_some_durations_can_be_off() {
        assert_eq!(typed("idle_timeout", "off"), Ok(Setting::Word("off")));
        assert_eq!(rule(typed("ttl", "off")), "wrong_kind");
    }

    #[test]
    fn a_count_is_a_number_in_its_range() {
        assert_eq!(typed("max_keys", 8), Ok(Setting::Count(8)));
        assert_eq!(variable("max_keys", "1_000"), Ok(Setting::Count(1000)));
        assert_eq!(rule(typed("max_keys", "8")), "wrong_kind");
        assert_eq!(rule(typed("max_keys", 0)), "out_of_range");
        assert_eq!(rule(typed("max_keys", -1)), "out_of_range");
        assert_eq!(rule(typed("max_keys", 1.5)), "wrong_kind");
        let limit = "concurrency.max_sessions_per_principal";
        assert_eq!(typed(limit, "unlimited"), Ok(Setting::Word("unlimited")));
        assert_eq!(variable(limit, "unlimited"), Ok(Setting::Word("unlimited")));
        assert_eq!(typed(limit, "unlimitd").unwrap_err().suggestion.as_deref(), Some("unlimited"));
        assert_eq!(rule(typed(limit, 0)), "out_of_range");
    }

    #[test]
    fn a_size_needs_a_unit() {
        assert_eq!(typed("max_size", "64KiB"), Ok(Setting::Size(65_536)));
        assert_eq!(typed("max_size", "1MB"), Ok(Setting::Size(1_000_000)));
        assert_eq!(rule(typed("max_size", 65_536)), "bare_number");
        assert_eq!(rule(typed("max_size", "65536")), "bare_number");
        assert_eq!(rule(typed("max_size", "64 kilo")), "wrong_kind");
        assert_eq!(rule(typed("max_size", "1B")), "out_of_range");
        assert_eq!(rule(typed("max_size", "2MiB")), "out_of_range");
        assert_eq!(rule(typed("max_size", "99999999999999999999MiB")), "wrong_kind");
    }

    #[test]
    fn a_choice_suggests_its_nearest_word() {
        assert_eq!(typed("renew", "sliding"), Ok(Setting::Word("sliding")));
        assert_eq!(typed("renew", "slidng").unwrap_err().suggestion.as_deref(), Some("sliding"));
        assert_eq!(typed("renew", "Sliding").unwrap_err().suggestion.as_deref(), Some("sliding"));
        assert_eq!(rule(typed("transport.adapter", "token")), "later_version");
        assert_eq!(rule(typed("renew", true)), "wrong_kind");
    }

    #[test]
    fn a_truth_in_a_file_has_no_quotes() {
        assert_eq!(typed("rotate_on_use", true), Ok(Setting::Bool(true)));
        assert_eq!(rule(typed("rotate_on_use", "true")), "wrong_kind");
        assert_eq!(variable("rotate_on_use", "true"), Ok(Setting::Bool(true)));
        assert_eq!(rule(variable("rotate_on_use", "yes")), "wrong_kind");
    }

    #[test]
    fn a_list_in_a_variable_is_an_array_or_has_commas() {
        let two = Ok(Setting::List(vec!["a".into(), "b".into()]));
        assert_eq!(variable("carry_over", "a, b"), two);
        assert_eq!(variable("carry_over", r#"["a", "b"]"#), two);
        assert_eq!(typed("carry_over", vec!["a", "b"]), two);
        assert_eq!(variable("carry_over", "all"), Ok(Setting::Word("all")));
        assert_eq!(variable("trusted_origins", ""), Ok(Setting::List(vec![])));
        assert_eq!(rule(variable("carry_over", "[a]")), "wrong_kind");
        assert_eq!(rule(typed("carry_over", vec![1, 2])), "wrong_kind");
        assert_eq!(rule(typed("carry_over", "a, b")), "wrong_kind");
    }
}
