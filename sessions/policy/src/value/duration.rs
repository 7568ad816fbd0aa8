//! Durations: humantime text with a unit, from a millisecond to ten years.

use std::fmt;
use std::time::Duration;

use figment::value::Value;

use super::show::{example, shown};
use super::{Misfit, Setting, bare_number, text};
use crate::keys::Kind;
use crate::suggest::nearest;

/// The longest duration of any key: ten years of 365 days.
const MAX_DURATION: Duration = Duration::from_secs(3650 * 24 * 3600);
/// The shortest: what the clock of a record can tell apart.
const MIN_DURATION: Duration = Duration::from_millis(1);

/// The units that humantime reads.
#[cfg(feature = "tool")]
pub(crate) const UNITS: &[&str] = &[
    "nanos", "nsec", "ns", "usec", "us", "µs", "millis", "msec", "ms", "seconds", "second", "secs", "sec",
    "s", "minutes", "minute", "mins", "min", "m", "hours", "hour", "hrs", "hr", "h", "days", "day", "d",
    "weeks", "week", "wks", "wk", "w", "months", "month", "years", "year", "yr", "y",
];

/// Reads a duration with its unit, such as `"30min"` or `"1h 30min"`, as every duration of a policy is read.
///
/// ```
/// assert_eq!(sessions_policy::parse_duration("1h 30min")?.as_secs(), 5400);
/// assert!(sessions_policy::parse_duration("30").is_err());
/// # Ok::<(), sessions_policy::InvalidDuration>(())
/// ```
///
/// # Errors
/// - it has no unit, or an unknown one;
/// - it is zero, negative, below a millisecond or above ten years.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    match duration(&Value::from(text), None) {
        Ok(Setting::Duration(duration)) => Ok(duration),
        Ok(_) => Err(InvalidDuration { reason: "is not a duration".into(), help: None }),
        Err(misfit) => Err(InvalidDuration { reason: misfit.reason, help: misfit.help }),
    }
}

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDuration {
    reason: String,
    help: Option<String>,
}

impl InvalidDuration {
    /// How to put it right.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the duration {}", self.reason)
    }
}

impl std::error::Error for InvalidDuration {}

pub(super) fn duration(value: &Value, word: Option<&'static str>) -> Result<Setting, Misfit> {
    let kind = Kind::Duration { word };
    if let Some(number) = bare_number(value) {
        return Err(if number.trim_start_matches(['-', '0', '.', '_']).is_empty() {
            zero(word)
        } else {
            let (seconds, or_word) = (number.trim_start_matches('-'), or_word(word));
            let unit = format!("write `\"{seconds}s\"`{or_word}: a duration needs a unit");
            Misfit::new("bare_number", format!("({number}) is a bare number")).help(unit)
        });
    }
    let written = text(value, kind)?;
    if let Some(word) = word.filter(|word| *word == written) {
        return Ok(Setting::Word(word));
    }
    if written.trim_start().starts_with('-') {
        return Err(Misfit::new("negative_duration", format!("({}) is negative", shown(written)))
            .help(format!("a time can only lie ahead: write it without the sign{}", or_word(word))));
    }
    if let Some(misfit) = months_in_disguise(written) {
        return Err(misfit);
    }
    let Ok(duration) = humantime_serde::deserialize::<Duration, _>(value) else {
        let suggestion =
            word.and_then(|word| nearest(written, &[word])).or_else(|| in_small_letters(written));
        let misfit = Misfit::new("wrong_kind", format!("({}) is not a duration", shown(written)));
        return Err(Misfit { suggestion, ..misfit.help(format!("write {}", example(kind))) });
    };
    if duration.is_zero() {
        return Err(zero(word));
    }
    if duration < MIN_DURATION {
        return Err(Misfit::new("out_of_range", format!("({}) is below a millisecond", shown(written)))
            .help("write at least `\"1ms\"`"));
    }
    if duration > MAX_DURATION {
        return Err(Misfit::new("out_of_range", format!("({}) is longer than ten years", shown(written)))
            .help("write at most `\"3650days\"`"));
    }
    Ok(Setting::Duration(duration))
}

fn zero(word: Option<&str>) -> Misfit {
    let instead = word.map_or_else(|| "drop the key".to_owned(), |word| format!("write `\"{word}\"`"));
    Misfit::new("zero_duration", "is zero")
        .help(format!("write a duration such as `\"30s\"`; to leave it out, {instead}"))
}

fn or_word(word: Option<&str>) -> String {
    word.map(|word| format!(", or `\"{word}\"`")).unwrap_or_default()
}

/// A capital `M`, which humantime takes for a month where a person means minutes: too far apart to guess.
fn months_in_disguise(written: &str) -> Option<Misfit> {
    let respelt = |unit: &str| {
        let parts = written.split_inclusive(|c: char| !c.is_alphabetic()).map(|part| {
            let end = part.find(|c: char| !c.is_alphabetic()).unwrap_or(part.len());
            let (word, rest) = part.split_at(end);
            if word == "M" { format!("{unit}{rest}") } else { part.to_owned() }
        });
        parts.collect::<String>()
    };
    let (minutes, months) = (respelt("min"), respelt("months"));
    if minutes == written || humantime::parse_duration(&minutes).is_err() {
        return None;
    }
    let misfit = Misfit::new("wrong_kind", format!("({}) has the unit `M`, which is none", shown(written)));
    let misfit = misfit.help(format!("write `\"{}\"` for months", shown(&months)));
    Some(Misfit { suggestion: Some(minutes), ..misfit })
}

/// The duration whose units were written with capitals, such as `5Min` or `2H`.
fn in_small_letters(written: &str) -> Option<String> {
    let small = written.to_lowercase();
    (small != written && humantime::parse_duration(&small).is_ok()).then_some(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "tool")]
    #[test]
    fn each_unit_is_read() {
        for unit in UNITS {
            assert!(humantime::parse_duration(&format!("1{unit}")).is_ok(), "{unit}");
        }
    }

    #[test]
    fn a_duration_can_be_read_alone() {
        assert_eq!(parse_duration("5min"), Ok(Duration::from_secs(300)));
        let refusal = parse_duration("300").unwrap_err();
        assert_eq!(refusal.to_string(), "the duration (300) is a bare number");
        assert!(refusal.help().unwrap().contains("300s"));
    }
}
