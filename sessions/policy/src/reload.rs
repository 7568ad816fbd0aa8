//! What a running program can't take over from newer settings before it is started again: which stores there are and
//! where a policy's sessions are kept and travel. Everything else applies to the next request.

use crate::configuration::{Configuration, Note};
use crate::explain::Provenance;
use crate::origin::Origin;
use crate::policy::SessionPolicy;
use crate::source::Sources;

/// The value of a key, as a person writes it.
type Value = fn(&SessionPolicy) -> String;

/// The keys of a policy that need a restart.
const FIXED: &[(&str, Value)] = &[
    ("persistence.enabled", |policy| policy.is_persistent().to_string()),
    ("persistence.store_name", |policy| policy.persistence().store_name().to_owned()),
    ("transport.adapter", |policy| policy.transport().adapter().to_string()),
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
        let changed = FIXED.iter().map(|(key, of)| (key, of(before), of(next)));
        changed
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

    fn fixed_of_stores(&self, running: &Configuration, next: &Configuration) -> Vec<Note> {
        let note = |name: &str, what: &str| Note {
            origin: origin(self.explain_store(name, "kind")),
            key: format!("stores.{name}"),
            message: format!("`stores.{name}` {what} while the program runs"),
        };
        let changed = next.stores().filter_map(|store| match running.store(store.name()) {
            None => Some(note(store.name(), "can't be added")),
            Some(before) if before.kind() != store.kind() => {
                Some(note(store.name(), "can't be another store"))
            }
            Some(_) => None,
        });
        let lost = running.stores().filter(|store| next.store(store.name()).is_none());
        changed.chain(lost.map(|store| note(store.name(), "can't be taken away"))).collect()
    }
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
    fn another_store_and_another_transport_need_one() {
        let next = RUNNING.replace("max_sessions = 10", "max_sessions = 20")
            + "transport = { adapter = \"header\" }\n[stores.more]\nkind = \"memory\"\n";
        let notes = judged(&next);
        assert_eq!(notes.len(), 3, "{notes:?}");
        let adapter = "`policies.shop.transport.adapter` can't change from cookie to header";
        assert!(notes[0].starts_with("sessions.toml:7:25: ") && notes[0].contains(adapter), "{notes:?}");
        assert!(notes[1].contains("`stores.main` can't be another store"));
        assert!(notes[2].contains("`stores.more` can't be added"));
    }
}
