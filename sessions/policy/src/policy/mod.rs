//! What is true of a policy: the resolved settings, read through accessors. They are made only by `resolve`,
//! after every rule has passed; presets and the builder take that way too.

mod choice;
mod describe;
mod network;
mod parts;

use std::time::Duration;

pub use self::choice::{
    Activity, Adapter, BehaviorOnLimit, CloseCodes, Codec, Csrf, Durability, ForwardedHeader, OnConflict,
    OnServerError, Pooler, Renew, SameSite, Scope, SocketActivity, SocketCredential, SocketRequire, WhenFull,
};
pub use self::describe::describe;
pub use self::network::{Network, ParseNetworkError};
pub use self::parts::{
    CarryOver, ConcurrencyPolicy, PersistencePolicy, RememberPolicy, SerialPolicy, SocketPolicy,
    TransportPolicy,
};

/// One policy: how long a session lives, when its id changes, how many a principal may have, where it is kept
/// and how it travels.
///
/// A value of this type has passed every rule. Get one from a preset, a [builder](crate::SessionPolicyBuilder),
/// or a [`Configuration`](crate::Configuration).
///
/// ```
/// use std::time::Duration;
/// use sessions_policy::SessionPolicy;
///
/// let policy = SessionPolicy::for_web_users().named("shop").lasting(Duration::from_secs(3600)).build()?;
/// assert_eq!(policy.ttl(), Duration::from_secs(3600));
/// assert_eq!(policy.transport().cookie_name(), "__Host-Http-shop");
/// # Ok::<(), sessions_policy::Problems>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPolicy {
    pub(crate) name: String,
    pub(crate) ttl: Duration,
    /// Never longer than `ttl` or `absolute_timeout`.
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) absolute_timeout: Option<Duration>,
    pub(crate) renew: Renew,
    pub(crate) activity: Activity,
    pub(crate) rotate_on_use: bool,
    /// `None` where `rotate_on_use` is set.
    pub(crate) rotate_every: Option<Duration>,
    /// Shorter than `rotate_every`, at most 120 s.
    pub(crate) rotation_grace: Duration,
    /// Shorter than every lifetime that activity prolongs.
    pub(crate) touch_every: Option<Duration>,
    pub(crate) remember: Option<RememberPolicy>,
    pub(crate) fresh_for: Duration,
    pub(crate) carry_over: CarryOver,
    pub(crate) csrf: Csrf,
    pub(crate) trusted_origins: Vec<String>,
    pub(crate) fingerprint_binding: bool,
    pub(crate) client_address: bool,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) forwarded_header: ForwardedHeader,
    /// `Request` exactly where `persistence.enabled` is false.
    pub(crate) scope: Scope,
    pub(crate) on_server_error: OnServerError,
    pub(crate) on_conflict: OnConflict,
    /// `Some` exactly where `on_conflict` is serial.
    pub(crate) serial: Option<SerialPolicy>,
    pub(crate) socket: SocketPolicy,
    /// From 1 s to 30 s.
    pub(crate) near_cache: Option<Duration>,
    /// From 1 s to 30 s.
    pub(crate) outage_grace: Option<Duration>,
    pub(crate) max_size: usize,
    pub(crate) max_keys: usize,
    pub(crate) persistence: PersistencePolicy,
    pub(crate) concurrency: ConcurrencyPolicy,
    pub(crate) transport: TransportPolicy,
}

impl SessionPolicy {
    /// The policy's name, unique in a configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long a session lives, counted as [`renew`](Self::renew) says.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// How long a session lives without activity; `None`: as long as it may.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// The end that no activity moves, counted from login or creation.
    pub fn absolute_timeout(&self) -> Option<Duration> {
        self.absolute_timeout
    }

    /// Whether activity renews `ttl`.
    pub fn renew(&self) -> Renew {
        self.renew
    }

    /// What counts as activity.
    pub fn activity(&self) -> Activity {
        self.activity
    }

    /// Whether each use changes the id.
    pub fn rotate_on_use(&self) -> bool {
        self.rotate_on_use
    }

    /// How old an id gets before it changes.
    pub fn rotate_every(&self) -> Option<Duration> {
        self.rotate_every
    }

    /// How long the old id still works after a periodic rotation (never after a privilege change).
    pub fn rotation_grace(&self) -> Duration {
        self.rotation_grace
    }

    /// How far a record's last-seen time may lag behind; `None` where nothing needs touches.
    pub fn touch_every(&self) -> Option<Duration> {
        self.touch_every
    }

    /// The lifetimes of a session whose user asked to be remembered.
    pub fn remember(&self) -> Option<RememberPolicy> {
        self.remember
    }

    /// How long after a login the session counts as fresh.
    pub fn fresh_for(&self) -> Duration {
        self.fresh_for
    }

    /// What an anonymous session's data becomes at login.
    pub fn carry_over(&self) -> &CarryOver {
        &self.carry_over
    }

    /// How strict the cross-site check is.
    pub fn csrf(&self) -> Csrf {
        self.csrf
    }

    /// Other origins whose unsafe requests are accepted, as `scheme://host[:port]` in lower case and without a
    /// default port.
    pub fn trusted_origins(&self) -> &[String] {
        &self.trusted_origins
    }

    /// Whether a session is bound to the client's fingerprint.
    pub fn fingerprint_binding(&self) -> bool {
        self.fingerprint_binding
    }

    /// Whether a login notes the client's address.
    pub fn client_address(&self) -> bool {
        self.client_address
    }

    /// The proxies whose [`forwarded_header`](Self::forwarded_header) is believed.
    pub fn trusted_proxies(&self) -> &[Network] {
        &self.trusted_proxies
    }

    /// The field in which those proxies tell whom they speak for.
    pub fn forwarded_header(&self) -> ForwardedHeader {
        self.forwarded_header
    }

    /// What a session belongs to.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What becomes of changes when the handler answers with a 5xx.
    pub fn on_server_error(&self) -> OnServerError {
        self.on_server_error
    }

    /// What becomes of a plain set that meets another request's.
    pub fn on_conflict(&self) -> OnConflict {
        self.on_conflict
    }

    /// How requests of one session take turns; `None` where they don't.
    pub fn serial(&self) -> Option<SerialPolicy> {
        self.serial
    }

    /// What holds for sockets and streams.
    pub fn socket(&self) -> &SocketPolicy {
        &self.socket
    }

    /// How old a copy of a session may be that answers a read instead of the store; `None`: the store is always asked.
    pub fn near_cache(&self) -> Option<Duration> {
        self.near_cache
    }

    /// How long reads of sessions that a process knows are served while the store does not answer; `None`: not at all.
    pub fn outage_grace(&self) -> Option<Duration> {
        self.outage_grace
    }

    /// The most bytes that a session's record may have.
    pub fn max_size(&self) -> usize {
        self.max_size
    }

    /// The most keys that a session's data may have.
    pub fn max_keys(&self) -> usize {
        self.max_keys
    }

    /// Whether and where sessions are kept.
    pub fn persistence(&self) -> &PersistencePolicy {
        &self.persistence
    }

    /// How many sessions a principal may have.
    pub fn concurrency(&self) -> &ConcurrencyPolicy {
        &self.concurrency
    }

    /// How the id travels.
    pub fn transport(&self) -> &TransportPolicy {
        &self.transport
    }

    /// Whether sessions outlive their request: persistence is enabled and the scope is not the request.
    pub fn is_persistent(&self) -> bool {
        self.persistence.enabled && self.scope != Scope::Request
    }
}
