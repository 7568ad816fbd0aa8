//! The line of a policy file that a problem is about, with what to mark in it. It shows no value whose key isn't
//! known to be harmless: a line may hold a password.

use std::fmt;

use crate::keys::{Key, Table, policy_keys, store_keys};
use crate::value::shown;

/// What stands in place of what isn't shown.
const HIDDEN: &str = "…";
/// Keys that aren't rows of the table of keys: those of a suppression.
const OF_SUPPRESSIONS: &[&str] = &["rule", "reason", "owner", "until"];
/// The longest line that is shown.
const LONGEST: usize = 160;

/// A line and the part of it to mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    line: u32,
    text: String,
    /// Characters before the mark.
    before: usize,
    /// Characters under the mark.
    length: usize,
}

impl Snippet {
    /// The line `line` of `text`, marked at `column`. Where it can't be parsed, it is shown up to its first value.
    pub(crate) fn of(text: &str, line: u32, column: u32, can_be_parsed: bool) -> Option<Self> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let written = text.split('\n').nth(index)?.trim_end_matches('\r');
        // What is that long in bytes is too long in characters, and not worth a look.
        if written.len() > LONGEST * 4 {
            return None;
        }
        let column = usize::try_from(column).ok()?.saturating_sub(1);
        let may_show_all = can_be_parsed || says_only_harmless_keys(written);
        let pieces = if may_show_all { pieces(written) } else { before_the_value(written) };
        let mut snippet = Self { line, text: String::new(), before: 0, length: 0 };
        for piece in &pieces {
            let starts = snippet.text.chars().count();
            snippet.text.push_str(&piece.shown);
            if piece.start <= column {
                let is_inside = column < piece.start + piece.length;
                let offset = if is_inside && piece.is_as_written { column - piece.start } else { 0 };
                snippet.before = starts + offset;
                snippet.length = piece.shown.trim_end().chars().count().saturating_sub(offset).max(1);
            }
        }
        snippet.mark_the_list();
        let fits = snippet.text.chars().count() <= LONGEST && !snippet.text.trim().is_empty();
        fits.then_some(snippet)
    }

    /// Marks a list up to its end, if that is on the line.
    fn mark_the_list(&mut self) {
        let marked: String = self.text.chars().skip(self.before).collect();
        if let Some(end) = marked.find(']').filter(|_| marked.starts_with('[') && self.length == 1) {
            let is_header = self.before == 0;
            self.length = if is_header { 1 } else { marked[..=end].chars().count() };
        }
    }

    /// How many characters the line's number has.
    pub(crate) fn gutter(&self) -> usize {
        self.line.to_string().len()
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = " ".repeat(self.gutter());
        write!(f, "{gutter} |\n{} | {}\n{gutter} | ", self.line, self.text)?;
        // A tab is as wide as the one above it.
        let before = self.text.chars().take(self.before).map(|c| if c == '\t' { '\t' } else { ' ' });
        write!(f, "{}{}", before.collect::<String>(), "^".repeat(self.length))
    }
}

/// A part of a line.
struct Piece {
    /// Characters before it in what was written.
    start: usize,
    /// Characters in what was written.
    length: usize,
    shown: String,
    is_as_written: bool,
}

impl Piece {
    fn new(start: usize, written: &str, may_show: bool) -> Self {
        let inner = written.trim_matches(['"', '\'']);
        let is_as_written = may_show && shown(inner) == inner;
        let shown = if is_as_written { written } else { HIDDEN };
        Self { start, length: written.chars().count(), shown: shown.to_owned(), is_as_written }
    }
}

/// Whether each key of a line that can't be parsed is known to be harmless: then its values are.
fn says_only_harmless_keys(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or(line);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let is_secret = |word: &str| store_keys().any(|key| key.is_secret() && key.path() == word);
    if shown(line) == HIDDEN || line.split(|c| !is_word(c)).any(is_secret) {
        return false;
    }
    let mut heads = line.split('=').map(str::trim_end).rev();
    // What is behind the last `=` is a value.
    heads.next();
    let is_known = |word: &str| is_harmless(word) || Table::Policies.is_table(word);
    let key = |head: &str| is_known(head.rsplit(|c| !is_word(c)).next().unwrap_or_default());
    let heads: Vec<&str> = heads.collect();
    let Some((first, others)) = heads.split_last() else { return false };
    // In `ttl = = 1` one key has two signs.
    key(first) && others.iter().all(|head| head.is_empty() || key(head))
}

fn before_the_value(line: &str) -> Vec<Piece> {
    let end = line.find(['=', '"', '\'', '#']).unwrap_or(line.len());
    let (head, tail) = line.split_at(end);
    let head_length = head.chars().count();
    let mut pieces = words(head, 0);
    if tail.starts_with('=') {
        pieces.push(Piece::new(head_length, "= ", true));
    }
    if !tail.trim_start_matches('=').trim().is_empty() {
        let rest = Piece {
            start: head_length + 1,
            length: tail.chars().count(),
            shown: HIDDEN.to_owned(),
            is_as_written: false,
        };
        pieces.push(rest);
    }
    pieces
}

/// Text outside of values: words and what stands between them.
fn words(text: &str, start: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    let mut at = start;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let kind = is_word(first);
        let end = rest.find(|c| is_word(c) != kind).unwrap_or(rest.len());
        let (word, others) = rest.split_at(end);
        pieces.push(Piece::new(at, word, true));
        at += word.chars().count();
        rest = others;
    }
    pieces
}

/// A line in pieces, up to its comment.
fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = line;
    let mut at = 0;
    let mut key = String::new();
    let mut in_value = false;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '#' => break,
            '"' | '\'' => closing(rest, first),
            '=' | ',' | '{' | '}' | '[' | ']' | '.' => 1,
            c if c.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            _ => rest
                .find(|c: char| {
                    matches!(c, '#' | '"' | '\'' | '=' | ',' | '{' | '}' | '[' | ']')
                        || c.is_whitespace()
                        || (c == '.' && !in_value)
                })
                .unwrap_or(rest.len()),
        };
        let (token, others) = rest.split_at(end);
        let is_mark =
            end == 1 && matches!(first, '=' | ',' | '{' | '}' | '[' | ']' | '.') || first.is_whitespace();
        // Several signs in a row are none that could hold a secret, but a dotted key is one word to be marked.
        let may_show = is_mark || !in_value || is_harmless(&key);
        pieces.push(if first.is_whitespace() {
            Piece { start: at, length: token.chars().count(), shown: token.to_owned(), is_as_written: true }
        } else {
            Piece::new(at, token, may_show)
        });
        match first {
            '=' => in_value = true,
            '{' | '}' => in_value = false,
            // Behind a list's items come more of them, behind a value another key.
            ',' => in_value = in_value && is_within_a_list(&line[..line.len() - rest.len()]),
            _ if !in_value && !is_mark => token.trim_matches(['"', '\'']).clone_into(&mut key),
            _ => {}
        }
        at += token.chars().count();
        rest = others;
    }
    while pieces.last().is_some_and(|piece| piece.shown.trim().is_empty()) {
        pieces.pop();
    }
    pieces
}

fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_within_a_list(before: &str) -> bool {
    let open = before.rfind('[');
    open.is_some_and(|open| before.rfind([']', '{', '}']).is_none_or(|close| close < open))
}

/// Whether values of keys of this last word hold no secret.
fn is_harmless(word: &str) -> bool {
    let ends = |key: &Key| key.path().rsplit('.').next() == Some(word);
    let is_key = policy_keys().chain(store_keys()).any(|key| ends(key) && !key.is_secret());
    let is_secret = store_keys().any(|key| ends(key) && key.is_secret());
    (is_key && !is_secret) || OF_SUPPRESSIONS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(text: &str, column: u32) -> String {
        Snippet::of(text, 1, column, true).map(|snippet| snippet.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_value_and_a_key_are_marked() {
        assert_eq!(shows("ttl = \"2h\" # long", 7), "  |\n1 | ttl = \"2h\"\n  |       ^^^^");
        assert_eq!(shows("idle_timout = 1", 1), "  |\n1 | idle_timout = …\n  | ^^^^^^^^^^^");
        let inline = "transport = { é = …, adapter = 'x' }";
        assert_eq!(
            shows(&inline.replace('…', "1"), 32),
            format!("  |\n1 | {inline}\n  | {}^^^", " ".repeat(31))
        );
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for text in [
            "url = 'hunter2'",
            "index_key = 'hunter2'",
            "adress = hunter2",
            "adress = [1, 'hunter2']",
            "main = { kind = 'memry', url = \"hunter2\" }",
            "store_name = 'redis://:hunter2@host'",
            "ttl = 1 # hunter2",
            "'redis://:hunter2@host' = 1",
            "adress = \"\"\"hunter2",
        ] {
            for column in 1..30 {
                assert!(!shows(text, column).contains("hunter2"), "{text}: {}", shows(text, column));
            }
        }
        for text in ["url = redis://:hunter2@host", "url 'hunter2'", "url = 'hunter2", "= hunter2"] {
            let snippet = Snippet::of(text, 1, 7, false).map(|snippet| snippet.to_string());
            assert!(snippet.as_ref().is_none_or(|text| !text.contains("hunter2")), "{snippet:?}");
        }
    }

    #[test]
    fn the_kind_is_shown_beside_a_hidden_url() {
        let text = shows("main = { kind = 'memry', url = 'x' }", 17);
        assert!(text.contains("kind = 'memry', url = …"), "{text}");
        assert!(text.ends_with("                ^^^^^^^"), "{text}");
    }

    #[test]
    fn a_line_that_is_no_toml_is_shown_where_its_keys_are_harmless() {
        for text in ["ttl = 2h", "ttl = = 1", "transport = { adapter = \"header\" "] {
            let snippet = Snippet::of(text, 1, 7, false).map(|snippet| snippet.to_string());
            assert!(snippet.is_some_and(|shown| shown.contains(text.trim_end())), "{text}");
        }
        for text in
            ["kind = 'memory' url 'hunter2'", "kind = 'memory', adress = hunter2", "ttl = 1 # hunter2"]
        {
            let snippet = Snippet::of(text, 1, 7, false).map(|snippet| snippet.to_string());
            assert!(!snippet.unwrap_or_default().contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_tab_moves_no_mark() {
        assert_eq!(shows("\tttl = 1", 2), "  |\n1 | \tttl = 1\n  | \t^^^");
    }

    #[test]
    fn no_line_is_a_panic() {
        for text in ["", "é", "\"", "'", "=", "[[", "a.b.c = ", "\u{0}"] {
            for column in 0..5 {
                let _ = (Snippet::of(text, 1, column, true), Snippet::of(text, 9, column, false));
            }
        }
    }
}
