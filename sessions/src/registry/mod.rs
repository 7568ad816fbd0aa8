//! All policies of a program, checked together and each with its engine.

mod builder;
mod caught;
mod load;
mod reload;
mod sweeper;
#[cfg(feature = "watch")]
mod watch;

use std::{
    fmt,
    marker::PhantomData,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use sessions_policy::{Configuration, Declaration, Note, Problem, Profile};

#[cfg(feature = "watch")]
pub use self::watch::Watch;
pub use self::{builder::RegistryBuilder, load::LoadError, reload::Reloaded};
use self::{caught::caught, sweeper::Sweeper};
use crate::{
    engine::{Family, SessionEngine},
    event::{Bus, SessionEvent},
    fault::SessionError,
    layer::SessionLayer,
    principal::SessionPrincipal,
    session::Registered,
    soon::all,
    store::{SessionStore, SharedStore, StoreError, StoreStats},
};

/// What `policies!` knew when the program was built.
pub trait Declared: Send + Sync + 'static {
    /// The policy file as it was then; it is part of the binary.
    const FILE: Option<EmbeddedFile>;
    /// The names of all policies: a file or a variable that names another is refused.
    const NAMES: &'static [&'static str];
    /// What Rust code declares: inline policies and structs.
    fn declarations() -> Vec<Declaration>;
}

/// A policy file as the build saw it.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedFile {
    /// The name that `policies!` was given.
    pub name: &'static str,
    /// Its content.
    pub text: &'static str,
}

/// The engines of a program's policies.
///
/// `policies!` generates the type `policies::Registry`, and [`load`](Self::load) makes one: it reads the file, the
/// profile and the `SESSIONS_…` variables, checks them by the rules that the build used, and starts the stores.
///
/// While it lives, a task on the runtime that loaded it frees what has expired in every store: about once a minute, a few
/// hundred entries at a time. No answer depends on that, as every load judges lifetimes itself. A store that fails is left
/// alone for longer and longer, up to a quarter of an hour, and told once in the log.
pub struct Registry<D> {
    parts: Arc<Parts>,
    declared: PhantomData<fn() -> D>,
}

/// What stays while the program runs, and the settings that are in force.
struct Parts {
    settings: ArcSwap<Settings>,
    profile: Profile,
    bus: Bus,
    family: Arc<Family>,
    /// Held while settings are read and take the place of the ones before, so that the last to be read are in force.
    last: Mutex<Last>,
    /// Ends with the last clone of the registry.
    sweeper: Sweeper,
}

/// What was read last, whether or not it was right.
#[derive(Debug)]
struct Last {
    /// The text of the policy file.
    text: Option<String>,
    /// The file that the settings in force came from.
    path: Option<PathBuf>,
}

/// One configuration that passed, and its engines. A request goes by the same one from its beginning to its end.
pub(crate) struct Settings {
    engines: Vec<SessionEngine>,
    stores: Vec<(String, SharedStore)>,
    configuration: Configuration,
    profile: Profile,
}

impl Settings {
    /// The engine of a policy, by name: there are few, and the length decides nearly always.
    pub(crate) fn engine(&self, name: &str) -> Option<&SessionEngine> {
        self.engines.iter().find(|engine| engine.policy().name() == name)
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }
}

impl<D> Clone for Registry<D> {
    fn clone(&self) -> Self {
        Self { parts: Arc::clone(&self.parts), declared: PhantomData }
    }
}

impl<D> fmt::Debug for Registry<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("engines", &self.settings().engines).finish_non_exhaustive()
    }
}

impl<D> Registry<D> {
    /// The settings that are in force.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.parts.settings.load_full()
    }
}

impl<D: Declared> Registry<D> {
    /// Loads everything as a program's start does: file, profile and variables of the process, stores as declared.
    ///
    /// # Errors
    /// [`LoadError`], with all problems at once; [`LoadError::exit_code`] is what a program should exit with.
    pub async fn load() -> Result<Self, LoadError> {
        Self::builder().load().await
    }

    /// Loads with parts chosen one by one: stores of your own, another clock.
    pub fn builder() -> RegistryBuilder<D> {
        RegistryBuilder::new()
    }

    /// The layer that gives handlers their sessions and commits them.
    pub fn layer(&self) -> SessionLayer<D> {
        SessionLayer::new(self.clone())
    }

    /// The engine of a policy, under the settings that are in force: ask again after a [`reload`](Self::reload).
    ///
    /// # Panics
    /// Never: every policy that is registered with `D` has an engine.
    pub fn engine<P: Registered<Declared = D>>(&self) -> SessionEngine {
        self.engine_named(P::NAME).expect("`load` makes an engine for every name in `Declared::NAMES`")
    }

    /// The engine of the policy of this name.
    pub fn engine_named(&self, name: &str) -> Option<SessionEngine> {
        self.settings().engine(name).cloned()
    }

    /// All engines, in the order of their declaration.
    pub fn engines(&self) -> Vec<SessionEngine> {
        self.settings().engines.clone()
    }

    /// What the configuration leaves without effect, in words, for the log.
    pub fn notes(&self) -> Vec<Note> {
        self.settings().configuration.notes().to_vec()
    }

    /// What the lints have found and the profile doesn't refuse.
    pub fn findings(&self) -> Vec<Problem> {
        self.settings().configuration.findings().to_vec()
    }

    /// The profile that `SESSIONS_PROFILE` chose.
    pub fn profile(&self) -> Profile {
        self.parts.profile
    }

    /// Calls `listener` for every event of every policy; see [`SessionEngine::on_event`].
    pub fn on_event(&self, listener: impl Fn(&SessionEvent) + Send + Sync + 'static) {
        self.parts.bus.listen(listener);
    }

    /// Says that a password or another factor of a principal was changed, reset or removed by an operator or a process of
    /// recovery: see [`SessionEngine::credentials_changed`].
    ///
    /// ```
    /// # sessions::policies! { visits: { extends: "user_default" } }
    /// use sessions::SessionPrincipal;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = policies::Registry::load().await?;
    /// let ended = registry.credentials_changed(&SessionPrincipal::user("u1")).await?;
    /// assert_eq!(ended, 0, "nobody was logged in");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell. Policies that came first are
    /// done then: call it again.
    pub async fn credentials_changed(&self, principal: &SessionPrincipal) -> Result<u64, SessionError> {
        match self.engines().first() {
            Some(engine) => engine.credentials_changed(principal).await,
            None => Ok(0),
        }
    }

    /// What each store holds, by the store's name.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell.
    pub async fn stats(&self) -> Result<Vec<(String, StoreStats)>, SessionError> {
        let mut stats = Vec::new();
        for (name, store) in &self.settings().stores {
            stats.push((name.clone(), store.stats().await?));
        }
        Ok(stats)
    }

    /// Ends every open socket and stream with [`SessionEnding::ShuttingDown`](crate::SessionEnding::ShuttingDown), refuses new
    /// ones from now on, and waits until the last is closed, at most for so long: call it as soon as the program is told to
    /// stop. A server's graceful end does not wait for sockets.
    pub async fn close_watches(&self, limit: Duration) {
        let engines = self.engines();
        all(engines.iter().map(|engine| engine.close_watches(limit))).await;
    }

    /// Ends open sockets, stops freeing what has expired, makes everything acknowledged durable and closes the stores, all at once: call it
    /// after the server has stopped. It takes no longer than the longest `timeout` of a store.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store failed; the others are shut down all the same,
    /// and the log names each that failed.
    ///
    /// # Cancel safety
    /// What was acknowledged stays so. Call it again to finish.
    pub async fn shutdown(&self) -> Result<(), SessionError> {
        self.parts.sweeper.stop();
        let settings = self.settings();
        settings.engines.iter().for_each(SessionEngine::end_watches);
        let shut = settings.stores.iter().map(|(name, store)| async move {
            let panicked = || StoreError::Unknown(Some("it panicked".into()));
            let shut = caught(store.shutdown()).await.unwrap_or_else(|| Err(panicked()));
            shut.inspect_err(|error| {
                let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(store = name, %error, cause, "a session store did not shut down");
            })
        });
        all(shut).await.into_iter().collect::<Result<(), StoreError>>().map_err(SessionError::from)
    }
}
