//! What waits for a thread: bounded, closed once, and taken by whoever is free.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::store::StoreError;

/// How many operations wait at most: what comes on top would only be late.
const MOST: usize = 16_384;

/// Where the answer of a queued operation comes.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// Operations in the order of their arrival.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    open: bool,
    /// How many have to wait before who waits for several is woken.
    wanted: usize,
}

/// Why something was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Closed,
    Full,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        let state = State { waiting: VecDeque::new(), open: true, wanted: 1 };
        Self { state: Mutex::new(state), arrived: Condvar::new() }
    }

    pub(super) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.lock();
        if !state.open {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= MOST {
            return Err(Refused::Full);
        }
        state.waiting.push_back(item);
        let enough = state.waiting.len() >= state.wanted;
        drop(state);
        if enough {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Refuses what comes from now on; what waits is still taken.
    pub(super) fn close(&self) {
        self.lock().open = false;
        self.arrived.notify_all();
    }

    /// Closes the queue, and drops what waits, so that its callers learn that no one will take it.
    pub(super) fn abandon(&self) {
        self.close();
        let waiting = std::mem::take(&mut self.lock().waiting);
        drop(waiting);
    }

    /// Waits for one; `None` once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.waiting.pop_front() {
                return Some(item);
            }
            if !state.open {
                return None;
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for one, then a little for as many as are expected, and takes at most so many into `batch`. Whether there
    /// was anything: not once the queue is closed and empty.
    pub(super) fn pop_many(
        &self,
        batch: &mut Vec<T>,
        most: usize,
        expected: usize,
        patience: Duration,
    ) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() && state.open {
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.waiting.len() < expected && state.open {
            state = self.wait_for(state, expected, Instant::now() + patience);
        }
        let count = state.waiting.len().min(most);
        batch.extend(state.waiting.drain(..count));
        count > 0
    }

    fn wait_for<'a>(
        &self,
        mut state: MutexGuard<'a, State<T>>,
        expected: usize,
        until: Instant,
    ) -> MutexGuard<'a, State<T>> {
        state.wanted = expected;
        while state.waiting.len() < expected && state.open {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wanted = 1;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_when_a_queue_is_abandoned_has_its_callers_told() {
        let queue = Queue::new();
        let (caller, mut answer) = oneshot::channel::<()>();
        assert_eq!(queue.push(caller), Ok(()));
        queue.abandon();
        assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(queue.push(oneshot::channel().0), Err(Refused::Closed));
        assert!(queue.pop().is_none());
    }

    #[test]
    fn a_queue_is_bounded_and_keeps_the_order() {
        let queue = Queue::new();
        for number in 0..MOST {
            assert_eq!(queue.push(number), Ok(()));
        }
        assert_eq!(queue.push(MOST), Err(Refused::Full));
        let mut batch = Vec::new();
        assert!(queue.pop_many(&mut batch, 3, 1, Duration::ZERO));
        assert_eq!(batch, [0, 1, 2]);
        assert_eq!(queue.pop(), Some(3));
    }

    #[test]
    fn who_waits_for_several_does_not_wait_for_long() {
        let queue = Queue::new();
        assert_eq!(queue.push(1), Ok(()));
        let mut batch = Vec::new();
        assert!(queue.pop_many(&mut batch, 64, 64, Duration::from_millis(1)));
        assert_eq!(batch, [1]);
        queue.close();
        assert!(!queue.pop_many(&mut batch, 64, 64, Duration::from_secs(9)));
    }
}
