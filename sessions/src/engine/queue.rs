//! Lets the writers of one session take turns once they have met, so that inside a process nobody starves; and all its
//! requests, where the policy says so.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, Weak},
};

use tokio::sync::OwnedMutexGuard;

use crate::{sync::Mutex, token::SessionId};

/// Queues by session, made when writers meet and gone when none is left.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    by_session: HashMap<SessionId, Weak<tokio::sync::Mutex<()>>>,
    /// How many lines there may be until those that no one is in are looked for: twice as many as were left the last time,
    /// so that a line costs its share of it however many there are.
    full: usize,
}

/// How few lines are never looked through.
const FEW: usize = 64;

/// A writer's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _guard: OwnedMutexGuard<()>,
}

impl Queue {
    /// Waits for its turn, in order of arrival.
    pub(super) async fn turn(&self, id: SessionId) -> Turn {
        let line = self.line(id);
        Turn { _guard: line.lock_owned().await }
    }

    /// Its turn, if no one else has it.
    pub(super) fn turn_now(&self, id: SessionId) -> Option<Turn> {
        Some(Turn { _guard: self.line(id).try_lock_owned().ok()? })
    }

    fn line(&self, id: SessionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.by_session.get(&id).and_then(Weak::upgrade) {
            return line;
        }
        if lines.by_session.len() >= lines.full.max(FEW) {
            lines.by_session.retain(|_, line| line.strong_count() > 0);
            lines.full = 2 * lines.by_session.len();
        }
        let line = Arc::default();
        lines.by_session.insert(id, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> SessionId {
        let mut sid = [0; 16];
        sid[..4].copy_from_slice(&number.to_be_bytes());
        SessionId::new(0, sid)
    }

    #[test]
    fn lines_that_are_in_use_are_not_looked_through_for_each_new_one() {
        let queue = Queue::default();
        let turns: Vec<_> = (0..1_000).filter_map(|number| queue.turn_now(id(number))).collect();
        assert_eq!(turns.len(), 1_000);
        assert!(queue.turn_now(id(7)).is_none(), "a turn that someone has is not given twice");
        assert!(queue.lines.lock().unwrap().full > 1_000, "the next look is far away");
        drop(turns);
        for number in 1_000..4_000 {
            drop(queue.turn_now(id(number)));
        }
        assert!(queue.lines.lock().unwrap().by_session.len() <= FEW, "lines that no one is in are gone");
    }
}
