//! The parts of a policy that are tables of their own: `remember`, `carry_over`, `serial`, `socket`,
//! `persistence`, `concurrency`, `transport`.

use std::time::Duration;

use super::{
    Adapter, BehaviorOnLimit, CloseCodes, Codec, SameSite, SocketActivity, SocketCredential, SocketRequire,
};

/// The lifetimes of a session whose user asked to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberPolicy {
    pub(crate) ttl: Duration,
    /// Never longer than `ttl`.
    pub(crate) idle_timeout: Option<Duration>,
}

impl RememberPolicy {
    /// How long a remembered session lives; at most 400 days (RFC 6265bis 5.5).
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// How long it lives without activity.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }
}

/// What an anonymous session's data becomes at login.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CarryOver {
    /// Every key stays.
    All,
    /// Only these keys stay.
    Keys(Vec<String>),
}

impl CarryOver {
    /// Whether `key` is still there after the login.
    pub fn carries(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Keys(keys) => keys.iter().any(|carried| carried == key),
        }
    }
}

/// How the requests of one session take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialPolicy {
    /// At most 60 s.
    pub(crate) wait: Duration,
    /// From 1 s to 5 min.
    pub(crate) lease: Duration,
}

impl SerialPolicy {
    /// How long a request waits for its turn before it is refused.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// How long a turn lasts at most: a request that takes longer may find the session in other hands, and one whose
    /// process has died frees it then.
    pub fn lease(&self) -> Duration {
        self.lease
    }
}

/// What holds for sockets and streams that live as long as their session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketPolicy {
    pub(crate) origins: Vec<String>,
    pub(crate) credential: SocketCredential,
    pub(crate) require: SocketRequire,
    pub(crate) activity: SocketActivity,
    pub(crate) check_every: Option<Duration>,
    /// From 1 s to 30 s.
    pub(crate) outage: Duration,
    pub(crate) max_per_session: usize,
    pub(crate) max_message: usize,
    pub(crate) close_codes: CloseCodes,
}

impl SocketPolicy {
    /// The origins whose pages may open a socket, as `scheme://host[:port]` in lower case and without a default port. Empty:
    /// the request's own host alone.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// How the page that opens a socket proves its session.
    pub fn credential(&self) -> SocketCredential {
        self.credential
    }

    /// What a session has to be, so that a socket may be opened on it.
    pub fn require(&self) -> SocketRequire {
        self.require
    }

    /// What counts as activity of the session.
    pub fn activity(&self) -> SocketActivity {
        self.activity
    }

    /// How often the sessions of open sockets are looked at, where that is stated.
    pub fn check_every(&self) -> Option<Duration> {
        self.check_every
    }

    /// How long a socket stays open while the store does not answer.
    pub fn outage(&self) -> Duration {
        self.outage
    }

    /// How many sockets and streams of one session a process serves at once.
    pub fn max_per_session(&self) -> usize {
        self.max_per_session
    }

    /// The most bytes that a message of a client may have.
    pub fn max_message(&self) -> usize {
        self.max_message
    }

    /// Which codes close a socket whose session is over.
    pub fn close_codes(&self) -> CloseCodes {
        self.close_codes
    }
}

/// Whether and where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersistencePolicy {
    pub(crate) enabled: bool,
    pub(crate) store_name: String,
    pub(crate) codec: Codec,
}

impl PersistencePolicy {
    /// Whether sessions are stored at all.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// The store's name, a table under `stores`.
    pub fn store_name(&self) -> &str {
        &self.store_name
    }

    /// How values are written.
    pub fn codec(&self) -> Codec {
        self.codec
    }
}

/// How many sessions a principal may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrencyPolicy {
    /// At least 1.
    pub(crate) max_sessions_per_principal: Option<u32>,
    pub(crate) behavior_on_limit: BehaviorOnLimit,
}

impl ConcurrencyPolicy {
    /// The limit, at least 1; `None`: unlimited.
    pub fn max_sessions_per_principal(&self) -> Option<u32> {
        self.max_sessions_per_principal
    }

    /// What a login beyond the limit does.
    pub fn behavior_on_limit(&self) -> BehaviorOnLimit {
        self.behavior_on_limit
    }
}

/// How the session's id travels. Settings of the adapter that isn't chosen have their defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportPolicy {
    pub(crate) adapter: Adapter,
    /// What a composite is made of, each once; else the adapter alone.
    pub(crate) carriers: Vec<Adapter>,
    pub(crate) cookie_name: String,
    pub(crate) cookie_httponly: bool,
    pub(crate) cookie_secure: bool,
    pub(crate) cookie_samesite: SameSite,
    pub(crate) cookie_path: String,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) max_cookie_header: usize,
    pub(crate) max_cookie_pairs: usize,
    pub(crate) header_name: String,
}

impl TransportPolicy {
    /// What carries the id.
    pub fn adapter(&self) -> Adapter {
        self.adapter
    }

    /// What may carry the id, in the declared order: the adapter alone, unless that is a composite.
    pub fn carriers(&self) -> &[Adapter] {
        &self.carriers
    }

    /// The carriers as a person writes them.
    pub(crate) fn order(&self) -> String {
        self.carriers.iter().map(|carrier| carrier.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Whether this may carry the id.
    pub fn carries(&self, carrier: Adapter) -> bool {
        self.carriers.contains(&carrier)
    }

    /// The cookie's name, a token (RFC 6265bis 4.1.1).
    pub fn cookie_name(&self) -> &str {
        &self.cookie_name
    }

    /// Whether the cookie is `HttpOnly`; always true today (OWASP ASVS 5.0, 3.3.4).
    pub fn cookie_httponly(&self) -> bool {
        self.cookie_httponly
    }

    /// Whether the cookie is `Secure`.
    pub fn cookie_secure(&self) -> bool {
        self.cookie_secure
    }

    /// The cookie's `SameSite` attribute.
    pub fn cookie_samesite(&self) -> SameSite {
        self.cookie_samesite
    }

    /// The cookie's `Path` attribute.
    pub fn cookie_path(&self) -> &str {
        &self.cookie_path
    }

    /// The cookie's `Domain` attribute; `None`: only the host that set it.
    pub fn cookie_domain(&self) -> Option<&str> {
        self.cookie_domain.as_deref()
    }

    /// The header's name, a token (RFC 9110 5.1); with [`Adapter::Bearer`], that of the response alone.
    pub fn header_name(&self) -> &str {
        &self.header_name
    }

    /// The most bytes that a request's `Cookie` field lines may have together.
    pub fn max_cookie_header(&self) -> usize {
        self.max_cookie_header
    }

    /// The most pairs that a request's `Cookie` field lines may have together.
    pub fn max_cookie_pairs(&self) -> usize {
        self.max_cookie_pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_carries_only_what_it_names() {
        let listed = CarryOver::Keys(vec!["cart".into()]);
        assert!(listed.carries("cart") && !listed.carries("cart2"));
        assert!(CarryOver::All.carries("anything"));
    }
}
