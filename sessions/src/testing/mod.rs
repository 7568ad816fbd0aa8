//! What tests need, of applications and of stores: a clock that is set by hand, sessions without a server, stores that
//! watch or fail, and the conformance kit of the [store contract](crate::store::SessionStore).

mod clock;
pub mod conformance;
mod fault;
mod session;
mod spy;

#[cfg(test)]
pub(crate) use self::conformance::dice::Dice;
pub use self::{
    clock::ManualClock,
    fault::{FaultStore, Injected},
    session::{authenticated, session, session_of},
    spy::{Counts, Fate, Operation, SpyStore},
};
pub use crate::__conformance as conformance;
