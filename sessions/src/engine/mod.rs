//! One engine a policy: it takes a request through the seven phases of a session.
//!
//! 1. [`detect`]: what does the request present?
//! 2. [`resolve`]: what is stored under it? The only read, but where requests take turns ([`turn`]).
//! 3. [`validate`]: is it this client's, and is it still alive?
//! 4. [`bind`]: the session is bound to the request, and the guard is asked.
//! 5. [`mutate`]: the handler's changes are recorded as operations.
//! 6. [`commit`]: they are written once, when the response head is ready. The only write.
//! 7. [`emit`]: the transport tells the client, events tell the listeners.
//!
//! The engine works on `http` types alone; the tower layer and the axum extractors are thin over it.

pub(crate) mod bind;
pub(crate) mod commit;
pub(crate) mod copies;
mod detect;
mod emit;
mod family;
mod guesses;
pub(crate) mod lifetimes;
mod limit;
pub(crate) mod mutate;
mod note;
mod pages;
mod principals;
mod queue;
mod resolve;
pub(crate) mod turn;
pub(crate) mod validate;
pub(crate) mod waited;

use std::{fmt, sync::Arc, time::Duration};

use sessions_policy::{EncryptionKeys, IndexKey, SessionPolicy};

pub(crate) use self::{family::Family, limit::LimitOf, principals::Why};
use self::{guesses::Guesses, lifetimes::Lifetimes, queue::Queue, turn::Turns};
pub use self::{
    limit::PrincipalLimit,
    pages::{ParseCursorError, SessionCursor, SessionPage},
    principals::SessionInfo,
};
use crate::{
    clock::{Clock, SystemClock, Time},
    entropy::{Entropy, OsEntropy},
    event::{About, Bus, EventKind, EventReceiver, EventSink, SessionEvent, SinkStats},
    observe::{Meter, StoreMeter},
    principal::SessionPrincipal,
    record::{Binding, Codec, KeyRing, Record},
    store::{Millis, SessionStore, SharedStore, Stamp},
    token::{SecretTag, SessionId},
    transport::{Carriers, Transport},
    watch::Hub,
    web::{RequestHead, cross_site::CrossSite},
};

/// Runs the sessions of one policy on one store, through the policy's transport.
///
/// An engine is made by a [`Registry`](crate::Registry), or by hand. Cloning it is cheap: clones are one engine.
///
/// ```
/// use sessions::{MemoryStore, SessionEngine, SessionPolicy};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sessions::SessionError> {
/// let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(10_000));
///
/// let request = http::Request::new(());
/// let mut session = engine.resolve(&request).await?;       // phases 1 to 4
/// session.set("greeting", "hello")?;                       // phase 5
/// let mut response = http::Response::new(());
/// engine.commit(&session, &mut response).await?;           // phases 6 and 7
/// assert!(response.headers().contains_key("set-cookie"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SessionEngine {
    pub(crate) shared: Arc<EngineShared>,
    /// The request that this clone serves, where events are to name it.
    request: Option<Arc<About>>,
}

pub(crate) struct EngineShared {
    pub(crate) name: Arc<str>,
    pub(crate) policy: SessionPolicy,
    tag: SecretTag,
    /// By what the store's index names principals, where it has a key.
    index_key: Option<IndexKey>,
    codec: Codec,
    /// What values are encrypted with, where they are.
    ring: Option<Arc<KeyRing>>,
    /// `None` where the policy keeps nothing beyond a request.
    pub(crate) store: Option<SharedStore>,
    pub(crate) carriers: Carriers,
    pub(crate) cross_site: Option<CrossSite>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) time: Time,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) bus: Bus,
    pub(crate) meter: Meter,
    queue: Arc<Queue>,
    /// Where requests of one session wait for their turn; `None` where they take none.
    turns: Option<Turns>,
    /// Ids that opened nothing.
    guesses: Arc<Guesses>,
    /// What the application says of each principal, beside the policy.
    limit: Option<LimitOf>,
    family: Arc<Family>,
    /// Who has to hear that a session has ended.
    pub(crate) hub: Arc<Hub>,
    /// How long copies of records are kept, where they are.
    keeps: Option<Duration>,
}

impl SessionEngine {
    /// An engine for a policy on a store of its own, with the transport that the policy names.
    pub fn new(policy: SessionPolicy, store: impl SessionStore) -> Self {
        Self::builder(policy).store(SharedStore::new(store)).build()
    }

    /// An engine whose parts are chosen one by one.
    pub fn builder(policy: SessionPolicy) -> SessionEngineBuilder {
        SessionEngineBuilder {
            policy,
            store: None,
            transport: None,
            clock: None,
            entropy: None,
            limit: None,
            keys: EncryptionKeys::default(),
            index_key: None,
            bus: Bus::default(),
            family: Arc::default(),
        }
    }

    /// The policy that it runs.
    pub fn policy(&self) -> &SessionPolicy {
        &self.shared.policy
    }

    /// The store that it runs on; `None` where the policy keeps nothing beyond a request.
    pub fn store(&self) -> Option<&SharedStore> {
        self.shared.store.as_ref()
    }

    /// Calls `listener` for every event of this engine, and of its registry if it belongs to one.
    ///
    /// Each listener runs on a thread of its own: a slow one never slows a request. Events that find its queue of
    /// [`EVENT_QUEUE`](crate::event::EVENT_QUEUE) full are dropped and counted in [`dropped_events`](Self::dropped_events).
    pub fn on_event(&self, listener: impl Fn(&SessionEvent) + Send + Sync + 'static) {
        self.shared.bus.listen(listener);
    }

    /// Gives events of this engine, and of its registry if it belongs to one, to a sink.
    pub fn add_sink(&self, sink: impl EventSink) {
        self.shared.bus.add(sink);
    }

    /// The events from now on, of the kinds that are wanted, for a task: see
    /// [`Registry::subscribe`](crate::Registry::subscribe).
    pub fn subscribe(&self, capacity: usize, wants: impl Fn(EventKind) -> bool) -> EventReceiver {
        EventReceiver::new(&self.shared.bus, capacity, wants)
    }

    /// How many events were dropped because listeners were too slow.
    pub fn dropped_events(&self) -> u64 {
        self.shared.bus.dropped()
    }

    /// What became of each sink's events, in the order in which the sinks were added.
    pub fn sink_stats(&self) -> Vec<SinkStats> {
        self.shared.bus.sinks()
    }

    /// The engine of the same policy with other settings: sessions, clock, queues and listeners stay.
    pub(crate) fn under(&self, policy: SessionPolicy, limit: Duration, keys: &EncryptionKeys) -> Self {
        let before = &*self.shared;
        let carriers = before.carriers.under(&policy);
        let keeps = Self::keeps_copies(&policy, before.store.as_ref());
        Self {
            shared: Arc::new(EngineShared {
                name: Arc::clone(&before.name),
                tag: before.tag.clone(),
                index_key: before.index_key.clone(),
                cross_site: carriers.is_any_ambient().then(|| CrossSite::new(&policy)),
                lifetimes: Lifetimes::of(&policy),
                codec: Codec::of(&policy),
                turns: Turns::under(&policy, before.turns.as_ref()),
                ring: KeyRing::of(keys),
                policy,
                store: before.store.clone().map(|store| store.with_limit(limit)),
                carriers,
                time: before.time.clone(),
                entropy: Arc::clone(&before.entropy),
                bus: before.bus.clone(),
                meter: Meter::of(&before.name),
                queue: Arc::clone(&before.queue),
                guesses: Arc::clone(&before.guesses),
                limit: before.limit.clone(),
                family: Arc::clone(&before.family),
                hub: Arc::clone(&before.hub),
                keeps,
            }),
            request: None,
        }
    }

    /// The engine as it serves one request, if events are to name that one.
    pub(crate) fn for_request(&self, head: RequestHead<'_>) -> Option<Self> {
        let is_told = self.shared.bus.has_sinks() || self.has_outbox();
        if self.request.is_some() || !is_told {
            return None;
        }
        let request = Some(About::of(head, &self.shared.policy)?);
        Some(Self { shared: Arc::clone(&self.shared), request })
    }

    /// The engine as an operator uses it: the events of what is done through it name the operator in
    /// [`SessionEvent::by_kind`] and [`SessionEvent::by_id`], which makes of a revocation an audit trail.
    ///
    /// ```
    /// # use sessions::{MemoryStore, SessionEngine, SessionPolicy, SessionPrincipal};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::SessionError> {
    /// # let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(100));
    /// let grace = SessionPrincipal::user("grace");
    /// engine.as_operator(&grace).revoke_all(&SessionPrincipal::user("u1")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn as_operator(&self, operator: &SessionPrincipal) -> Self {
        let about = About::done_by(self.request.as_deref(), operator);
        Self { shared: Arc::clone(&self.shared), request: Some(about) }
    }

    /// The engines of its registry, one a policy, for the same request; of its own policy this one if the registry is gone.
    fn family(&self) -> Vec<Self> {
        let mut family = self.shared.family.members();
        for member in &mut family {
            member.request.clone_from(&self.request);
        }
        if !family.iter().any(|member| member.is_of(self)) {
            family.push(self.clone());
        }
        family
    }

    /// The engine of its policy under the settings that are in force.
    pub(crate) fn in_force(&self) -> Self {
        self.family().into_iter().find(|member| member.is_of(self)).unwrap_or_else(|| self.clone())
    }

    /// Ends every watch, and begins none any more.
    pub(crate) fn end_watches(&self) {
        self.shared.hub.close();
    }

    /// How many sockets and streams of this policy are open here: see [`SessionWatch`](crate::SessionWatch).
    pub fn open_watches(&self) -> usize {
        self.shared.hub.count()
    }

    /// Ends every watch of this policy with [`SessionEnding::ShuttingDown`](crate::SessionEnding::ShuttingDown), refuses new
    /// ones from now on, and waits until the last socket is closed, at most for so long. See
    /// [`Registry::close_watches`](crate::Registry::close_watches).
    pub async fn close_watches(&self, limit: Duration) {
        self.end_watches();
        let _ = tokio::time::timeout(limit, self.shared.hub.emptied()).await;
    }

    /// Whether it is the same engine, under the same settings.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether it runs the same policy, under whatever settings.
    fn is_of(&self, other: &Self) -> bool {
        self.shared.name == other.shared.name
    }

    /// Where values of a session are read and written.
    pub(crate) fn binding(&self, id: Option<SessionId>) -> Binding<'_> {
        Binding { ring: self.shared.ring.as_deref(), policy: &self.shared.name, id }
    }

    /// What values are written with.
    pub(crate) fn codec(&self) -> Codec {
        self.shared.codec
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.shared.time.stamp()
    }

    /// When a session ends if it is not used again.
    pub(crate) fn expires(&self, record: &Record) -> Millis {
        self.shared.lifetimes.expires(record)
    }

    /// Sends an event if anyone listens; `fill` adds what it is about.
    pub(crate) fn event(&self, kind: EventKind, fill: impl FnOnce(&mut SessionEvent)) {
        let (bus, meter) = (&self.shared.bus, &self.shared.meter);
        meter.happened(kind);
        if matches!(kind, EventKind::Unknown | EventKind::Malformed) {
            self.tell_guesses();
        }
        let is_heard = bus.is_heard(kind);
        if is_heard || Meter::is_rejection(kind) {
            let event = self.made(kind, fill);
            if Meter::is_rejection(kind) {
                meter.rejected(event.fault);
            }
            if is_heard {
                bus.send(event);
            }
        }
    }

    /// An event of this engine.
    fn made(&self, kind: EventKind, fill: impl FnOnce(&mut SessionEvent)) -> SessionEvent {
        let mut event = self.shared.bus.event(kind, &self.shared.name, self.shared.time.now());
        event.within(self.request.as_deref());
        fill(&mut event);
        event
    }
}

impl fmt::Debug for SessionEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEngine")
            .field("policy", &self.shared.name)
            .field("store", &self.shared.store)
            .finish_non_exhaustive()
    }
}

/// Chooses the parts of a [`SessionEngine`].
#[derive(Debug)]
#[must_use = "an engine is made by `build`"]
pub struct SessionEngineBuilder {
    policy: SessionPolicy,
    store: Option<SharedStore>,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
    limit: Option<LimitOf>,
    keys: EncryptionKeys,
    index_key: Option<IndexKey>,
    bus: Bus,
    family: Arc<Family>,
}

impl SessionEngineBuilder {
    /// The store. Without one, a policy that persists gets a memory store of 100,000 sessions.
    pub fn store(mut self, store: SharedStore) -> Self {
        self.store = Some(store);
        self
    }

    /// A transport of your own: the one that the policy names `custom`, else one that takes the place of what it names.
    pub fn transport(self, transport: impl Transport) -> Self {
        self.own_transport(Some(Arc::new(transport)))
    }

    pub(crate) fn own_transport(mut self, transport: Option<Arc<dyn Transport>>) -> Self {
        self.transport = transport;
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

    /// How many sessions each principal may have, where the policy's number isn't everyone's: see
    /// [`RegistryBuilder::limit`](crate::RegistryBuilder::limit).
    pub fn limit(self, limit: impl Fn(&SessionPrincipal) -> PrincipalLimit + Send + Sync + 'static) -> Self {
        self.limit_of(Some(LimitOf::new(limit)))
    }

    pub(crate) fn limit_of(mut self, limit: Option<LimitOf>) -> Self {
        self.limit = limit;
        self
    }

    /// Encrypts the values of sessions where they are stored: the first key encrypts, all decrypt.
    ///
    /// ```
    /// use sessions::{EncryptionKeys, MemoryStore, SessionEngine, SessionPolicy, SharedStore};
    ///
    /// # fn secret() -> String { (0..32).map(|byte| format!("{byte:02x}")).collect() }
    /// let keys = EncryptionKeys::parse([&*format!("1:{}", secret())])?;
    /// let engine = SessionEngine::builder(SessionPolicy::user_default())
    ///     .store(SharedStore::new(MemoryStore::new(10_000)))
    ///     .encryption_keys(keys)
    ///     .build();
    /// # Ok::<(), sessions::InvalidEncryptionKeys>(())
    /// ```
    #[cfg(feature = "encryption")]
    pub fn encryption_keys(self, keys: EncryptionKeys) -> Self {
        self.keys(keys)
    }

    /// Names principals in the store by a digest with this key, so that who reads the store without it can't tell whose
    /// sessions are there. A session that was made with another key, or with none, is a stranger's: its cookie opens it no
    /// more, so none is left that a revocation doesn't find.
    pub fn index_key(mut self, key: IndexKey) -> Self {
        self.index_key = Some(key);
        self
    }

    pub(crate) fn keys(mut self, keys: EncryptionKeys) -> Self {
        self.keys = keys;
        self
    }

    pub(crate) fn bus(mut self, bus: Bus) -> Self {
        self.bus = bus;
        self
    }

    pub(crate) fn family(mut self, family: Arc<Family>) -> Self {
        self.family = family;
        self
    }

    /// Makes the engine.
    pub fn build(self) -> SessionEngine {
        let policy = self.policy;
        let carriers = Carriers::of(&policy, self.transport);
        let store = policy
            .is_persistent()
            .then(|| self.store.unwrap_or_else(|| SharedStore::new(crate::MemoryStore::new(100_000))))
            .map(|store| store.metered(|| StoreMeter::named(policy.persistence().store_name())));
        let keeps = SessionEngine::keeps_copies(&policy, store.as_ref());
        let name: Arc<str> = policy.name().into();
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        SessionEngine {
            shared: Arc::new(EngineShared {
                meter: Meter::of(&name),
                name,
                tag: SecretTag::of(policy.name(), self.index_key.as_ref()),
                index_key: self.index_key,
                cross_site: carriers.is_any_ambient().then(|| CrossSite::new(&policy)),
                lifetimes: Lifetimes::of(&policy),
                codec: Codec::of(&policy),
                turns: Turns::under(&policy, None),
                ring: KeyRing::of(&self.keys),
                policy,
                store,
                carriers,
                time: Time::new(clock),
                entropy: self.entropy.unwrap_or_else(|| Arc::new(OsEntropy)),
                bus: self.bus,
                queue: Arc::default(),
                guesses: Arc::default(),
                limit: self.limit,
                family: self.family,
                hub: Arc::default(),
                keeps,
            }),
            request: None,
        }
    }
}
