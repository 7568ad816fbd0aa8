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
    lines: Mutex<HashMap<SessionId, Weak<tokio::sync::Mutex<()>>>>,
}

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
