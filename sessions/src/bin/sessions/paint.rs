//! Colours: few, and only where they carry a meaning that the words have too.

use anstyle::{AnsiColor, Style};
use sessions_policy::Severity;

/// What is not looked at first.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// What the eye should find.
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
const TOLD: Style = AnsiColor::Cyan.on_default().bold();

/// Text in a style.
pub(crate) fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The word that a message begins with.
pub(crate) fn word(word: &str) -> String {
    painted(style_of(word), word)
}

fn style_of(word: &str) -> Style {
    match word {
        "error" => BAD,
        "warning" => DOUBTFUL,
        _ => TOLD,
    }
}

/// A finding with its severity in colour.
pub(crate) fn finding(severity: Severity, text: &str) -> String {
    match text.split_once("]: ") {
        Some((head, rest)) => {
            format!("{}: {rest}", painted(style_of(severity.as_str()), &format!("{head}]")))
        }
        None => text.to_owned(),
    }
}

/// Text padded to a width in characters, then painted: what is painted has characters that nobody sees.
pub(crate) fn padded(style: Style, text: &str, width: usize) -> String {
    let gap = " ".repeat(width.saturating_sub(text.chars().count()));
    format!("{}{gap}", painted(style, text))
}
