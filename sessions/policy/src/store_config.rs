//! What is true of a store: its kind and that kind's settings. Not the store itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::encryption::EncryptionKeys;
use crate::policy::{Pooler, WhenFull};
use crate::postgres_address::PostgresAddress;
use crate::redis_address::RedisAddress;

/// One store of a configuration.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub(crate) name: String,
    pub(crate) kind: StoreKind,
    pub(crate) timeout: Duration,
    pub(crate) encryption_keys: EncryptionKeys,
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

    /// The store whose sessions move to this one.
    pub fn migrate_from(&self) -> Option<&str> {
        self.migrate_from.as_deref()
    }

    /// What encrypts the values of its sessions; empty where nothing does.
    pub fn encryption_keys(&self) -> &EncryptionKeys {
        &self.encryption_keys
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
    },
    /// A Redis or Valkey server.
    Redis {
        /// Where it is.
        address: RedisAddress,
        /// What its keys begin with.
        key_prefix: String,
    },
    /// A store that the application brings.
    Custom,
}
