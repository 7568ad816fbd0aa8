//! What reading through a store gives: pages of its sessions, and where the next one begins.

use std::fmt;

use super::{Millis, Owner, SessionId, Stored};

/// A page of [`SessionStore::scan`](super::SessionStore::scan).
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Live sessions.
    pub sessions: Vec<Scanned>,
    /// Where the next page begins; `None` if this was the last one.
    pub next: Option<Bookmark>,
}

/// One session of a page.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// Its id.
    pub id: SessionId,
    /// Whose it is, if it is authenticated.
    pub owner: Option<Owner>,
    /// Its record.
    pub stored: Stored,
    /// When it is dead if nothing touches it.
    pub expires: Millis,
}

/// Where a page of a store begins, in words of the store's own.
#[derive(Clone, PartialEq, Eq)]
pub struct Bookmark(Vec<u8>);

impl Bookmark {
    /// The bookmark of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bookmark {
    /// A bookmark may hold an id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bookmark")
    }
}
