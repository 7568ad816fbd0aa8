//! The pages, one file each.

pub(super) mod events;
pub(super) mod overview;
pub(super) mod policies;
pub(super) mod session;
pub(super) mod sessions;
pub(super) mod stores;
