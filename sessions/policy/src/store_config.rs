//! What is true of a store: its kind and that kind's settings. Not the store itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::client_certificate::ClientCertificate;
use crate::encryption::EncryptionKeys;
use crate::index_key::IndexKey;
use crate::policy::{Durability, Pooler, WhenFull};
use crate::postgres_address::PostgresAddress;
use crate::redis_address::RedisAddress;
use crate::sentinel_user::SentinelUser;

/// One store of a configuration.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub(crate) name: String,
    pub(crate) kind: StoreKind,
    pub(crate) timeout: Duration,
    pub(crate) outbox: Option<Duration>,
    pub(crate) encryption_keys: EncryptionKeys,
    pub(crate) index_key: Option<IndexKey>,
    pub(crate) migrate_from: Option<String>,
}

impl StoreConfig {
    /// The store's name, unique in a configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What keeps the sessions, with that kind's settings.
    pub fn kind(&self) -> &StoreKind {
        &self.kind
    }

    /// How long one call of the store may take; at most 30 s.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// For how long it keeps events for consumers; `None` where it keeps none.
    pub fn outbox(&self) -> Option<Duration> {
        self.outbox
    }

    /// The store whose sessions move to this one.
    pub fn migrate_from(&self) -> Option<&str> {
        self.migrate_from.as_deref()
    }

    /// What encrypts the values of its sessions; empty where nothing does.
    pub fn encryption_keys(&self) -> &EncryptionKeys {
        &self.encryption_keys
    }

    /// The key by which its index names principals, if it has one.
    pub fn index_key(&self) -> Option<&IndexKey> {
        self.index_key.as_ref()
    }
}

/// What keeps the sessions, with that kind's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// The memory of this process.
    Memory {
        /// The most sessions that it holds, at least 1.
        max_sessions: usize,
        /// What becomes of a newcomer when it is full.
        when_full: WhenFull,
    },
    /// Files in a folder, for development.
    File {
        /// The folder that holds them.
        directory: PathBuf,
    },
    /// A SQLite database.
    Sqlite {
        /// The database's file.
        path: PathBuf,
    },
    /// A PostgreSQL database.
    Postgres {
        /// Where it is.
        address: PostgresAddress,
        /// What is between a node and the server.
        pooler: Pooler,
        /// By what connections prove who they are, if a certificate does.
        certificate: Option<ClientCertificate>,
    },
    /// A Redis or Valkey server.
    Redis {
        /// Where it is.
        address: RedisAddress,
        /// What its keys begin with.
        key_prefix: String,
        /// When its answer counts.
        durability: Durability,
        /// Who asks the Sentinels, if not the same as the servers.
        sentinel_user: Option<SentinelUser>,
        /// By what connections prove who they are, if a certificate does.
        certificate: Option<ClientCertificate>,
    },
    /// A store that the application brings.
    Custom,
}
