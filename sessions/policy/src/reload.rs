//! What a running program can't take over from newer settings before it is started again: which stores there are and
//! where a policy's sessions are kept and travel. Everything else applies to the next request.

use std::path::Path;

use crate::client_certificate::ClientCertificate;
use crate::configuration::{Configuration, Note};
use crate::explain::Provenance;
use crate::index_key::IndexKey;
use crate::origin::{Layer, Origin};
use crate::policy::{Adapter, SessionPolicy};
use crate::resolve::ORDER;
use crate::sentinel_user::SentinelUser;
use crate::source::Sources;
use crate::store_config::{StoreConfig, StoreKind};
use crate::value::{duration_text, shown};

/// The value of a key, as a person writes it.
type Value = fn(&SessionPolicy) -> String;

/// The keys of a policy that need a restart.
const FIXED: &[(&str, Value)] = &[
    ("persistence.store_name", |policy| policy.persistence().store_name().to_owned()),
    ("transport.adapter", |policy| policy.transport().adapter().to_string()),
    (ORDER, |policy| policy.transport().order()),
];

impl Sources {
    /// What of `next`, these settings as they were [checked](Self::check), a program that runs with `running` can't take
    /// over: each with its place and key. Empty if all of it can apply to the next request.
    pub fn needs_restart(&self, running: &Configuration, next: &Configuration) -> Vec<Note> {
        let policies = next.policies().flat_map(|policy| self.fixed_of_policy(running, policy));
        policies.chain(self.fixed_of_stores(running, next)).collect()
    }

    fn fixed_of_policy(&self, running: &Configuration, next: &SessionPolicy) -> Vec<Note> {
        let name = next.name();
        let Some(before) = running.policy(name) else { return Vec::new() };
        let is_composite = |policy: &SessionPolicy| policy.transport().adapter() == Adapter::Composite;
        let has_order = is_composite(before) && is_composite(next);
        let fixed = FIXED.iter().filter(|(key, _)| *key != ORDER || has_order);
        let changed = fixed.map(|(key, of)| (*key, of(before), of(next)));
        let lasting = (before.is_persistent() != next.is_persistent()).then(|| self.lasting(before, next));
        lasting
            .into_iter()
            .chain(changed)
            .filter(|(_, before, now)| before != now)
            .map(|(key, before, now)| Note {
                origin: origin(self.explain(name, key)),
                key: format!("policies.{name}.{key}"),
                message: format!(
                    "`policies.{name}.{key}` can't change from {before} to {now} while the program runs"
                ),
            })
            .collect()
    }

    /// The key by which a policy began or ceased to keep its sessions, with what it said and says: two keys say the
    /// same, and the one that was not written gave way.
    fn lasting(&self, before: &SessionPolicy, next: &SessionPolicy) -> (&'static str, String, String) {
        let scope_gave_way = self
            .explain(next.name(), "scope")
            .and_then(|chain| chain.into_iter().find(Provenance::holds))
            .is_some_and(|holds| holds.layer() == Layer::Adapted);
        if scope_gave_way {
            let enabled = |policy: &SessionPolicy| policy.is_persistent().to_string();
            return ("persistence.enabled", enabled(before), enabled(next));
        }
        ("scope", before.scope().to_string(), next.scope().to_string())
    }

    fn fixed_of_stores(&self, running: &Configuration, next: &Configuration) -> Vec<Note> {
        let note = |name: &str, what: &str| Note {
            origin: origin(self.explain_store(name, "kind")),
            key: format!("stores.{name}"),
            message: format!("`stores.{name}` {what} while the program runs"),
        };
        let changed = next.stores().flat_map(|store| match running.store(store.name()) {
            None => vec![note(store.name(), "can't be added")],
            Some(before) => self.fixed_of_store(before, store),
        });
        let lost = running.stores().filter(|store| next.store(store.name()).is_none());
        changed.chain(lost.map(|store| note(store.name(), "can't be taken away"))).collect()
    }

    fn fixed_of_store(&self, before: &StoreConfig, next: &StoreConfig) -> Vec<Note> {
        let name = next.name();
        let note = |key: &str, what: String| Note {
            origin: origin(self.explain_store(name, key)),
            key: format!("stores.{name}.{key}"),
            message: format!("`stores.{name}.{key}` can't change {what}while the program runs"),
        };
        let hidden = changed_secrets(before, next);
        let (before, now) = (of_store(before), of_store(next));
        let changed = now.into_iter().filter_map(|(key, now)| {
            let (_, before) = before.iter().find(|(other, _)| *other == key)?;
            (*before != now).then_some((key, before, now))
        });
        let notes = changed.map(|(key, before, now)| note(key, format!("from {before} to {now} ")));
        notes.chain(hidden.into_iter().map(|(key, what)| note(key, what.to_owned()))).collect()
    }
}

/// The keys of which only a secret part differs, and what of them: none is ever shown.
fn changed_secrets(before: &StoreConfig, next: &StoreConfig) -> Vec<(&'static str, &'static str)> {
    const PARTS: &str = "its user, password or parameters ";
    let mut changed = Vec::new();
    match (before.kind(), next.kind()) {
        (
            StoreKind::Redis { address: before, sentinel_user: user_before, .. },
            StoreKind::Redis { address, sentinel_user, .. },
        ) => {
            if before != address && before.to_string() == address.to_string() {
                changed.push(("url", PARTS));
            }
            let name = |user: &Option<SentinelUser>| {
                user.as_ref().and_then(SentinelUser::username).map(str::to_owned)
            };
            if name(user_before) != name(sentinel_user) {
                changed.push(("sentinel_username", ""));
            } else if user_before != sentinel_user {
                changed.push(("sentinel_password", ""));
            }
        }
        (StoreKind::Postgres { address: before, .. }, StoreKind::Postgres { address, .. })
            if before != address && before.to_string() == address.to_string() =>
        {
            changed.push(("url", PARTS));
        }
        _ => {}
    }
    if !IndexKey::are_same(before.index_key(), next.index_key()) {
        changed.push(("index_key", ""));
    }
    changed
}

/// The keys of a store that need a restart, as a person writes them. What only one kind of store has goes with the kind.
fn of_store(store: &StoreConfig) -> Vec<(&'static str, String)> {
    let from = store.migrate_from().map_or_else(|| "no store".to_owned(), shown);
    let mut keys = of_kind(store);
    keys.push(("migrate_from", from));
    keys
}

fn of_kind(store: &StoreConfig) -> Vec<(&'static str, String)> {
    match store.kind() {
        StoreKind::Memory { max_sessions, when_full } => vec![
            ("kind", "memory".to_owned()),
            ("max_sessions", max_sessions.to_string()),
            ("when_full", when_full.to_string()),
        ],
        StoreKind::File { directory } => {
            vec![("kind", "file".to_owned()), ("directory", shown(&directory.display().to_string()))]
        }
        StoreKind::Sqlite { path } => {
            vec![("kind", "sqlite".to_owned()), ("url", shown(&format!("sqlite://{}", path.display())))]
        }
        StoreKind::Postgres { address, pooler, certificate } => {
            let own = [
                ("kind", "postgres".to_owned()),
                ("url", address.to_string()),
                ("pooler", pooler.to_string()),
                ("outbox", outbox(store)),
            ];
            own.into_iter().chain(of_certificate(certificate.as_ref())).collect()
        }
        StoreKind::Redis { address, key_prefix, durability, certificate, .. } => {
            let own = [
                ("kind", "redis".to_owned()),
                ("url", address.to_string()),
                ("key_prefix", shown(key_prefix)),
                ("durability", durability.to_string()),
                ("outbox", outbox(store)),
            ];
            own.into_iter().chain(of_certificate(certificate.as_ref())).collect()
        }
        StoreKind::Custom => vec![("kind", "custom".to_owned())],
    }
}

fn of_certificate(certificate: Option<&ClientCertificate>) -> [(&'static str, String); 2] {
    let path =
        |path: Option<&Path>| path.map_or("none".to_owned(), |path| shown(&path.display().to_string()));
    [
        ("client_certificate", path(certificate.map(ClientCertificate::certificate))),
        ("client_key", path(certificate.map(ClientCertificate::key))),
    ]
}

fn outbox(store: &StoreConfig) -> String {
    store.outbox().map_or_else(|| "off".to_owned(), duration_text)
}

/// Where the value that holds was written.
fn origin(chain: Option<Vec<Provenance>>) -> Origin {
    let holds = chain.into_iter().flatten().find(Provenance::holds);
    holds.map_or(Origin::Default, |provenance| provenance.origin().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    const RUNNING: &str = "[stores.main]\nkind = \"memory\"\nmax_sessions = 10\n\n[policies.shop]\nextends = \"user_default\"\n";

    fn judged(text: &str) -> Vec<String> {
        let sources = |text: &str| Sources {
            file: Some(SourceFile { name: "sessions.toml".into(), text: text.into() }),
            ..Sources::default()
        };
        let next = sources(text);
        let running = sources(RUNNING).check().unwrap();
        let notes = next.needs_restart(&running, &next.check().unwrap());
        notes.iter().map(|note| format!("{}: {}", note.origin(), note.message())).collect()
    }

    #[test]
    fn lifetimes_limits_and_names_of_cookies_need_no_restart() {
        assert!(judged(RUNNING).is_empty());
        let next = format!(
            "{RUNNING}ttl = \"1h\"\nidle_timeout = \"1min\"\ntransport = {{ cookie_name = \"__Host-Http-other\" }}\n"
        );
        assert!(judged(&next).is_empty(), "{:?}", judged(&next));
    }

    #[test]
    fn the_key_that_was_written_is_the_one_that_is_named() {
        for (key, says) in [
            ("scope = \"request\"", "`policies.shop.scope` can't change from user to request"),
            (
                "persistence.enabled = false",
                "`policies.shop.persistence.enabled` can't change from true to false",
            ),
        ] {
            let notes = judged(&format!("{RUNNING}{key}\n"));
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert!(notes[0].starts_with("sessions.toml:7:") && notes[0].contains(says), "{notes:?}");
        }
        let custom = RUNNING.replace("memory", "custom").replace("max_sessions = 10", "");
        let notes = judged(&custom);
        assert!(notes[0].contains("`stores.main.kind` can't change from memory to custom"), "{notes:?}");
    }

    #[test]
    fn another_store_and_another_transport_need_one() {
        let next = RUNNING.replace("max_sessions = 10", "max_sessions = 20")
            + "transport = { adapter = \"header\" }\n[stores.more]\nkind = \"memory\"\n";
        let notes = judged(&next);
        assert_eq!(notes.len(), 3, "{notes:?}");
        let adapter = "`policies.shop.transport.adapter` can't change from cookie to header";
        assert!(notes[0].starts_with("sessions.toml:7:25: ") && notes[0].contains(adapter), "{notes:?}");
        let size = "sessions.toml:3:16: `stores.main.max_sessions` can't change from 10 to 20";
        assert!(notes[1].starts_with(size), "{notes:?}");
        assert!(notes[2].contains("`stores.more` can't be added"));
    }
}
