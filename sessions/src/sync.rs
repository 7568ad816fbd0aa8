//! The locks and atomic numbers of what several threads share: those of the standard library, or, for the tests of
//! schedules (`tests/schedules`), those of a scheduler that decides who goes on at each of them; or, to measure how long
//! locks are held (`benches/locks`), locks that tell a watcher when they are taken and given back.
//!
//! `--cfg sessions_shuttle` and `--cfg sessions_measure` are no features: they can't be switched on by a dependency. What
//! is built with the first runs nowhere but under that scheduler.

#[cfg(sessions_measure)]
pub(crate) use measured::{Mutex, MutexGuard};
#[cfg(sessions_shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(sessions_shuttle))]
pub(crate) use std::sync::atomic;
#[cfg(not(any(sessions_shuttle, sessions_measure)))]
pub(crate) use std::sync::{Mutex, MutexGuard};

/// The standard library's lock, with a watcher of each hold.
#[cfg(sessions_measure)]
pub(crate) mod measured {
    use std::{
        ops::{Deref, DerefMut},
        sync::{self, LockResult, OnceLock, PoisonError},
    };

    static WATCHER: OnceLock<fn(bool)> = OnceLock::new();

    /// Has this called on the thread that holds a lock: with true as soon as it has the lock, with false as the last
    /// thing before it gives the lock back. Only the first call of this function counts.
    pub fn watch(watcher: fn(bool)) {
        WATCHER.get_or_init(|| watcher);
    }

    fn tell(taken: bool) {
        if let Some(watcher) = WATCHER.get() {
            watcher(taken);
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    #[derive(Debug)]
    pub(crate) struct MutexGuard<'a, T>(sync::MutexGuard<'a, T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            let guard = self.0.lock();
            tell(true);
            guard.map(MutexGuard).map_err(|poisoned| PoisonError::new(MutexGuard(poisoned.into_inner())))
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }

    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            tell(false);
        }
    }
}
