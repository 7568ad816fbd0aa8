//! The locks and atomic numbers of what several threads share: those of the standard library, or, for the tests of
//! schedules (`tests/schedules`), those of a scheduler that decides who goes on at each of them.
//!
//! `--cfg sessions_shuttle` is no feature: it can't be switched on by a dependency, and what is built with it runs
//! nowhere but under that scheduler.

#[cfg(sessions_shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(sessions_shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};
