//! New settings for a running program: they apply to the next request, all at once or not at all.

use std::sync::{Arc, PoisonError};

use sessions_policy::Sources;

use super::{Declared, LoadError, Registry, Settings, builder, load};

/// What a [`Registry::reload`] changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The policies whose settings are other ones now, in the order of their declaration.
    pub policies: Vec<String>,
}

impl<D: Declared> Registry<D> {
    /// Reads the file and the variables again, as [`load`](Self::load) did, and puts them in force.
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
        self.put_in_force(&load::of_process::<D>()?)
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
        self.put_in_force(&load::given::<D>(file, variables)?)
    }

    fn put_in_force(&self, sources: &Sources) -> Result<Reloaded, LoadError> {
        let parts = &self.parts;
        let _turn = parts.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let configuration = sources.check().map_err(LoadError::Configuration)?;
        let running = self.settings();
        let fixed = sources.needs_restart(&running.configuration, &configuration);
        if !fixed.is_empty() {
            return Err(LoadError::NeedsRestart(fixed));
        }
        let mut policies = Vec::new();
        let engines: Vec<_> = configuration
            .policies()
            .filter_map(|policy| {
                let engine = running.engine(policy.name())?;
                let store = configuration.store(policy.persistence().store_name());
                let limit = store.map(sessions_policy::StoreConfig::timeout);
                let is_same = engine.policy() == policy
                    && engine.store().is_none_or(|store| Some(store.limit()) == limit);
                if is_same {
                    return Some(engine.clone());
                }
                policies.push(policy.name().to_owned());
                Some(engine.under(policy.clone(), limit.unwrap_or_default()))
            })
            .collect();
        builder::tell(&configuration, parts.profile);
        parts.family.join(&engines);
        parts.settings.store(Arc::new(Settings { engines, configuration, profile: parts.profile }));
        if policies.is_empty() {
            tracing::info!("the session policies were read again: nothing has changed");
        } else {
            tracing::info!(?policies, "the session policies were read again and are in force");
        }
        Ok(Reloaded { policies })
    }
}
