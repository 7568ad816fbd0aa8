//! What the web asks of a session: the head of a request, where it came from, and what caches may keep.

pub(crate) mod caching;
pub(crate) mod cross_site;
pub(crate) mod forwarded;
mod head;
mod origin;
pub(crate) mod peer;
pub(crate) mod problem;

pub use head::RequestHead;
pub use peer::Peer;
