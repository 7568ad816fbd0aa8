//! What the chaos tests and the nodes that they torment say to each other.
//!
//! A node (`tests/src/bin/chaos_node.rs`) serves three policies, each below its name. It tells its port on standard output,
//! and ends when its standard input does.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// How long a request waits for its store.
pub const TIMEOUT: Duration = Duration::from_secs(1);

/// How many sessions a principal may have under `web`, where a login beyond it ends the oldest.
pub const MOST: usize = 3;

/// How many under `strict`, where a login beyond it is refused.
pub const MOST_STRICT: usize = 2;

/// How long an id of `turning` works on after time has changed it.
pub const GRACE: Duration = Duration::from_millis(700);

/// What a node answers to a request that went well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose session it is.
    pub user: String,
    /// How often its counter was updated; for an update, by this one too.
    #[serde(default)]
    pub count: u64,
    /// Its keys that are set, by name.
    #[serde(default)]
    pub marks: BTreeMap<String, u64>,
    /// How many sessions the user has, where that was asked.
    #[serde(default)]
    pub sessions: Option<usize>,
    /// The updates of its counter, oldest first, where they were asked for.
    #[serde(default)]
    pub updates: Vec<u64>,
}
