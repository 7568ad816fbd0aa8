//! What the engines of one registry share: each other, and what goes on without its request.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{error::Elapsed, timeout},
};

use super::{EngineShared, SessionEngine};

/// The engines of the same registry as they are now, which share their principals. An engine of settings that are no
/// longer in force finds those that are; empty for an engine that was made by hand.
#[derive(Default)]
pub(crate) struct Family {
    members: RwLock<Vec<Weak<EngineShared>>>,
    /// How many tasks go on by themselves.
    going_on: watch::Sender<usize>,
}

impl Family {
    /// Makes these engines know each other's sessions.
    pub(crate) fn join(&self, engines: &[SessionEngine]) {
        let members = engines.iter().map(|engine| Arc::downgrade(&engine.shared)).collect();
        *self.members.write().unwrap_or_else(PoisonError::into_inner) = members;
    }

    pub(super) fn members(&self) -> Vec<SessionEngine> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members
            .iter()
            .filter_map(Weak::upgrade)
            .map(|shared| SessionEngine { shared, request: None })
            .collect()
    }

    /// Lets steps go on on a task of their own. Whoever shuts the registry down waits for it.
    pub(super) fn go_on<T: Send + 'static>(
        self: &Arc<Self>,
        steps: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.going_on.send_modify(|count| *count += 1);
        let task = Task(Arc::clone(self));
        tokio::spawn(async move {
            let _task = task;
            steps.await
        })
    }

    /// Waits until nothing goes on by itself any more.
    ///
    /// # Errors
    /// So long it did not come to rest.
    pub(crate) async fn at_rest(&self, limit: Duration) -> Result<(), Elapsed> {
        let mut going_on = self.going_on.subscribe();
        if *going_on.borrow() == 0 {
            return Ok(());
        }
        // The sender is in `self`: it can't be gone.
        timeout(limit, going_on.wait_for(|count| *count == 0)).await.map(drop)
    }
}

/// A task that goes on, until it is dropped.
struct Task(Arc<Family>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.going_on.send_modify(|count| *count -= 1);
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Family")
    }
}
