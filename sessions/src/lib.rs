#![doc = include_str!("../../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
mod axum;
mod clock;
#[cfg(feature = "dashboard")]
pub mod dashboard;
mod engine;
mod entropy;
pub mod event;
mod fault;
#[cfg(feature = "tonic")]
mod grpc;
pub mod guard;
mod layer;
mod near;
pub mod observe;
pub mod outbox;
mod principal;
mod record;
mod registry;
mod require;
mod session;
mod soon;
pub mod store;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod transport;
pub(crate) mod watch;
mod web;

/// What the lints say about policies: for tools, and for programs that look at
/// [`Registry::findings`](crate::Registry::findings).
pub mod lint {
    pub use sessions_policy::{Date, InvalidDate, Judged, Lint, Severity, Suppressible, lint, lints};
}

#[cfg(feature = "macros")]
pub use sessions_macros::{policies, session, session_policy};
pub use sessions_policy::{
    Activity, Adapter, BehaviorOnLimit, CarryOver, CloseCodes, Codec, ConcurrencyPolicy, Csrf,
    ForwardedHeader, Network, Note, OnConflict, OnServerError, ParseNetworkError, PersistencePolicy, Problem,
    Problems, Profile, RememberPolicy, Renew, SameSite, Scope, SerialPolicy, SessionPolicy,
    SessionPolicyBuilder, SocketActivity, SocketCredential, SocketPolicy, SocketRequire, TransportPolicy,
};

#[cfg(feature = "encryption")]
pub use sessions_policy::{EncryptionKeys, IndexKey, InvalidEncryptionKeys, InvalidIndexKey};

#[cfg(feature = "ws")]
pub use self::axum::socket::{SessionSocket, SocketClosed, SocketRefusal, WebSocketTransport};
#[cfg(feature = "tonic")]
pub use self::grpc::Grpc;
#[cfg(feature = "watch")]
pub use self::registry::Watch;
#[cfg(feature = "sqlite")]
pub use self::store::SqliteStore;
#[cfg(feature = "postgres")]
pub use self::store::{PostgresAddress, PostgresStore, PostgresStoreBuilder};
#[cfg(feature = "redis")]
pub use self::store::{RedisAddress, RedisStore, RedisStoreBuilder};
#[cfg(feature = "ws")]
pub use self::watch::SocketTicket;
pub use self::{
    clock::{Clock, SystemClock},
    engine::{
        ParseCursorError, PrincipalLimit, SessionCursor, SessionEngine, SessionEngineBuilder, SessionInfo,
        SessionPage,
    },
    entropy::{Entropy, EntropyError, OsEntropy},
    event::{EventKind, EventReceiver, EventSink, RequestId, SessionEvent, SinkError},
    fault::{Fault, SessionError, Severity},
    guard::{Guard, Requirements},
    layer::{Http, Protocol, ResponseFuture, SessionLayer, SessionService},
    principal::SessionPrincipal,
    registry::{Declared, LoadError, Registry, RegistryBuilder, Reloaded},
    require::{Require, Required, RequiredFuture, require},
    session::{Policy, Registered, Session, SessionData, Untyped},
    store::{FileStore, MemoryStore, SessionId, SessionStore, SharedStore, StoreError, Version},
    token::{Handle, ParseHandleError},
    transport::{
        BearerTransport, CookieTransport, Credential, HeaderTransport, Lifetime, Presented, Transport,
    },
    watch::{Guarded, SessionEnding, SessionWatch},
    web::{Peer, RequestHead},
};

/// The programs of the guide, as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/MIGRATING.md")]
mod migrating {}

/// The programs of the macros' documentation, which need the library.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../sessions-macros/docs/policies.md")]
#[doc = include_str!("../../sessions-macros/docs/session_policy.md")]
#[doc = include_str!("../../sessions-macros/docs/session.md")]
mod macros {}

/// The program of the page on events.
#[cfg(doctest)]
#[doc = include_str!("../../docs/EVENTS.md")]
mod events {}

/// The program of the page on the dashboard.
#[cfg(all(doctest, feature = "dashboard"))]
#[doc = include_str!("../../docs/DASHBOARD.md")]
mod dashboard_page {}

/// What generated code names. Not for use by hand: it may change with any release.
#[doc(hidden)]
pub mod __private {
    pub use sessions_policy::{Declaration, Entry, Literal, Location};

    #[cfg(feature = "cli")]
    pub use crate::registry::open_migrating;
    #[cfg(sessions_measure)]
    pub use crate::sync::measured::watch;
    pub use crate::{
        registry::EmbeddedFile,
        session::{
            names::{Named, inline, listed, refuse_name},
            namespaces::refuse_shared_namespaces,
        },
    };
}
