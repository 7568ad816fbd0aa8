//! Chooses the parts of a registry, checks the settings and starts the stores.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use sessions_policy::{Configuration, Profile, Severity, StoreKind};
use tokio::time::{Instant, timeout_at};

use super::{
    Declared, Last, LoadError, Parts, Registry, Settings,
    load::{self, Read},
};
use crate::{
    clock::Clock,
    engine::{Family, SessionEngine},
    entropy::Entropy,
    event::Bus,
    store::{FileStore, MemoryStore, SessionStore, SharedStore, StoreError},
};

/// How long stores may take to open and to answer, all together, when a registry is loaded.
const START: Duration = Duration::from_secs(8);

/// Chooses the parts of a [`Registry`].
#[derive(Debug)]
#[must_use = "a registry is made by `load`"]
pub struct RegistryBuilder<D> {
    stores: Vec<(String, SharedStore)>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
    read: Option<Result<Read, LoadError>>,
    declared: PhantomData<fn() -> D>,
}

impl<D: Declared> RegistryBuilder<D> {
    pub(super) fn new() -> Self {
        Self { stores: Vec::new(), clock: None, entropy: None, read: None, declared: PhantomData }
    }

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
        self.read = Some(load::given::<D>(file, variables));
        self
    }

    /// Checks the configuration and makes the engines.
    ///
    /// # Errors
    /// [`LoadError`], with all problems at once.
    pub async fn load(self) -> Result<Registry<D>, LoadError> {
        let read = self.read.unwrap_or_else(load::of_process::<D>)?;
        let configuration = read.sources.check().map_err(LoadError::Configuration)?;
        let profile = read.sources.profile;
        tell(&configuration, profile);
        let until = Instant::now() + START;
        let stores = bind_stores(&configuration, &self.stores, until).await?;
        for (name, store) in &stores {
            let reached = timeout_at(until, store.stats()).await;
            if !matches!(reached, Ok(Ok(_))) {
                return Err(LoadError::StoreUnreachable { store: name.clone() });
            }
        }
        let (bus, family) = (Bus::default(), Arc::<Family>::default());
        let engines: Vec<_> = configuration
            .policies()
            .map(|policy| {
                let name = policy.persistence().store_name();
                let store = stores.iter().find(|(other, _)| other == name).map(|(_, store)| store.clone());
                let mut builder =
                    SessionEngine::builder(policy.clone()).bus(bus.clone()).family(Arc::clone(&family));
                if let Some(declared) = configuration.store(name) {
                    builder = builder.keys(declared.encryption_keys().clone());
                }
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
        family.join(&engines);
        let last = Last { text: read.text().map(str::to_owned), path: read.path };
        let settings = Settings { engines, stores, configuration, profile };
        let parts =
            Parts { settings: ArcSwap::from_pointee(settings), profile, bus, family, last: Mutex::new(last) };
        Ok(Registry { parts: Arc::new(parts), declared: PhantomData })
    }
}

/// Logs what isn't refused.
pub(super) fn tell(configuration: &Configuration, profile: Profile) {
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
async fn bind_stores(
    configuration: &Configuration,
    given: &[(String, SharedStore)],
    until: Instant,
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
            (kind, None) => match timeout_at(until, open(kind)).await {
                Ok(Ok(store)) => store,
                Ok(Err(error)) => return Err(LoadError::StoreNotOpened { store: name.to_owned(), error }),
                Err(_) => return Err(LoadError::StoreUnreachable { store: name.to_owned() }),
            },
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

/// Opens a store that outlives the process.
async fn open(kind: &StoreKind) -> Result<SharedStore, StoreError> {
    match kind {
        StoreKind::File { directory } => Ok(SharedStore::new(FileStore::open(directory).await?)),
        // The check of the settings refuses what this build has no code for.
        _ => Err(StoreError::Unavailable(Some("this build has no code for its kind".into()))),
    }
}
