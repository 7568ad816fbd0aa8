//! What a session policy is: its keys, where their values come from, the rules that they pass, and the policy
//! that is left. The library reads it at start, its macros at build time: both judge by the same code.
//!
//! No async, no I/O: texts and variables come in as arguments.
//!
//! ```
//! use sessions_policy::{SourceFile, Sources};
//!
//! let text = r#"
//!     [policies.shop]
//!     extends = "user_default"
//!     ttl = "2h"
//! "#;
//! let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
//! let configuration = Sources { file: Some(file), ..Sources::default() }.check()?;
//! let shop = configuration.policy("shop").ok_or("no policy `shop`")?;
//! assert_eq!(shop.ttl().as_secs(), 7200);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adapt;
mod builder;
mod check;
mod client_certificate;
mod configuration;
mod date;
mod draft;
mod encryption;
mod explain;
mod finish;
mod index_key;
mod keys;
mod lint;
mod name;
mod origin;
mod policy;
mod postgres_address;
mod preset;
mod problem;
mod problems;
mod redis_address;
mod reference;
mod reload;
mod resolve;
mod rules;
mod sentinel_user;
mod snippet;
mod source;
mod store_config;
mod suggest;
mod suppress;
#[cfg(feature = "tool")]
mod tool;
mod value;
mod verdict;

pub use self::builder::SessionPolicyBuilder;
pub use self::client_certificate::ClientCertificate;
pub use self::configuration::{Configuration, Note};
pub use self::date::{Date, InvalidDate};
pub use self::encryption::{EncryptionKeys, InvalidEncryptionKeys};
pub use self::explain::Provenance;
pub use self::index_key::{IndexKey, InvalidIndexKey};
pub use self::keys::{Fallback, Key, Kind, Safer, Table, policy_keys, store_keys};
pub use self::lint::{Judged, Lint, Severity, Suppressible, index as lint_index, lint, lints};
pub use self::name::{is_policy_name, marker_name};
pub use self::origin::{Layer, Location, Origin};
pub use self::policy::{
    Activity, Adapter, BehaviorOnLimit, CarryOver, CloseCodes, Codec, ConcurrencyPolicy, Csrf, Durability,
    ForwardedHeader, Network, OnConflict, OnServerError, ParseNetworkError, PersistencePolicy, Pooler,
    RememberPolicy, Renew, SameSite, Scope, SerialPolicy, SessionPolicy, SocketActivity, SocketCredential,
    SocketPolicy, SocketRequire, TransportPolicy, WhenFull, describe,
};
pub use self::postgres_address::{ParsePostgresAddressError, PostgresAddress, PostgresTls};
pub use self::problem::Problem;
pub use self::problems::Problems;
pub use self::redis_address::{ParseRedisAddressError, RedisAddress};
pub use self::reference::reference;
pub use self::sentinel_user::SentinelUser;
pub use self::source::{Declaration, Entry, Literal, Profile, SourceFile, Sources, Stage, UnknownProfile};
pub use self::store_config::{StoreConfig, StoreKind};
pub use self::suggest::suggest;
pub use self::suppress::Suppression;
#[cfg(feature = "tool")]
pub use self::tool::{Change, Difference, Strength, difference, dossier, schema};
pub use self::value::{InvalidDuration, parse_duration};
