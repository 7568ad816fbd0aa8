//! What a row of the table of keys says. The parser, the variables' names, the macros' arguments, the defaults,
//! the suggestions and the reference page come from that table. The rows are in `table`.

mod alias;
mod safer;
mod table;

pub use self::safer::Safer;
use self::table::{POLICY_KEYS, STORE_KEYS};

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    path: &'static str,
    table: Table,
    kind: Kind,
    fallback: Fallback,
    doc: &'static str,
    inherited: bool,
    secret: bool,
    reserved: bool,
    safer: Safer,
    citation: &'static str,
}

impl Key {
    /// The dotted path under `policies.NAME` or `stores.NAME`, such as `transport.adapter`.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Which table it belongs to.
    pub const fn table(&self) -> Table {
        self.table
    }

    /// What its value is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What holds where nobody writes it.
    pub const fn fallback(&self) -> Fallback {
        self.fallback
    }

    /// What it does, in one sentence of Markdown without a full stop.
    pub const fn doc(&self) -> &'static str {
        self.doc
    }

    /// Whether `extends` hands it on.
    pub const fn is_inherited(&self) -> bool {
        self.inherited
    }

    /// Whether its value must never be printed.
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether the name is taken by a key of a later version, and refused until then.
    pub const fn is_reserved(&self) -> bool {
        self.reserved
    }

    /// Which of its values are the safer ones.
    pub const fn safer(&self) -> Safer {
        self.safer
    }

    /// The standard that asks for it to be decided; empty where none does.
    pub const fn citation(&self) -> &'static str {
        self.citation
    }

    /// The variable that overrides it for the policy or store `name`.
    ///
    /// ```
    /// let key = sessions_policy::policy_keys().find(|key| key.path() == "transport.adapter");
    /// let variable = key.map(|key| key.variable("user_default"));
    /// assert_eq!(variable.as_deref(), Some("SESSIONS_POLICIES__USER_DEFAULT__TRANSPORT__ADAPTER"));
    /// ```
    pub fn variable(&self, name: &str) -> String {
        variable_name([self.table.as_str(), name].into_iter().chain(self.path.split('.')))
    }

    /// The key as a problem names it: `policies.NAME.PATH`.
    pub(crate) fn full(&self, name: &str) -> String {
        format!("{}.{name}.{}", self.table.as_str(), self.path)
    }

    const fn fallback_to(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    const fn word(self, word: &'static str) -> Self {
        self.fallback_to(Fallback::Text(word))
    }

    const fn never_inherited(mut self) -> Self {
        self.inherited = false;
        self
    }

    const fn safer_if(mut self, safer: Safer) -> Self {
        self.safer = safer;
        self
    }

    const fn asked_for_by(mut self, citation: &'static str) -> Self {
        self.citation = citation;
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// The variable of a path: `SESSIONS_`, then the levels in upper case with `__` between them.
pub(crate) fn variable_name<'a>(levels: impl Iterator<Item = &'a str>) -> String {
    let levels: Vec<String> = levels.map(str::to_ascii_uppercase).collect();
    format!("SESSIONS_{}", levels.join("__"))
}

/// Which table a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Table {
    /// `policies.NAME`.
    Policies,
    /// `stores.NAME`.
    Stores,
}

impl Table {
    /// The table's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::Stores => "stores",
        }
    }

    /// What one entry of the table is.
    pub(crate) const fn singular(self) -> &'static str {
        match self {
            Self::Policies => "policy",
            Self::Stores => "store",
        }
    }

    /// The table of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "policies" => Some(Self::Policies),
            "stores" => Some(Self::Stores),
            _ => None,
        }
    }

    pub(crate) const fn rows(self) -> &'static [Key] {
        match self {
            Self::Policies => POLICY_KEYS,
            Self::Stores => STORE_KEYS,
        }
    }

    pub(crate) fn key(self, path: &str) -> Option<&'static Key> {
        self.rows().iter().find(|key| key.path == path)
    }

    /// Whether `path` is a table of keys, such as `transport`.
    pub(crate) fn is_table(self, path: &str) -> bool {
        self.rows().iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    /// What a path that is no key means by another name, and the value to give it.
    pub(crate) fn meant(self, path: &str) -> Option<(&'static str, Option<&'static str>)> {
        if self == Self::Policies { alias::meant(path) } else { None }
    }

    /// The paths that may be written today, for suggestions.
    pub(crate) fn paths(self) -> Vec<&'static str> {
        self.rows().iter().filter(|key| !key.reserved).map(|key| key.path).collect()
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A name: a to z, 0 to 9, single underscores, beginning with a letter.
    Name,
    /// A duration with its unit, such as `"30min"`, or the word.
    Duration {
        /// A word that may stand instead.
        word: Option<&'static str>,
    },
    /// `true` or `false`.
    Bool,
    /// A whole number, or the word.
    Count {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// A word that may stand instead.
        word: Option<&'static str>,
    },
    /// A size with its unit, such as `"64KiB"`.
    Size {
        /// The least, in bytes.
        min: u64,
        /// The most, in bytes.
        max: u64,
    },
    /// One of a few words.
    Choice {
        /// The words.
        words: &'static [&'static str],
        /// Words of a later version, refused until then.
        reserved: &'static [&'static str],
    },
    /// Text.
    Text,
    /// A list of `{ rule, reason, owner, until }`, which suppress what lints find. No variable can state it.
    Suppressions,
    /// A list of texts, or the word.
    List {
        /// A word that may stand instead.
        word: Option<&'static str>,
    },
}

/// What holds where nobody writes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// Nothing: what the key would do doesn't happen.
    Unset,
    /// This text, read as if it were written.
    Text(&'static str),
    /// This number.
    Count(u64),
    /// This truth.
    Bool(bool),
    /// The empty list.
    Empty,
    /// What this phrase says, from other keys.
    Derived(&'static str),
}

/// Every key of a policy, in the order of the reference page.
pub fn policy_keys() -> impl Iterator<Item = &'static Key> {
    POLICY_KEYS.iter()
}

/// Every key of a store, in the order of the reference page.
pub fn store_keys() -> impl Iterator<Item = &'static Key> {
    STORE_KEYS.iter()
}

pub(crate) fn policy_key(path: &str) -> Option<&'static Key> {
    Table::Policies.key(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_path_stands_once_and_is_made_of_names() {
        for table in [Table::Policies, Table::Stores] {
            let paths: BTreeSet<&str> = table.rows().iter().map(Key::path).collect();
            assert_eq!(paths.len(), table.rows().len());
            for path in paths {
                assert!(path.split('.').all(|level| crate::name::refuse_name(level).is_none()), "{path}");
                assert!(!table.is_table(path), "{path} is both a key and a table");
            }
        }
    }

    #[test]
    fn a_variable_is_the_path_in_capitals() {
        let key = policy_key("concurrency.max_sessions_per_principal").unwrap();
        assert_eq!(
            key.variable("user_default"),
            "SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL"
        );
    }

    #[test]
    fn each_meaning_is_a_phrase() {
        for key in policy_keys().chain(store_keys()) {
            assert!(!key.doc().is_empty() && !key.doc().ends_with('.'), "{}", key.path());
        }
    }

    #[test]
    fn each_word_that_is_a_default_is_a_word_of_its_choice() {
        for key in policy_keys().chain(store_keys()) {
            if let (Kind::Choice { words, .. }, Fallback::Text(text)) = (key.kind(), key.fallback()) {
                assert!(words.contains(&text), "{}", key.path());
            }
        }
    }
}
