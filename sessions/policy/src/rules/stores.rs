//! Rules about stores, and what a store is once they pass.

use std::time::Duration;

use super::encryption::judge_encryption;
use super::near::judge_nearness;
use super::store_access::{judge_certificate, judge_index_key, judge_sentinel};
use super::store_places::{judge_directory, judge_url};
use crate::configuration::Note;
use crate::draft::{Draft, Stated};
use crate::index_key::IndexKey;
use crate::keys::{Key, Table};
use crate::origin::{Layer, Origin};
use crate::policy::{Durability, Pooler, WhenFull};
use crate::postgres_address::{PostgresAddress, PostgresTls};
use crate::problem::Problem;
use crate::redis_address::RedisAddress;
use crate::resolve::Resolved;
use crate::source::Sources;
use crate::store_config::{StoreConfig, StoreKind};
use crate::value::{Setting, duration_text, read_fallback};

/// The longest time for which a request may wait for its store.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The shortest and the longest time for which events are kept for consumers.
const OUTBOX: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(366 * 86_400));
/// Keys that only some kinds of store have a use for.
const OF_SOME_KINDS: &[(&str, &[&str])] = &[
    ("max_sessions", &["memory"]),
    ("when_full", &["memory"]),
    ("directory", &["file"]),
    ("url", &["sqlite", "redis", "postgres"]),
    ("key_prefix", &["redis"]),
    ("durability", &["redis"]),
    ("sentinel_username", &["redis"]),
    ("sentinel_password", &["redis"]),
    ("client_certificate", &["redis", "postgres"]),
    ("client_key", &["redis", "postgres"]),
    ("pooler", &["postgres"]),
    ("outbox", &["redis", "postgres"]),
];

/// Asks every rule about one store, and gives it as it is.
pub(crate) fn judge_store(
    draft: &Draft,
    sources: &Sources,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<Note>,
) -> StoreConfig {
    let kind = match setting(draft, "kind") {
        Some(Setting::Word(kind)) => kind,
        _ => "custom",
    };
    if !draft.broken.contains("kind") {
        keys_of_other_kinds(draft, kind, problems, notes);
    }
    if sources.missing_features.contains(&kind) {
        let reason = format!("({kind}) is a store that this build has no code for");
        let help = format!("add the feature `{kind}` of the crate `sessions`, and build again");
        problems.push(problem(draft, "kind", "store_feature", &reason).with_help(help));
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
    let kind = match kind {
        "memory" => StoreKind::Memory { max_sessions: max_sessions(draft), when_full: when_full(draft) },
        "file" => StoreKind::File {
            directory: place(draft, kind, "directory", judge_directory, problems).unwrap_or_default(),
        },
        "sqlite" => {
            StoreKind::Sqlite { path: place(draft, kind, "url", judge_url, problems).unwrap_or_default() }
        }
        "postgres" => match place(draft, kind, "url", judge_postgres, problems) {
            Some(address) => {
                judge_way(draft, &address, problems);
                let is_encrypted = address.tls() != PostgresTls::Off;
                let certificate = judge_certificate(draft, is_encrypted, problems);
                StoreKind::Postgres { address, pooler: pooler(draft), certificate }
            }
            None => StoreKind::Custom,
        },
        "redis" => match place(draft, kind, "url", judge_redis, problems) {
            Some(address) => {
                judge_password(draft, address.has_password(), problems);
                StoreKind::Redis {
                    key_prefix: key_prefix(draft),
                    durability: durability(draft),
                    sentinel_user: judge_sentinel(draft, address.sentinel().is_some(), problems),
                    certificate: judge_certificate(draft, address.is_tls(), problems),
                    address,
                }
            }
            // It is refused.
            None => StoreKind::Custom,
        },
        _ => StoreKind::Custom,
    };
    let outbox = judge_outbox(draft, problems);
    let encryption_keys = judge_encryption(draft, sources, problems);
    let index_key = judge_index_key(draft, problems);
    let migrate_from = match setting(draft, "migrate_from") {
        Some(Setting::Text(name)) => Some(name),
        _ => None,
    };
    StoreConfig { name: draft.name.clone(), kind, timeout, outbox, encryption_keys, index_key, migrate_from }
}

/// For how long events are kept for consumers; that the kind of store can keep them is another rule's.
fn judge_outbox(draft: &Draft, problems: &mut Vec<Problem>) -> Option<Duration> {
    let Some(Setting::Duration(kept)) = setting(draft, "outbox") else { return None };
    if !(OUTBOX.0..=OUTBOX.1).contains(&kept) {
        let written = duration_text(kept);
        let bound = if kept < OUTBOX.0 { "shorter than 1min" } else { "longer than 366days" };
        let problem = problem(draft, "outbox", "out_of_range", &format!("({written}) is {bound}"));
        let help = "write how long a consumer may be away at most, such as `\"7days\"`; or `\"off\"`";
        problems.push(problem.with_help(help));
    }
    Some(kept)
}

/// What a rule finds wrong with where a store is: the end of a sentence that begins with the key, and the fix.
pub(super) type Misplaced = (String, String);

/// Where a store is, by the key that says it and the rule about its text.
fn place<T>(
    draft: &Draft,
    kind: &str,
    key: &'static str,
    judge: fn(&str) -> Result<T, Misplaced>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let Some(Setting::Text(text)) = setting(draft, key) else {
        // What isn't there may have stood where the file can't be read.
        if !draft.broken.contains(key) && problems.iter().all(|problem| problem.rule() != "syntax") {
            problems.push(missing(draft, kind, key));
        }
        return None;
    };
    let refused = |(reason, help): Misplaced| {
        problems.push(problem(draft, key, "store_place", &reason).with_help(help));
    };
    judge(&text).map_err(refused).ok()
}

/// The database that a `url` names.
fn judge_postgres(url: &str) -> Result<PostgresAddress, Misplaced> {
    PostgresAddress::parse(url).map_err(|error| (error.reason().to_owned(), error.help().to_owned()))
}

/// Who can read along on the way to a server.
fn judge_way(draft: &Draft, address: &PostgresAddress, problems: &mut Vec<Problem>) {
    if address.tls() == PostgresTls::Off && !address.is_local() {
        let reason = "leads to another machine in clear";
        let help =
            "drop `sslmode=disable`: the server needs a certificate whose authority `sslrootcert` may name";
        problems.push(problem(draft, "url", "store_in_clear", reason).with_help(help));
    }
    judge_password(draft, address.has_password(), problems);
}

/// Who has read the password already.
fn judge_password(draft: &Draft, has_password: bool, problems: &mut Vec<Problem>) {
    if has_password && is_in_the_file(draft, "url") {
        let variable = Table::Stores.key("url").map(|key| key.variable(&draft.name)).unwrap_or_default();
        let reason = "has a password in the file, which the program and its repository hold too";
        let help = format!("set {variable}, and write it here without the password, or not at all");
        problems.push(problem(draft, "url", "secret_in_file", reason).with_help(help));
    }
}

/// Whether a key's value stands in the policy file.
pub(super) fn is_in_the_file(draft: &Draft, key: &str) -> bool {
    draft.stated.get(key).is_some_and(|stated| matches!(stated.origin, Origin::File { .. }))
}

/// The server that a `url` names.
fn judge_redis(url: &str) -> Result<RedisAddress, Misplaced> {
    RedisAddress::parse(url).map_err(|error| (error.reason().to_owned(), error.help().to_owned()))
}

fn missing(draft: &Draft, kind: &str, key: &'static str) -> Problem {
    let example = match kind {
        "sqlite" => "sqlite://sessions.db",
        "redis" => "redis://localhost",
        "postgres" => "postgres://USER@HOST/DATABASE",
        _ => "sessions",
    };
    let reason = format!("is missing: a store of `kind = \"{kind}\"` has to be somewhere");
    let at = draft.stated.get("kind").map_or(&draft.origin, |stated| &stated.origin);
    let full = full(draft, key);
    let problem = Problem::new(at.clone(), full.clone(), "store_place_missing", format!("`{full}` {reason}"));
    let variable = Table::Stores.key(key).map(|key| key.variable(&draft.name)).unwrap_or_default();
    problem.with_help(match at {
        Origin::Variable(_) => format!("set {variable}={example}, or write `{key}` in the file"),
        _ => format!("write `{key} = \"{example}\"`, or set {variable}"),
    })
}

/// Sessions move from a store that is there, that moves nowhere itself, and that no policy keeps sessions in.
pub(crate) fn judge_migrations(
    policies: &[Resolved],
    drafts: &[Draft],
    stores: &[StoreConfig],
    problems: &mut Vec<Problem>,
) {
    for (draft, store) in drafts.iter().zip(stores) {
        let Some(from) = store.migrate_from.as_deref() else { continue };
        let old = stores.iter().find(|other| other.name == from);
        let keys = ["scope", "persistence.store_name"];
        let kept = policies.iter().filter(|policy| policy.can_judge(&keys) && !policy.is("scope", "request"));
        let is_used =
            kept.filter_map(|policy| policy.text("persistence.store_name")).any(|name| name == from);
        let (reason, help) = match old {
            _ if from == store.name => ("is the store itself", "name the store that the sessions are in now"),
            None => ("names no store of this file", "declare the store that the sessions are in now"),
            Some(old) if old.migrate_from.is_some() => {
                ("names a store whose sessions are still to come", "finish that migration first")
            }
            Some(old)
                if old.encryption_keys.ids().any(|id| store.encryption_keys.ids().all(|own| own != id)) =>
            {
                (
                    "names a store with encryption keys that this one has not",
                    "give this store the same keys: sessions move as they are",
                )
            }
            Some(old) if !IndexKey::are_same(old.index_key(), store.index_key()) => (
                "names a store of another `index_key`",
                "give this store the same key: by another one nobody's sessions would be found, nor their secrets be right",
            ),
            Some(old) if old.index_key.is_some() && matches!(old.kind, StoreKind::Redis { .. }) => (
                "names a Redis store with an `index_key`, whose sessions do not tell whose they are",
                "drop `migrate_from`: people log in anew, or both stores are kept until the old sessions have ended",
            ),
            Some(old) if old.outbox.is_some() || store.outbox.is_some() => (
                "names a store from which nothing can be moved beside an `outbox`",
                "write `outbox = \"off\"` for both until the migration is done: while two stores are written, neither has all events",
            ),
            Some(_) if is_used => (
                "names a store that a policy keeps sessions in",
                "name this store in `persistence.store_name` of every such policy",
            ),
            Some(_) => continue,
        };
        let reason = format!("(\"{from}\") {reason}");
        problems.push(problem(draft, "migrate_from", "store_migration", &reason).with_help(help));
    }
}

/// What stores of a kind are to the profiles: files are for development, and what memory holds ends with the process.
pub(crate) fn judge_kinds(
    policies: &[Resolved],
    drafts: &[Draft],
    stores: &[StoreConfig],
    problems: &mut Vec<Problem>,
) {
    let keys = ["scope", "persistence.store_name"];
    let kept = policies.iter().filter(|policy| policy.can_judge(&keys) && !policy.is("scope", "request"));
    let used: Vec<&str> = kept.filter_map(|policy| policy.text("persistence.store_name")).collect();
    for (draft, store) in drafts.iter().zip(stores).filter(|(draft, _)| !draft.broken.contains("kind")) {
        let found = match store.kind {
            StoreKind::Memory { .. } if used.contains(&draft.name.as_str()) => (
                "store_memory",
                "(memory) loses all sessions at a restart, and shares none with other nodes",
                "bind a store that outlives the process, or allow this one",
            ),
            StoreKind::File { .. } => (
                "store_file",
                "(file) is a store for development",
                "keep sessions elsewhere, such as in `kind = \"sqlite\"`; or run with SESSIONS_PROFILE=development",
            ),
            StoreKind::Redis { ref address, durability, .. } => {
                problems.extend(plain_link(draft, address));
                if durability == Durability::Replicated {
                    (
                        "store_replication",
                        "(redis) may fail over to a replica that has not the last moments, though another has",
                        "keep what may never lose a revocation in a store such as `kind = \"postgres\"`",
                    )
                } else {
                    (
                        "store_replication",
                        "(redis) replicates after it has answered: a failover can undo the last moments",
                        "write `durability = \"replicated\"`, and keep what may never lose a revocation in a store such as \
                         `kind = \"postgres\"`",
                    )
                }
            }
            _ => continue,
        };
        let (rule, reason, help) = found;
        problems.push(problem(draft, "kind", rule, reason).with_help(help));
    }
    judge_nearness(policies, drafts, stores, problems);
}

/// A server on another machine, over a link that others can read, or without a password.
fn plain_link(draft: &Draft, address: &RedisAddress) -> Option<Problem> {
    let is_here = |host: &str| {
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    };
    if address.nodes().iter().all(|(host, _)| is_here(host)) {
        return None;
    }
    let (reason, help) = match (address.is_tls(), address.password()) {
        (true, Some(_)) => return None,
        (false, _) => ("sends sessions over the network as they are", "write `rediss://`, or allow it"),
        (true, None) => ("names no password", "write `rediss://USER:PASSWORD@HOST`, or allow it"),
    };
    Some(problem(draft, "url", "store_plain_link", reason).with_help(help))
}

/// A later layer that changes the kind makes the earlier kind's keys moot; beside it they are a mistake.
fn keys_of_other_kinds(draft: &Draft, kind: &str, problems: &mut Vec<Problem>, notes: &mut Vec<Note>) {
    let stated = draft.stated.get("kind");
    let layer = stated.map_or(Layer::Default, |stated| stated.layer);
    let others = OF_SOME_KINDS.iter().filter(|(_, own)| !own.contains(&kind));
    for (key, own, at) in others.filter_map(|(key, own)| Some((*key, *own, draft.stated.get(key)?))) {
        let by_default = if stated.is_none() { ", the default" } else { "" };
        let reason = format!("has no effect with `kind = \"{kind}\"`{by_default}");
        if layer > at.layer {
            let full = full(draft, key);
            let message = format!("`{full}` {reason}");
            notes.push(Note { origin: at.origin.clone(), key: full, message });
        } else {
            let problem = problem(draft, key, "store_key_without_effect", &reason);
            let help = if let Origin::Variable(_) = at.origin {
                let variable = Table::Stores.key("kind").map(|key| key.variable(&draft.name));
                format!("unset the variable, or set {}={}", variable.unwrap_or_default(), own.join(" or "))
            } else {
                let own: Vec<_> = own.iter().map(|own| format!("`kind = \"{own}\"`")).collect();
                format!("drop the key, or write {}", own.join(" or "))
            };
            problems.push(problem.with_help(help));
        }
    }
}

fn max_sessions(draft: &Draft) -> usize {
    match setting(draft, "max_sessions") {
        Some(Setting::Count(count)) => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    }
}

fn pooler(draft: &Draft) -> Pooler {
    match setting(draft, "pooler") {
        Some(Setting::Word(word)) => Pooler::from_word(word).unwrap_or_default(),
        _ => Pooler::default(),
    }
}

fn durability(draft: &Draft) -> Durability {
    match setting(draft, "durability") {
        Some(Setting::Word(word)) => Durability::from_word(word).unwrap_or_default(),
        _ => Durability::default(),
    }
}

fn key_prefix(draft: &Draft) -> String {
    match setting(draft, "key_prefix") {
        Some(Setting::Text(prefix)) => prefix,
        _ => String::new(),
    }
}

fn when_full(draft: &Draft) -> WhenFull {
    match setting(draft, "when_full") {
        Some(Setting::Word(word)) => WhenFull::from_word(word).unwrap_or(WhenFull::Evict),
        _ => WhenFull::Evict,
    }
}

/// The value of a key, written or by default.
pub(super) fn setting(draft: &Draft, path: &str) -> Option<Setting> {
    let stated = draft.stated.get(path).map(|stated: &Stated| stated.setting.clone());
    stated.or_else(|| Table::Stores.key(path).and_then(|key: &Key| read_fallback(key, key.fallback())))
}

fn full(draft: &Draft, key: &str) -> String {
    format!("stores.{}.{key}", draft.name)
}

pub(super) fn problem(draft: &Draft, key: &str, rule: &'static str, reason: &str) -> Problem {
    let origin = draft.stated.get(key).map_or(&draft.origin, |stated| &stated.origin);
    let full = full(draft, key);
    let message = format!("`{full}` {reason}");
    Problem::new(origin.clone(), full, rule, message)
}
