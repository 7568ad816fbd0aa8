//! All policies of a program, checked together and each with its engine.

mod load;

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use sessions_policy::{Configuration, Declaration, Note, Problem, Profile, Severity, Sources, StoreKind};

pub use self::load::LoadError;
use crate::{
    clock::Clock,
    engine::SessionEngine,
    entropy::Entropy,
    event::{Bus, SessionEvent},
    fault::SessionError,
    layer::SessionLayer,
    session::Registered,
    store::{MemoryStore, SessionStore, SharedStore, StoreStats},
};

/// How long stores may take to answer when a registry is loaded.
const START: Duration = Duration::from_secs(8);

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
pub struct Registry<D> {
    pub(crate) shared: Arc<RegistryShared>,
    declared: PhantomData<fn() -> D>,
}

pub(crate) struct RegistryShared {
    engines: Vec<SessionEngine>,
    stores: Vec<(String, SharedStore)>,
    notes: Vec<Note>,
    findings: Vec<Problem>,
    profile: Profile,
}

impl RegistryShared {
    /// The engine of a policy, by name: there are few, and the length decides nearly always.
    pub(crate) fn engine(&self, name: &str) -> Option<&SessionEngine> {
        self.engines.iter().find(|engine| engine.policy().name() == name)
    }
}

impl<D> Clone for Registry<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), declared: PhantomData }
    }
}

impl<D> fmt::Debug for Registry<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("engines", &self.shared.engines).finish_non_exhaustive()
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
        RegistryBuilder {
            stores: Vec::new(),
            clock: None,
            entropy: None,
            sources: None,
            declared: PhantomData,
        }
    }

    /// The layer that gives handlers their sessions and commits them.
    pub fn layer(&self) -> SessionLayer<D> {
        SessionLayer::new(self.clone())
    }

    /// The engine of a policy.
    ///
    /// # Panics
    /// Never: every policy that is registered with `D` has an engine.
    pub fn engine<P: Registered<Declared = D>>(&self) -> &SessionEngine {
        self.shared.engine(P::NAME).expect("`load` makes an engine for every name in `Declared::NAMES`")
    }

    /// The engine of the policy of this name.
    pub fn engine_named(&self, name: &str) -> Option<&SessionEngine> {
        self.shared.engine(name)
    }

    /// All engines, in the order of their declaration.
    pub fn engines(&self) -> impl Iterator<Item = &SessionEngine> {
        self.shared.engines.iter()
    }

    /// What the configuration leaves without effect, in words, for the log.
    pub fn notes(&self) -> &[Note] {
        &self.shared.notes
    }

    /// What the lints have found and the profile doesn't refuse.
    pub fn findings(&self) -> &[Problem] {
        &self.shared.findings
    }

    /// The profile that `SESSIONS_PROFILE` chose.
    pub fn profile(&self) -> Profile {
        self.shared.profile
    }

    /// Calls `listener` for every event of every policy; see [`SessionEngine::on_event`].
    pub fn on_event(&self, listener: impl Fn(&SessionEvent) + Send + Sync + 'static) {
        if let Some(engine) = self.shared.engines.first() {
            engine.on_event(listener);
        }
    }

    /// What each store holds, by the store's name.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell.
    pub async fn stats(&self) -> Result<Vec<(String, StoreStats)>, SessionError> {
        let mut stats = Vec::new();
        for (name, store) in &self.shared.stores {
            stats.push((name.clone(), store.stats().await?));
        }
        Ok(stats)
    }

    /// Makes everything acknowledged durable: call it after the server has stopped.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store failed; the others are shut down all the same.
    pub async fn shutdown(&self) -> Result<(), SessionError> {
        let mut result = Ok(());
        for (_, store) in &self.shared.stores {
            if let Err(error) = store.shutdown().await {
                result = Err(SessionError::from(error));
            }
        }
        result
    }
}

/// Chooses the parts of a [`Registry`].
#[derive(Debug)]
#[must_use = "a registry is made by `load`"]
pub struct RegistryBuilder<D> {
    stores: Vec<(String, SharedStore)>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
    sources: Option<Result<Sources, LoadError>>,
    declared: PhantomData<fn() -> D>,
}

impl<D: Declared> RegistryBuilder<D> {
    /// Binds a store of your own to the name of one that the file declares with `kind = "custom"`.
    pub fn store(self, name: impl Into<String>, store: impl SessionStore) -> Self {
        self.shared_store(name, SharedStore::new(store))
    }

    /// The same for a store that is shared already, such as by the registry of another node in a test.
    pub fn shared_store(mut self, name: impl Into<String>, store: SharedStore) -> Self {
        self.stores.push((name.into(), store));
        self
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Another source of secrets than the operating system.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// Exactly this file text and these variables, `SESSIONS_PROFILE` among them, instead of those of the process: for
    /// tests and tools.
    pub fn with_settings(
        mut self,
        file: Option<&str>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        self.sources = Some(load::given::<D>(file, variables));
        self
    }

    /// Checks the configuration and makes the engines.
    ///
    /// # Errors
    /// [`LoadError`], with all problems at once.
    pub async fn load(self) -> Result<Registry<D>, LoadError> {
        let sources = self.sources.unwrap_or_else(load::of_process::<D>)?;
        let configuration = sources.check().map_err(LoadError::Configuration)?;
        tell(&configuration, sources.profile);
        let stores = bind_stores(&configuration, &self.stores)?;
        for (name, store) in &stores {
            let reached = tokio::time::timeout(START, store.stats()).await;
            if !matches!(reached, Ok(Ok(_))) {
                return Err(LoadError::StoreUnreachable { store: name.clone() });
            }
        }
        let bus = Bus::default();
        let engines: Vec<_> = configuration
            .policies()
            .map(|policy| {
                let name = policy.persistence().store_name();
                let store = stores.iter().find(|(other, _)| other == name).map(|(_, store)| store.clone());
                let mut builder = SessionEngine::builder(policy.clone()).bus(bus.clone());
                if let Some(store) = store {
                    builder = builder.store(store);
                }
                if let Some(clock) = &self.clock {
                    builder = builder.clock(Arc::clone(clock));
                }
                if let Some(entropy) = &self.entropy {
                    builder = builder.entropy(Arc::clone(entropy));
                }
                builder.build()
            })
            .collect();
        SessionEngine::join(&engines);
        let shared = RegistryShared {
            engines,
            stores,
            notes: configuration.notes().to_vec(),
            findings: configuration.findings().to_vec(),
            profile: sources.profile,
        };
        Ok(Registry { shared: Arc::new(shared), declared: PhantomData })
    }
}

/// Logs what isn't refused.
fn tell(configuration: &Configuration, profile: Profile) {
    for note in configuration.notes() {
        tracing::warn!("{note}");
    }
    for finding in configuration.findings() {
        if finding.severity() == Severity::Warning {
            tracing::warn!("{finding}");
        } else {
            tracing::info!("{finding}");
        }
    }
    if profile == Profile::Development {
        tracing::warn!("SESSIONS_PROFILE: the development profile accepts what production refuses (SL095)");
    }
}

/// A store for every one that the configuration declares.
fn bind_stores(
    configuration: &Configuration,
    given: &[(String, SharedStore)],
) -> Result<Vec<(String, SharedStore)>, LoadError> {
    let mut stores = Vec::new();
    for declared in configuration.stores() {
        let name = declared.name();
        let custom = given.iter().find(|(other, _)| other == name).map(|(_, store)| store.clone());
        let store = match (declared.kind(), custom) {
            (StoreKind::Custom, Some(store)) => store,
            (StoreKind::Custom, None) => {
                return Err(LoadError::StoreNotBound { store: name.to_owned() });
            }
            (_, Some(_)) => return Err(LoadError::StoreNotCustom { store: name.to_owned() }),
            (StoreKind::Memory { max_sessions, when_full }, None) => {
                SharedStore::new(MemoryStore::new(*max_sessions).when_full(*when_full))
            }
            (_, None) => return Err(LoadError::StoreNotBound { store: name.to_owned() }),
        };
        stores.push((name.to_owned(), store.with_limit(declared.timeout())));
    }
    for (name, _) in given {
        if configuration.store(name).is_none() {
            return Err(LoadError::StoreNotDeclared { store: name.clone() });
        }
    }
    Ok(stores)
}
