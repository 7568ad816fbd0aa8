//! The reference: the page of all keys, and a page for each, printed from the table of keys: defaults and meanings are stated once.

/// Adds text to the page; a `String` takes any.
macro_rules! line {
    ($page:expr, $($text:tt)*) => { writeln!($page, $($text)*).expect("a string takes any text") };
}

mod page;

use std::fmt::Write as _;

use crate::keys::{Fallback, Key, Kind, Table};
use crate::preset::PRESETS;
use crate::value::{read_fallback, size_text};

/// The reference page of all keys and presets, as Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# What a policy can say\n\n\
         Every key can be written in the policy file, in Rust, and as an environment variable. The later override \
         the earlier: defaults and presets, Rust, the file, the file's table of the profile \
         (`[production.policies.NAME]`), variables.\n\n\
         A variable is the path in capitals with `__` between levels: `policies.shop.transport.adapter` is \
         `SESSIONS_POLICIES__SHOP__TRANSPORT__ADAPTER`. A list in a variable is a TOML array, or its items with \
         commas between them.\n\n\
         A duration is a number with a unit, or several in a row, as in `1h 30min`: `ms`, `s`, `min` (or `m`), `h`, \
         `d` (or `day`, `days`), `week`, `weeks`, `months` (30.44 days), `years` (365.25 days). A size is a whole \
         number of `B`, `kB`, `KiB`, `MB` or `MiB`.\n\n\
         A value gives way to a bound that a later layer or a closer policy states: with `idle_timeout = \"30min\"` \
         in the file, a variable that sets `ttl` to `3s` makes both `3s`.\n",
    );
    section(&mut page, "Policies", "`[policies.NAME]`", Table::Policies);
    section(
        &mut page,
        "Stores",
        "`[stores.NAME]`; the store `main` is there although nobody declares it",
        Table::Stores,
    );
    presets(&mut page);
    page
}

fn section(page: &mut String, title: &str, place: &str, table: Table) {
    line!(page, "\n## {title}\n{place}.\n");
    line!(page, "| key | value | default | meaning |\n|---|---|---|---|");
    for key in table.rows().iter().filter(|key| !key.is_reserved()) {
        line!(
            page,
            "| [`{}`]({}) | {} | {} | {} |",
            key.path(),
            key.page_path(),
            kind(key.kind()),
            default(key),
            key.doc()
        );
    }
    let reserved: Vec<String> =
        table.rows().iter().filter(|key| key.is_reserved()).map(|key| format!("`{}`", key.path())).collect();
    let words = table.rows().iter().filter_map(|key| match key.kind() {
        Kind::Choice { reserved: [], .. } => None,
        Kind::Choice { reserved, .. } => {
            let words: Vec<String> = reserved.iter().map(|word| format!("`\"{word}\"`")).collect();
            Some(format!("`{}` = {}", key.path(), words.join(", ")))
        }
        _ => None,
    });
    let words: Vec<String> = words.collect();
    line!(page, "\nRefused until a later version: {}; {}.", reserved.join(", "), words.join("; "));
}

fn kind(kind: Kind) -> String {
    let or = |word: Option<&str>| word.map(|word| format!(" or `\"{word}\"`")).unwrap_or_default();
    match kind {
        Kind::Name => "name".to_owned(),
        Kind::Duration { word } => format!("duration{}", or(word)),
        Kind::Bool => "`true`, `false`".to_owned(),
        Kind::Count { min, max, word } => format!("{min} to {max}{}", or(word)),
        Kind::Size { min, max } => format!("size, `\"{}\"` to `\"{}\"`", size_text(min), size_text(max)),
        Kind::Choice { words, .. } => {
            words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Text => "text".to_owned(),
        Kind::Suppressions => "list of `{ rule, reason, owner, until }`".to_owned(),
        Kind::List { word } => format!("list of texts{}", or(word)),
    }
}

fn default(key: &Key) -> String {
    match key.fallback() {
        Fallback::Unset => "none".to_owned(),
        Fallback::Text(text) => format!("`\"{text}\"`"),
        Fallback::Count(count) => format!("`{count}`"),
        Fallback::Bool(truth) => format!("`{truth}`"),
        Fallback::Empty => "`[]`".to_owned(),
        Fallback::Derived(phrase) => phrase.to_owned(),
    }
}

fn presets(page: &mut String) {
    line!(page, "\n## Presets\n`extends = \"NAME\"`, in Rust `SessionPolicy::NAME()`.\n");
    line!(page, "| preset | for | over the defaults |\n|---|---|---|");
    for preset in PRESETS {
        let states = preset.entries.iter().filter_map(|(path, value)| {
            let key = crate::keys::policy_key(path)?;
            let own = read_fallback(key, *value)?;
            let differs = read_fallback(key, key.fallback()).is_none_or(|default| default != own);
            differs.then(|| format!("`{path}` {own}"))
        });
        let states: Vec<String> = states.collect();
        line!(page, "| `{}` | {} | {} |", preset.name, preset.doc, states.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SESSIONS_BLESS=1 cargo test -p sessions-policy` writes the page anew.
    #[test]
    fn the_page_in_the_repository_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/KEYS.md");
        if std::env::var_os("SESSIONS_BLESS").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(page == reference(), "KEYS.md is stale: run the tests once with SESSIONS_BLESS=1");
    }

    #[test]
    fn every_key_is_on_the_page() {
        let page = reference();
        for key in Table::Policies.rows().iter().chain(Table::Stores.rows()) {
            assert!(page.contains(&format!("`{}`", key.path())), "{}", key.path());
        }
    }
}
