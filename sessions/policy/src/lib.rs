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
mod configuration;
mod draft;
mod finish;
mod keys;
mod name;
mod origin;
mod policy;
mod preset;
mod problem;
mod reference;
mod resolve;
mod rules;
mod source;
mod store_config;
mod suggest;
mod value;

pub use self::builder::SessionPolicyBuilder;
pub use self::configuration::{Configuration, Note};
pub use self::keys::{Fallback, Key, Kind, Table, policy_keys, store_keys};
pub use self::name::{is_policy_name, marker_name};
pub use self::origin::{Location, Origin};
pub use self::policy::{
    Adapter, BehaviorOnLimit, CarryOver, ConcurrencyPolicy, Csrf, OnConflict, OnServerError,
    PersistencePolicy, RememberPolicy, Renew, SameSite, Scope, SessionPolicy, TransportPolicy, WhenFull,
    describe,
};
pub use self::problem::{Problem, Problems};
pub use self::reference::reference;
pub use self::source::{Declaration, Entry, Literal, Profile, SourceFile, Sources, UnknownProfile};
pub use self::store_config::{StoreConfig, StoreKind};
pub use self::value::{InvalidDuration, parse_duration};
