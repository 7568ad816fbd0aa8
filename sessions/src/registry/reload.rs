//! New settings for a running program: they apply to the next request, all at once or not at all.

use std::{
    io,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use sessions_policy::{Configuration, EncryptionKeys};

use super::{
    Declared, Last, LoadError, Registry, Settings, builder,
    load::{self, Read},
};
use crate::engine::SessionEngine;

/// What a [`Registry::reload`] changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The policies whose settings are other ones now, in the order of their declaration.
    pub policies: Vec<String>,
}

impl<D: Declared> Registry<D> {
    /// Reads the file and the variables of the process again, as [`load`](Self::load) does, and puts them in force; so it
    /// does where the registry was made with settings of its own.
    ///
    /// They apply to the next request; one that is under way goes on by the settings that it began with. A lifetime that
    /// became shorter holds for living sessions too. What is wrong changes nothing. Names of policies, stores and the
    /// kinds of transports can't change while the program runs. Variables are those that the process was started with.
    ///
    /// It reads a file: call it where a moment's wait does no harm.
    ///
    /// ```
    /// # sessions::policies! { visits: { extends: "user_default" } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::LoadError> {
    /// let registry = policies::Registry::load().await?;
    /// // … the file has changed …
    /// match registry.reload() {
    ///     Ok(reloaded) => println!("changed: {:?}", reloaded.policies),
    ///     Err(error) => eprintln!("nothing has changed:\n{error}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`LoadError`] as for [`load`](Self::load): every problem of the new settings.
    /// - [`LoadError::NeedsRestart`]: they are right, and something of them can't change now.
    pub fn reload(&self) -> Result<Reloaded, LoadError> {
        self.put_in_force(|last| {
            let read = load::of_process::<D>()?;
            match (&last.path, &read.path) {
                // The copy in the program is for a program that never had a file.
                (Some(path), None) => {
                    Err(LoadError::File { path: path.clone(), error: io::ErrorKind::NotFound.into() })
                }
                _ => Ok(read),
            }
        })
    }

    /// The same with exactly this file text and these variables: for tests and tools.
    ///
    /// # Errors
    /// As for [`reload`](Self::reload).
    pub fn reload_with(
        &self,
        file: Option<&str>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Reloaded, LoadError> {
        self.put_in_force(|_| load::given::<D>(file, variables))
    }

    /// Whether this was the text of the policy file when it was read last.
    #[cfg(feature = "watch")]
    pub(super) fn has_read(&self, text: &str) -> bool {
        self.last().text.as_deref() == Some(text)
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.parts.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_in_force(
        &self,
        read: impl FnOnce(&Last) -> Result<Read, LoadError>,
    ) -> Result<Reloaded, LoadError> {
        let mut last = self.last();
        let read = read(&last)?;
        last.text = read.text().map(str::to_owned);
        let (running, profile) = (self.settings(), self.parts.profile);
        if read.sources.profile != profile {
            let message =
                format!("can't change from {profile} while the program runs\n  = help: start it again");
            return Err(LoadError::Profile { message });
        }
        let configuration = read.sources.check().map_err(LoadError::Configuration)?;
        let fixed = read.sources.needs_restart(&running.configuration, &configuration);
        if !fixed.is_empty() {
            return Err(LoadError::NeedsRestart(fixed));
        }
        last.path = read.path;
        let engines = engines(&running, &configuration);
        let changed = |engine: &&SessionEngine| !running.engines.iter().any(|before| before.is(engine));
        let policies: Vec<_> =
            engines.iter().filter(changed).map(|engine| engine.policy().name().to_owned()).collect();
        let limited = |(name, store): &(String, _)| {
            let limit = configuration.store(name).map(sessions_policy::StoreConfig::timeout);
            let store: crate::SharedStore = Clone::clone(store);
            (name.clone(), limit.map_or(store.clone(), |limit| store.with_limit(limit)))
        };
        let stores = running.stores.iter().map(limited).collect();
        builder::tell(&configuration, profile);
        self.parts.family.join(&engines);
        self.parts.settings.store(Arc::new(Settings {
            engines,
            stores,
            configuration,
            profile,
            #[cfg(feature = "dashboard")]
            sources: read.sources,
        }));
        if policies.is_empty() {
            tracing::info!("the session policies were read again: nothing has changed");
        } else {
            tracing::info!(?policies, "the session policies were read again and are in force");
        }
        Ok(Reloaded { policies })
    }
}

/// The engines of new settings: the ones before where nothing has changed.
fn engines(running: &Settings, configuration: &Configuration) -> Vec<SessionEngine> {
    let of = |policy: &crate::SessionPolicy| {
        let engine = running.engine(policy.name())?;
        let store = configuration.store(policy.persistence().store_name());
        let Some(store) = store.filter(|_| engine.store().is_some()) else {
            // It keeps nothing, so nothing of a store's matters to it.
            let is_same = engine.policy() == policy;
            let under = || engine.under(policy.clone(), Duration::default(), &EncryptionKeys::default());
            return Some(if is_same { engine.clone() } else { under() });
        };
        let (limit, keys) = (store.timeout(), store.encryption_keys());
        let before = running.configuration.store(store.name());
        let is_same = engine.policy() == policy
            && engine.store().is_some_and(|store| store.limit() == limit)
            && before.is_some_and(|before| before.encryption_keys().is_same(keys));
        Some(if is_same { engine.clone() } else { engine.under(policy.clone(), limit, keys) })
    };
    configuration.policies().filter_map(of).collect()
}
