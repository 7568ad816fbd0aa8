//! How values are printed: as a person would write them, and nothing that might hold a password.

use std::time::Duration;

use crate::keys::Kind;

/// A size as a person would write it.
pub(crate) fn size_text(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 20) {
        format!("{}MiB", bytes >> 20)
    } else if bytes.is_multiple_of(1 << 10) {
        format!("{}KiB", bytes >> 10)
    } else {
        format!("{bytes}B")
    }
}

/// A duration as a person would write it, in units from days to nanoseconds. humantime prints months and years
/// of a mean length, as which nobody would recognise 90 days.
pub(crate) fn duration_text(duration: Duration) -> String {
    const UNITS: &[(u128, &str)] = &[
        (24 * 3600 * 1_000_000_000, "day"),
        (3600 * 1_000_000_000, "h"),
        (60 * 1_000_000_000, "min"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1000, "us"),
        (1, "ns"),
    ];
    let mut rest = duration.as_nanos();
    let mut parts = Vec::new();
    for (length, unit) in UNITS {
        let count = rest / length;
        rest %= length;
        match (count, *unit) {
            (0, _) => {}
            (2.., "day") => parts.push(format!("{count}days")),
            (_, unit) => parts.push(format!("{count}{unit}")),
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// How a value of this kind is written, for the end of a sentence.
pub(crate) fn example(kind: Kind) -> String {
    let or_word = |word: Option<&str>| word.map(|word| format!(", or `\"{word}\"`")).unwrap_or_default();
    match kind {
        Kind::Name => "a name such as `\"main\"`: a to z, 0 to 9 and `_`".to_owned(),
        Kind::Duration { word } => {
            format!("a number with a unit, such as `\"30s\"`, `\"30min\"` or `\"7days\"`{}", or_word(word))
        }
        Kind::Bool => "`true` or `false`, without quotes".to_owned(),
        Kind::Count { min, max, word } => {
            format!("a whole number from {min} to {max}, without quotes{}", or_word(word))
        }
        Kind::Size { min, max } => {
            format!("a size from `\"{}\"` to `\"{}\"`", size_text(min), size_text(max))
        }
        Kind::Choice { words, .. } => {
            let quoted: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            match quoted.split_last() {
                Some((last, [])) => last.clone(),
                Some((last, others)) => format!("{} or {last}", others.join(", ")),
                None => String::new(),
            }
        }
        Kind::Text => "text in quotes".to_owned(),
        Kind::Suppressions => {
            "`[{ rule = \"SL010\", reason = \"…\", owner = \"…\", until = \"2027-01-31\" }]`".to_owned()
        }
        Kind::List { word } => format!("a list such as `[\"one\", \"two\"]`{}", or_word(word)),
    }
}

/// A help as a variable is spelt: without the quotes that a file needs around text.
pub(crate) fn without_quotes(help: &str) -> String {
    let unquoted = |part: &str| {
        let inner = part.strip_prefix('"').and_then(|part| part.strip_suffix('"'));
        inner.filter(|inner| !inner.contains('"')).unwrap_or(part).to_owned()
    };
    let parts = help.split('`').enumerate();
    let parts = parts.map(|(index, part)| if index % 2 == 1 { unquoted(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`").replace(", without quotes", "").replace("text in quotes", "text")
}

/// Text as a message may print it: on one line, short, and nothing that might hold a password.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 64;
    let lower = text.to_ascii_lowercase();
    let url = lower.find("://").is_some_and(|scheme| lower[scheme..].contains('@'));
    if url || lower.contains("password") || lower.contains("secret") {
        return "…".to_owned();
    }
    let mut line = String::new();
    for c in text.chars().take(LONGEST) {
        // Quotes and backslashes break no line.
        if matches!(c, '"' | '\'' | '\\') { line.push(c) } else { line.extend(c.escape_debug()) }
    }
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_might_hold_a_password_is_not_shown() {
        assert_eq!(shown("redis://:hunter2@host"), "…");
        assert_eq!(shown("host=x password=hunter2"), "…");
        assert_eq!(shown("two\nlines"), "two\\nlines");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 65);
    }

    #[test]
    fn a_duration_is_printed_as_it_can_be_written() {
        let texts = ["90days", "1day", "1h 30min", "7days", "300ms", "1s 1us 1ns", "400days 2h"];
        for text in texts {
            assert_eq!(duration_text(humantime::parse_duration(text).unwrap()), text);
        }
        assert_eq!(duration_text(Duration::ZERO), "0s");
    }
}
