//! The page of one key, printed from its row: what it is, how it is written, who else sets it, and which lints read it.

use std::fmt::Write as _;

use super::{default, kind};
use crate::keys::{Fallback, Key, Kind, Table};
use crate::lint::of_rule;
use crate::preset::PRESETS;
use crate::resolve::ORDER;
use crate::rules::rules;
use crate::value::size_text;

impl Key {
    /// The page of this key, as Markdown.
    pub fn page(&self) -> String {
        let mut page = format!("# `{}`\n\n{}.\n\n", self.full("NAME"), capitalised(self.doc()));
        line!(page, "| value | default | variable |\n|---|---|---|");
        let variable = match self.kind() {
            Kind::Suppressions => "none: it is written where it is reviewed".to_owned(),
            _ => format!("`{}`", self.variable("NAME")),
        };
        line!(page, "| {} | {} | {variable} |", kind(self.kind()), default(self));
        self.examples(&mut page);
        if let Some(safer) = self.safer().phrase() {
            line!(page, "\n**Safer:** {safer}. `sessions diff` marks a change the other way as weaker.");
        }
        if self.table() == Table::Policies && !self.is_inherited() {
            line!(page, "\nA policy that extends this one doesn't get it.");
        }
        self.presets(&mut page);
        if let Kind::Choice { reserved: later @ [_, ..], .. } = self.kind() {
            line!(page, "\nRefused until a later version: {}.", quoted(later));
        }
        self.lints(&mut page);
        if !self.citation().is_empty() {
            line!(page, "\n**Asked for by** {}.", self.citation());
        }
        line!(page, "\n[All keys](../../KEYS.md)");
        page
    }

    /// The file of its page, below the folder of `KEYS.md`.
    pub(crate) fn page_path(&self) -> String {
        format!("keys/{}/{}.md", self.table().as_str(), self.path())
    }

    fn examples(&self, page: &mut String) {
        let name = if self.table() == Table::Stores { "main" } else { "shop" };
        let (inner, last) =
            self.path().rsplit_once('.').map_or((None, self.path()), |(inner, last)| (Some(inner), last));
        let header = [Some(self.table().as_str()), Some(name), inner];
        let header: Vec<&str> = header.into_iter().flatten().collect();
        if self.is_only_by_variable() {
            let variable = self.variable(name);
            let value = if let Kind::List { .. } = self.kind() {
                "2:$(cat newer.hex),1:$(cat older.hex)"
            } else {
                "$(cat secret.txt)"
            };
            line!(page, "\n```sh\nexport {variable}=\"{value}\"\n```");
            return;
        }
        let kind = match (self.table(), self.path()) {
            (Table::Stores, "url") => "kind = \"sqlite\"\n",
            (Table::Stores, "directory") => "kind = \"file\"\n",
            (Table::Policies, ORDER) => "adapter = \"composite\"\n",
            (Table::Stores, "pooler" | "outbox" | "client_certificate" | "client_key") => {
                "kind = \"postgres\"\nurl = \"postgres://shop@db.example.com/shop\"\n"
            }
            (Table::Stores, "durability") => "kind = \"redis\"\nurl = \"rediss://sessions.internal\"\n",
            (Table::Stores, "sentinel_username") => {
                "kind = \"redis\"\nurl = \"rediss+sentinel://a.internal,b.internal,c.internal/main\"\n"
            }
            _ => "",
        };
        let others = if self.path() == "migrate_from" { "[stores.older]\nkind = \"memory\"\n\n" } else { "" };
        let header = header.join(".");
        line!(page, "\n```toml\n{others}[{header}]\n{kind}{last} = {}\n```", self.example());
        if self.table() == Table::Policies && self.kind() != Kind::Suppressions {
            let entry = format!("{last}: {}", self.example());
            let entry = inner.map_or_else(|| entry.clone(), |inner| format!("{inner}: {{ {entry} }}"));
            line!(page, "\nIn Rust: `sessions::policies! {{ shop: {{ {entry} }} }}`.");
        }
    }

    /// Whether a value of it belongs into a variable, which is no place for an example of the file.
    fn is_only_by_variable(&self) -> bool {
        // A `url` may stand there without its password, and a path is none.
        self.is_secret() && !matches!(self.path(), "url" | "client_key")
    }

    /// A value of its kind, as a file has it: the default where there is one.
    pub(crate) fn example(&self) -> String {
        match (self.fallback(), self.kind()) {
            // Its default is no example of anything.
            (_, Kind::Duration { .. }) if self.path() == "outbox" => "\"7days\"".to_owned(),
            (Fallback::Text(text), _) => format!("\"{text}\""),
            (Fallback::Count(count), _) => count.to_string(),
            (Fallback::Bool(truth), _) => truth.to_string(),
            (_, Kind::Suppressions) => {
                "[{ rule = \"SL035\", reason = \"…\", owner = \"…\", until = \"2099-01-31\" }]".to_owned()
            }
            (_, Kind::Duration { .. }) => "\"15min\"".to_owned(),
            (_, Kind::Bool) => "true".to_owned(),
            (_, Kind::Count { min, .. }) => min.to_string(),
            (_, Kind::Size { min, .. }) => format!("\"{}\"", size_text(min)),
            (_, Kind::Choice { words, .. }) => format!("\"{}\"", words.first().copied().unwrap_or_default()),
            (_, Kind::List { .. }) if self.path() == ORDER => "[\"cookie\", \"bearer\"]".to_owned(),
            (_, Kind::List { .. }) => "[\"https://pay.example\"]".to_owned(),
            (_, Kind::Name) if self.path() == "migrate_from" => "\"older\"".to_owned(),
            (_, Kind::Name) => "\"user_default\"".to_owned(),
            (_, Kind::Text) if self.path().ends_with("cookie_name") => "\"__Host-Http-shop\"".to_owned(),
            (_, Kind::Text) if self.path() == "url" => "\"sqlite://sessions.db\"".to_owned(),
            (_, Kind::Text) if self.path() == "directory" => "\"sessions\"".to_owned(),
            (_, Kind::Text) if self.path() == "client_certificate" => "\"/etc/shop/client.pem\"".to_owned(),
            (_, Kind::Text) if self.path() == "client_key" => "\"/etc/shop/client.key\"".to_owned(),
            (_, Kind::Text) if self.path() == "sentinel_username" => "\"watcher\"".to_owned(),
            (_, Kind::Text) => "\"example.com\"".to_owned(),
        }
    }

    fn presets(&self, page: &mut String) {
        if self.table() != Table::Policies {
            return;
        }
        let set = PRESETS.iter().filter_map(|preset| Some((preset.name, preset.value(self)?)));
        let set: Vec<String> = set.map(|(name, value)| format!("`{name}` {value}")).collect();
        if !set.is_empty() {
            line!(page, "\nPresets that set it: {}.", set.join(", "));
        }
    }

    fn lints(&self, page: &mut String) {
        if self.table() != Table::Policies {
            return;
        }
        let mut lints: Vec<_> =
            rules().filter(|rule| rule.keys.contains(&self.path())).map(|rule| of_rule(rule.name)).collect();
        // What every key is read by says nothing of this one.
        lints.retain(|lint| lint.id() != "SL093");
        lints.sort_by_key(|lint| lint.id());
        lints.dedup();
        let told: Vec<String> =
            lints.iter().map(|lint| format!("[{lint}](../../lints/{}.md)", lint.id())).collect();
        if !told.is_empty() {
            line!(page, "\nLints that read it: {}.", told.join(", "));
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::source::{SourceFile, Sources};

    fn keys() -> impl Iterator<Item = &'static Key> {
        Table::Policies.rows().iter().chain(Table::Stores.rows()).filter(|key| !key.is_reserved())
    }

    /// `SESSIONS_BLESS=1 cargo test -p sessions-policy` writes the pages anew.
    #[test]
    fn the_pages_in_the_repository_are_what_the_table_says() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for key in keys() {
            let path = folder.join(key.page_path());
            if std::env::var_os("SESSIONS_BLESS").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, key.page()).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                kept == key.page(),
                "{} is stale: run the tests once with SESSIONS_BLESS=1",
                key.page_path()
            );
        }
    }

    #[test]
    fn no_page_is_left_over() {
        let pages: BTreeSet<String> = keys().map(Key::page_path).collect();
        for table in [Table::Policies, Table::Stores] {
            let folder = format!("keys/{}", table.as_str());
            for entry in std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(pages.contains(&format!("{folder}/{name}")), "{name}");
            }
        }
    }

    #[test]
    fn every_example_is_of_its_kind() {
        for key in keys().filter(|key| !key.is_only_by_variable()) {
            let page = key.page();
            let text = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
            let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
            let found = Sources { file: Some(file), ..Sources::default() }.lint();
            let wrong: Vec<_> = found.iter().filter(|problem| problem.lint().id() == "SL093").collect();
            assert!(wrong.is_empty(), "{}: {wrong:#?}", key.path());
        }
    }

    #[test]
    fn every_link_leads_to_a_page() {
        for key in keys() {
            for (at, _) in key.page().match_indices("](") {
                let page = key.page();
                let target = page[at + 2..].split(')').next().unwrap();
                let folder = format!("{}/keys/{}", env!("CARGO_MANIFEST_DIR"), key.table().as_str());
                assert!(std::path::Path::new(&folder).join(target).exists(), "{}: {target}", key.path());
            }
        }
    }
}
