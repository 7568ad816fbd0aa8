//! Chooses the parts of a registry, checks the settings and starts the stores.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use sessions_policy::{Adapter, Configuration, Profile, Severity, StoreConfig, StoreKind};
use tokio::time::{Instant, timeout_at};

use super::{
    Declared, Last, LoadError, Parts, Registry, Settings,
    load::{self, Read},
    sweeper::Sweeper,
};
use crate::{
    clock::{Clock, SystemClock},
    engine::{Family, LimitOf, PrincipalLimit, SessionEngine},
    entropy::Entropy,
    event::{Bus, EventPrincipals, Source},
    observe::{self, StoreMeter},
    principal::SessionPrincipal,
    session::Registered,
    store::{FileStore, MemoryStore, MigratingStore, SessionStore, SharedStore, StoreError},
    transport::Transport,
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
    limits: Vec<(&'static str, LimitOf)>,
    transports: Vec<(&'static str, Arc<dyn Transport>)>,
    node: Option<String>,
    principals: EventPrincipals,
    read: Option<Result<Read, LoadError>>,
    declared: PhantomData<fn() -> D>,
}

impl<D: Declared> RegistryBuilder<D> {
    pub(super) fn new() -> Self {
        let (stores, limits) = (Vec::new(), Vec::new());
        Self {
            stores,
            clock: None,
            entropy: None,
            limits,
            transports: Vec::new(),
            node: None,
            principals: EventPrincipals::Named,
            read: None,
            declared: PhantomData,
        }
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

    /// How many sessions each principal may have under the policy `P`, where the policy's number isn't everyone's: plans,
    /// shared accounts. `behavior_on_limit` stays the policy's.
    ///
    /// `limit` is asked once a login, on the request's time: it has to be quick and can't wait, so it goes by what is in
    /// the principal, such as its roles and attributes. It stays over a [`reload`](Registry::reload). Living sessions
    /// beyond a limit that has shrunk go with the next login. Where it panics, the login fails.
    ///
    /// ```
    /// # sessions::policies! { shop: { extends: "user_default" } }
    /// use std::num::NonZeroU32;
    /// use sessions::PrincipalLimit;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::LoadError> {
    /// const FAMILY: NonZeroU32 = NonZeroU32::new(20).unwrap();
    ///
    /// let registry = policies::Registry::builder()
    ///     .limit::<policies::Shop>(|principal| match principal.get_attribute("plan").and_then(|plan| plan.as_str()) {
    ///         Some("family") => PrincipalLimit::AtMost(FAMILY),
    ///         Some("enterprise") => PrincipalLimit::Unlimited,
    ///         _ => PrincipalLimit::OfPolicy,
    ///     })
    ///     .load()
    ///     .await?;
    /// # drop(registry);
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit<P: Registered<Declared = D>>(
        mut self,
        limit: impl Fn(&SessionPrincipal) -> PrincipalLimit + Send + Sync + 'static,
    ) -> Self {
        self.limits.retain(|(name, _)| *name != P::NAME);
        self.limits.push((P::NAME, LimitOf::new(limit)));
        self
    }

    /// Binds a transport of your own to the policy `P`, which names it as `custom` in `transport.adapter` or
    /// `transport.order`. It stays over a [`reload`](Registry::reload).
    pub fn transport<P: Registered<Declared = D>>(mut self, transport: impl Transport) -> Self {
        self.transports.retain(|(name, _)| *name != P::NAME);
        self.transports.push((P::NAME, Arc::new(transport)));
        self
    }

    /// What this process is called in its events, such as its host's name; a word made by chance unless this is called.
    pub fn node(mut self, name: impl Into<String>) -> Self {
        self.node = Some(name.into());
        self
    }

    /// How much of a principal its events tell: kind and id unless this is called.
    ///
    /// ```
    /// # sessions::policies! { shop: { extends: "user_default" } }
    /// use sessions::event::{EventPrincipals, PseudonymKey};
    ///
    /// # fn secret() -> Vec<u8> { (0..32).collect() }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let key = PseudonymKey::new(&secret()).ok_or("the key has fewer than 32 bytes")?;
    /// let registry = policies::Registry::builder()
    ///     .principals_in_events(EventPrincipals::Pseudonyms(key))
    ///     .load()
    ///     .await?;
    /// # drop(registry);
    /// # Ok(())
    /// # }
    /// ```
    pub fn principals_in_events(mut self, principals: EventPrincipals) -> Self {
        self.principals = principals;
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
        observe::describe();
        tell(&configuration, profile);
        check_transports(&configuration, &self.transports)?;
        let until = Instant::now() + START;
        let clock = self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock::new()));
        let stores = bind_stores(&configuration, &self.stores, &clock, until).await?;
        for (name, store) in &stores {
            let reached = timeout_at(until, store.stats()).await;
            if !matches!(reached, Ok(Ok(_))) {
                return Err(LoadError::StoreUnreachable { store: name.clone() });
            }
        }
        let bus = Bus::new(Source::new(self.node, self.principals));
        let family = Arc::<Family>::default();
        let engines: Vec<_> = configuration
            .policies()
            .map(|policy| {
                let name = policy.persistence().store_name();
                let store = stores.iter().find(|(other, _)| other == name).map(|(_, store)| store.clone());
                let mut builder =
                    SessionEngine::builder(policy.clone()).bus(bus.clone()).family(Arc::clone(&family));
                let limit = self.limits.iter().find(|(name, _)| *name == policy.name());
                builder = builder.limit_of(limit.map(|(_, limit)| limit.clone()));
                let own = self.transports.iter().find(|(name, _)| *name == policy.name());
                builder = builder.own_transport(own.map(|(_, transport)| Arc::clone(transport)));
                if let Some(declared) = configuration.store(name) {
                    builder = builder.keys(declared.encryption_keys().clone());
                    if let Some(key) = declared.index_key() {
                        builder = builder.index_key(key.clone());
                    }
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
        for engine in &engines {
            engine.shared.meter.begin();
        }
        let last = Last { text: read.text().map(str::to_owned), path: read.path };
        let settings = Settings {
            engines,
            stores,
            configuration,
            profile,
            #[cfg(feature = "dashboard")]
            sources: read.sources,
        };
        let parts = Arc::new_cyclic(|parts| Parts {
            settings: ArcSwap::from_pointee(settings),
            profile,
            bus,
            family,
            last: Mutex::new(last),
            sweeper: Sweeper::start(parts.clone(), self.clock),
        });
        Ok(Registry { parts, declared: PhantomData })
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

/// A transport of the application's own is there exactly where a policy names one.
fn check_transports(
    configuration: &Configuration,
    given: &[(&'static str, Arc<dyn Transport>)],
) -> Result<(), LoadError> {
    for policy in configuration.policies() {
        let is_bound = given.iter().any(|(name, _)| *name == policy.name());
        match (policy.transport().carries(Adapter::Custom), is_bound) {
            (true, false) => {
                return Err(LoadError::TransportNotBound { policy: policy.name().to_owned() });
            }
            (false, true) => {
                return Err(LoadError::TransportNotCustom { policy: policy.name().to_owned() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A store for every one that the configuration declares. None is opened before all of them are known.
async fn bind_stores(
    configuration: &Configuration,
    given: &[(String, SharedStore)],
    clock: &Arc<dyn Clock>,
    until: Instant,
) -> Result<Vec<(String, SharedStore)>, LoadError> {
    for (name, _) in given {
        match configuration.store(name).map(StoreConfig::kind) {
            Some(StoreKind::Custom) => {}
            Some(_) => return Err(LoadError::StoreNotCustom { store: name.clone() }),
            None => return Err(LoadError::StoreNotDeclared { store: name.clone() }),
        }
    }
    let bound = |name: &str| given.iter().find(|(other, _)| other == name).map(|(_, store)| store.clone());
    let custom = configuration.stores().filter(|declared| *declared.kind() == StoreKind::Custom);
    if let Some(lost) = custom.map(StoreConfig::name).find(|name| bound(name).is_none()) {
        return Err(LoadError::StoreNotBound { store: lost.to_owned() });
    }
    let mut stores = Vec::new();
    for declared in configuration.stores() {
        let name = declared.name().to_owned();
        let store = match bound(&name) {
            Some(store) => store,
            None => match timeout_at(until, open(declared)).await {
                Ok(Ok(store)) => store,
                Ok(Err(error)) => return Err(LoadError::StoreNotOpened { store: name, error }),
                Err(_) => return Err(LoadError::StoreUnreachable { store: name }),
            },
        };
        stores.push((name, store.with_limit(declared.timeout())));
    }
    let opened = stores.clone();
    for (name, store) in &mut stores {
        let from = configuration.store(name).and_then(StoreConfig::migrate_from);
        if let Some((from, old)) = opened.iter().find(|(other, _)| Some(other.as_str()) == from) {
            let old = old.clone().metered(|| StoreMeter::named(from));
            let (new, limit) = (store.clone(), store.limit());
            let both = MigratingStore::with_clock(old, new, Arc::clone(clock));
            *store = SharedStore::new(both).with_limit(limit);
        }
        *store = store.clone().metered(|| StoreMeter::named(name));
    }
    Ok(stores)
}

/// A declared store with the one that it takes its sessions from, for a tool. Custom ones are the program's.
///
/// # Errors
/// `None` if the store isn't declared, or names no store to take its sessions from; else why one can't be opened.
#[cfg(feature = "cli")]
pub async fn open_migrating(
    configuration: &Configuration,
    name: &str,
) -> Result<MigratingStore, Option<StoreError>> {
    let new = configuration.store(name).ok_or(None)?;
    let old = new.migrate_from().and_then(|from| configuration.store(from)).ok_or(None)?;
    let [old, new] = [(open(old).await?, old), (open(new).await?, new)];
    let [old, new] = [old, new].map(|(store, declared)| store.with_limit(declared.timeout()));
    Ok(MigratingStore::new(old, new))
}

/// What is told of a kind that this build has no code for.
fn without(kind: &StoreKind) -> &'static str {
    match kind {
        StoreKind::Sqlite { .. } => {
            "this was built without the feature `sqlite` of `sessions`: add it, and build again"
        }
        StoreKind::Postgres { .. } => {
            "this was built without the feature `postgres` of `sessions`: add it, and build again"
        }
        StoreKind::Redis { .. } => {
            "this was built without the feature `redis` of `sessions`: add it, and build again"
        }
        _ => "only the program that brings this store can open it",
    }
}

/// The store of a kind that the application doesn't bring.
async fn open(declared: &StoreConfig) -> Result<SharedStore, StoreError> {
    match declared.kind() {
        StoreKind::Memory { max_sessions, when_full } => {
            Ok(SharedStore::new(MemoryStore::new(*max_sessions).when_full(*when_full)))
        }
        StoreKind::File { directory } => Ok(SharedStore::new(FileStore::open(directory).await?)),
        #[cfg(feature = "sqlite")]
        StoreKind::Sqlite { path } => Ok(SharedStore::new(crate::SqliteStore::open(path).await?)),
        #[cfg(feature = "postgres")]
        StoreKind::Postgres { address, pooler, certificate } => {
            let mut builder = crate::store::PostgresStore::builder(address.clone())
                .pooler(*pooler)
                .outbox(declared.outbox());
            if let Some(certificate) = certificate {
                builder = builder.client_certificate(certificate.clone());
            }
            Ok(SharedStore::new(builder.timeout(declared.timeout()).open().await?))
        }
        #[cfg(feature = "redis")]
        StoreKind::Redis { address, key_prefix, durability, sentinel_user, certificate } => {
            let mut builder = crate::RedisStore::builder(address.clone()).key_prefix(key_prefix);
            builder = builder.durability(*durability).outbox(declared.outbox());
            if let Some(user) = sentinel_user {
                builder = builder.sentinel_user(user.clone());
            }
            if let Some(certificate) = certificate {
                builder = builder.client_certificate(certificate.clone());
            }
            Ok(SharedStore::new(builder.timeout(declared.timeout()).open().await?))
        }
        // The check of the settings refuses what this build has no code for; a tool checks for others, too.
        kind => Err(StoreError::Unavailable(Some(without(kind).into()))),
    }
}
