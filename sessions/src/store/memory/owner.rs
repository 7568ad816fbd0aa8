//! One row of a shard for each owner that has a session there or has revoked its sessions lately.

use super::{
    due::Queued,
    list::List,
    table::{NONE, Row},
};
use crate::store::{Owner, Stamp};

/// What is known of one owner: its sessions, and until which login it revoked them.
#[derive(Debug)]
pub(super) struct OwnerRow {
    owner: Owner,
    /// Its node among the owners without a session; [`NONE`] while it has one.
    position: u32,
    /// Logins that began before this are refused; 0 if there never was a revocation.
    pub(super) revoked: Stamp,
    /// Its sessions in the order of their logins.
    pub(super) sessions: List,
}

impl OwnerRow {
    pub(super) fn new(owner: Owner) -> Self {
        Self { owner, position: NONE, revoked: 0, sessions: List::new() }
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl Row for OwnerRow {
    type Key = Owner;

    fn key(&self) -> &Owner {
        &self.owner
    }

    fn bits(owner: &Owner) -> u64 {
        // The first two bytes are the bucket, which the owners of a shard share in part.
        owner.as_bytes().last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

impl Queued for OwnerRow {
    fn position(&self) -> u32 {
        self.position
    }

    fn set_position(&mut self, position: u32) {
        self.position = position;
    }
}
