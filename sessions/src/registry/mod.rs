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
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use sessions_policy::{Configuration, Declaration, Note, Problem, Profile};

#[cfg(feature = "cli")]
pub use self::builder::open_migrating;
#[cfg(feature = "watch")]
pub use self::watch::Watch;
pub use self::{builder::RegistryBuilder, load::LoadError, reload::Reloaded};
use self::{
    caught::{both, caught},
    sweeper::Sweeper,
};
use crate::{
    engine::{Family, SessionEngine},
    event::{Bus, EventKind, EventReceiver, EventSink, SessionEvent, SinkStats},
    fault::SessionError,
    layer::SessionLayer,
    outbox::Outbox,
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
    /// What they were read from: the dashboard says where each value comes from.
    #[cfg(feature = "dashboard")]
    sources: sessions_policy::Sources,
}

#[cfg(feature = "dashboard")]
impl Settings {
    pub(crate) fn engines(&self) -> &[SessionEngine] {
        &self.engines
    }

    pub(crate) fn stores(&self) -> &[(String, SharedStore)] {
        &self.stores
    }

    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    pub(crate) fn sources(&self) -> &sessions_policy::Sources {
        &self.sources
    }
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

    /// Gives the events of every policy to a sink, from now on: see [`EventSink`]. Routine events are made for it only if
    /// it wants them.
    pub fn add_sink(&self, sink: impl EventSink) {
        self.parts.bus.add(sink);
    }

    /// The events from now on, of the kinds that are wanted, for a task. What does not fit into `capacity` is dropped and
    /// counted: see [`EventReceiver`].
    ///
    /// ```
    /// # sessions::policies! { shop: { extends: "user_default" } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::LoadError> {
    /// let registry = policies::Registry::load().await?;
    /// let mut events = registry.subscribe(256, |kind| !kind.is_routine());
    /// tokio::spawn(async move {
    ///     while let Some(event) = events.recv().await {
    ///         println!("{}", event.to_json());
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self, capacity: usize, wants: impl Fn(EventKind) -> bool) -> EventReceiver {
        EventReceiver::new(&self.parts.bus, capacity, wants)
    }

    /// How many events were dropped because listeners were too slow.
    pub fn dropped_events(&self) -> u64 {
        self.parts.bus.dropped()
    }

    /// What became of each sink's events, in the order in which the sinks were added.
    pub fn sink_stats(&self) -> Vec<SinkStats> {
        self.parts.bus.sinks()
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
        let settings = self.settings();
        // At once, so that all take no longer than one may.
        let asked = settings
            .stores
            .iter()
            .map(|(name, store)| async move { Ok((name.clone(), store.stats().await?)) });
        all(asked).await.into_iter().collect()
    }

    /// The outbox of a store, where its `outbox` is set: what a consumer that may miss nothing reads.
    pub fn outbox(&self, store: &str) -> Option<Outbox> {
        self.settings().stores.iter().find(|(name, _)| name == store).and_then(|(_, store)| store.outbox())
    }

    /// Ends every open socket and stream with [`SessionEnding::ShuttingDown`](crate::SessionEnding::ShuttingDown), refuses new
    /// ones from now on, and waits until the last is closed, at most for so long: call it as soon as the program is told to
    /// stop. A server's graceful end does not wait for sockets.
    pub async fn close_watches(&self, limit: Duration) {
        let engines = self.engines();
        all(engines.iter().map(|engine| engine.close_watches(limit))).await;
    }

    /// What each store holds, told to the metrics: a gauge is what it was when this was last called. Call it where the
    /// metrics are asked for, such as in the handler of `/metrics`; it asks each store once.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell; the others are told all the same.
    #[cfg(feature = "metrics")]
    pub async fn measure(&self) -> Result<(), SessionError> {
        let settings = self.settings();
        let told = settings.stores.iter().map(|(name, store)| async move {
            let stats = store.stats().await?;
            crate::observe::holds(name, stats);
            Ok(())
        });
        all(told).await.into_iter().collect::<Result<(), StoreError>>().map_err(SessionError::from)
    }

    /// Ends open sockets, stops freeing what has expired, lets what requests have left to undo come to its end, makes everything acknowledged
    /// durable and closes the stores, all at once, and waits until the sinks have written their events: call it after the
    /// server has stopped. It takes no longer than twice the longest `timeout` of a store; a sink that can't write until
    /// then is told in the log, and is no error.
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
        let limit = settings.stores.iter().map(|(_, store)| store.limit()).max();
        let limit = limit.unwrap_or(SharedStore::DEFAULT_LIMIT);
        if self.parts.family.at_rest(limit).await.is_err() {
            tracing::warn!("the session stores are shut down before all requests have undone what they left");
        }
        let shut = settings.stores.iter().map(|(name, store)| async move {
            let panicked = || StoreError::Unknown(Some("it panicked".into()));
            let shut = caught(store.shutdown()).await.unwrap_or_else(|| Err(panicked()));
            shut.inspect_err(|error| {
                let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(store = name, %error, cause, "a session store did not shut down");
            })
        });
        let flush = self.parts.bus.flush(limit);
        let (shut, flushed) = both(pin!(all(shut)), pin!(flush)).await;
        if !flushed {
            tracing::error!("a sink has not written all session events before the end");
        }
        shut.into_iter().collect::<Result<(), StoreError>>().map_err(SessionError::from)
    }
}
