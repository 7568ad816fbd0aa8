//! Rules about stores, and what a store is once they pass.

use std::time::Duration;

use crate::configuration::Note;
use crate::draft::{Draft, Stated};
use crate::keys::{Key, Table};
use crate::policy::WhenFull;
use crate::problem::Problem;
use crate::resolve::Resolved;
use crate::store_config::{StoreConfig, StoreKind};
use crate::value::{Setting, duration_text, read_fallback};

/// The longest time for which a request may wait for its store.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Keys that only a memory store has a use for.
const OF_MEMORY: &[&str] = &["max_sessions", "when_full"];

/// Asks every rule about one store, and gives it as it is.
pub(crate) fn judge_store(draft: &Draft, problems: &mut Vec<Problem>, notes: &mut Vec<Note>) -> StoreConfig {
    let kind = setting(draft, "kind");
    let is_memory = kind == Some(Setting::Word("memory"));
    if !is_memory && !draft.broken.contains("kind") {
        keys_of_memory(draft, problems, notes);
    }
    let timeout = match setting(draft, "timeout") {
        Some(Setting::Duration(timeout)) => timeout,
        _ => LONGEST_TIMEOUT,
    };
    if timeout > LONGEST_TIMEOUT {
        let written = duration_text(timeout);
        let problem = problem(draft, "timeout", "store_timeout", &format!("({written}) is longer than 30s"));
        problems.push(problem.with_help("write at most `\"30s\"`: requests wait for that long"));
    }
    let kind = if is_memory {
        StoreKind::Memory { max_sessions: max_sessions(draft), when_full: when_full(draft) }
    } else {
        StoreKind::Custom
    };
    StoreConfig { name: draft.name.clone(), kind, timeout }
}

/// Stores in memory that keep some policy's sessions.
pub(crate) fn judge_memory(
    policies: &[Resolved],
    drafts: &[Draft],
    stores: &[StoreConfig],
    problems: &mut Vec<Problem>,
) {
    let keys = ["scope", "persistence.store_name"];
    let kept = policies.iter().filter(|policy| policy.can_judge(&keys) && !policy.is("scope", "request"));
    let used: Vec<&str> = kept.filter_map(|policy| policy.text("persistence.store_name")).collect();
    let in_memory = |store: &StoreConfig| matches!(store.kind, StoreKind::Memory { .. });
    for (draft, _) in drafts.iter().zip(stores).filter(|(_, store)| in_memory(store)) {
        if draft.broken.contains("kind") || !used.contains(&draft.name.as_str()) {
            continue;
        }
        let reason = "(memory) loses all sessions at a restart, and shares none with other nodes";
        let help = "bind a store that outlives the process, or allow this one";
        problems.push(problem(draft, "kind", "store_memory", reason).with_help(help));
    }
}

/// A later layer that changes the kind makes the earlier kind's keys moot; beside it they are a mistake.
fn keys_of_memory(draft: &Draft, problems: &mut Vec<Problem>, notes: &mut Vec<Note>) {
    let Some(kind) = draft.stated.get("kind") else { return };
    for (key, stated) in OF_MEMORY.iter().filter_map(|key| Some((*key, draft.stated.get(key)?))) {
        let reason = format!("has no effect with `kind = \"{}\"`", kind.setting);
        if kind.layer > stated.layer {
            let full = full(draft, key);
            let message = format!("`{full}` {reason}");
            notes.push(Note { origin: stated.origin.clone(), key: full, message });
        } else {
            let problem = problem(draft, key, "store_key_without_effect", &reason);
            problems.push(problem.with_help("drop the key, or write `kind = \"memory\"`"));
        }
    }
}

fn max_sessions(draft: &Draft) -> usize {
    match setting(draft, "max_sessions") {
        Some(Setting::Count(count)) => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    }
}

fn when_full(draft: &Draft) -> WhenFull {
    match setting(draft, "when_full") {
        Some(Setting::Word(word)) => WhenFull::from_word(word).unwrap_or(WhenFull::Evict),
        _ => WhenFull::Evict,
    }
}

/// The value of a key, written or by default.
fn setting(draft: &Draft, path: &str) -> Option<Setting> {
    let stated = draft.stated.get(path).map(|stated: &Stated| stated.setting.clone());
    stated.or_else(|| Table::Stores.key(path).and_then(|key: &Key| read_fallback(key, key.fallback())))
}

fn full(draft: &Draft, key: &str) -> String {
    format!("stores.{}.{key}", draft.name)
}

fn problem(draft: &Draft, key: &str, rule: &'static str, reason: &str) -> Problem {
    let origin = draft.stated.get(key).map_or(&draft.origin, |stated| &stated.origin);
    let full = full(draft, key);
    let message = format!("`{full}` {reason}");
    Problem::new(origin.clone(), full, rule, message)
}
