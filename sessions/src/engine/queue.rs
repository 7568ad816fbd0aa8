//! Lets the writers of one session take turns once they have met, so that inside a process nobody starves; and all its
//! requests, where the policy says so.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, Weak},
};

use tokio::sync::OwnedMutexGuard;

use crate::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    token::SessionId,
};

/// Queues by session, made when writers meet and gone when none is left.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: Mutex<HashMap<SessionId, Weak<tokio::sync::Mutex<()>>>>,
    /// How many turns are taken or waited for.
    turns: Arc<AtomicUsize>,
}

/// A writer's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _guard: OwnedMutexGuard<()>,
    _counted: Counted,
}

/// One of the turns that are taken or waited for.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    /// Waits for its turn, in order of arrival.
    pub(super) async fn turn(&self, id: SessionId) -> Turn {
        let counted = self.count();
        let line = self.line(id);
        Turn { _guard: line.lock_owned().await, _counted: counted }
    }

    /// Whether anyone takes turns, of whichever session: all that a write pays for who comes alone.
    pub(super) fn is_in_use(&self) -> bool {
        self.turns.load(Ordering::Relaxed) > 0
    }

    /// Waits for its turn if the writers of this session take turns already.
    pub(super) async fn join(&self, id: SessionId) -> Option<Turn> {
        let taken = {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.get(&id).is_some_and(|line| line.strong_count() > 0)
        };
        if taken { Some(self.turn(id).await) } else { None }
    }

    fn count(&self) -> Counted {
        self.turns.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.turns))
    }

    /// Its turn, if no one else has it.
    pub(super) fn turn_now(&self, id: SessionId) -> Option<Turn> {
        let counted = self.count();
        Some(Turn { _guard: self.line(id).try_lock_owned().ok()?, _counted: counted })
    }

    fn line(&self, id: SessionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&id).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= 64 {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::default();
        lines.insert(id, Arc::downgrade(&line));
        line
    }
}
