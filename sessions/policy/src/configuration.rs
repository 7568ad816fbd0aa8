//! A whole configuration that passed every rule: its policies, stores, origins and notes.

use std::collections::BTreeMap;
use std::fmt;

use crate::lint::Severity;
use crate::origin::Origin;
use crate::policy::SessionPolicy;
use crate::problem::Problem;
use crate::store_config::StoreConfig;
use crate::suppress::Suppression;

/// Policies and stores that passed every rule; made by [`Sources::check`](crate::Sources::check).
#[derive(Clone, Debug)]
pub struct Configuration {
    pub(crate) policies: Vec<SessionPolicy>,
    pub(crate) stores: Vec<StoreConfig>,
    pub(crate) origins: BTreeMap<(String, &'static str), Origin>,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) notes: Vec<Note>,
    pub(crate) findings: Vec<Problem>,
}

impl Configuration {
    /// The policies in order of declaration: those of the file as they stand there, then those of code.
    pub fn policies(&self) -> impl Iterator<Item = &SessionPolicy> {
        self.policies.iter()
    }

    /// The policy of that name.
    pub fn policy(&self, name: &str) -> Option<&SessionPolicy> {
        self.policies.iter().find(|policy| policy.name() == name)
    }

    /// Where the value of `key`, a dotted path such as `transport.adapter`, of `policy` was written.
    pub fn origin(&self, policy: &str, key: &str) -> Option<&Origin> {
        let key = crate::keys::policy_key(key)?.path();
        self.origins.get(&(policy.to_owned(), key))
    }

    /// The stores; `main` is always there.
    pub fn stores(&self) -> impl Iterator<Item = &StoreConfig> {
        self.stores.iter()
    }

    /// The store of that name.
    pub fn store(&self, name: &str) -> Option<&StoreConfig> {
        self.stores.iter().find(|store| store.name() == name)
    }

    /// What the lints found and is no error here, sorted by place: warnings, and what is only worth knowing.
    pub fn findings(&self) -> &[Problem] {
        &self.findings
    }

    /// The [findings](Self::findings) that are warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.findings.iter().filter(|finding| finding.severity() == Severity::Warning)
    }

    /// What `allow` suppresses, each where it is written.
    pub fn suppressions(&self) -> &[Suppression] {
        &self.suppressions
    }

    /// What isn't wrong but worth a line in the log: values that adapted, keys that another layer made moot.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// Something that isn't wrong but worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub(crate) origin: Origin,
    pub(crate) key: String,
    pub(crate) message: String,
}

impl Note {
    /// Where it was written.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The full dotted path of the key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is to be noted, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "note: {}: {}", self.origin, self.message)
    }
}
