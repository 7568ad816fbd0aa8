//! The end of a handler, the same under every framework: what it opened is committed before its response goes out, and
//! the response is told what became of it.

use std::sync::Arc;

use http::HeaderMap;

use super::Sessions;
use crate::{engine::commit::Outcome, fault::SessionError, session::state::SessionState, soon::all};

impl Sessions {
    /// Whether nothing has to be written. They are closed then.
    pub(crate) fn settle(&self) -> bool {
        self.iter().all(|state| state.engine.settle(state))
    }

    /// Commits them for a response that says whether the handler has failed. A session that fails takes the response's
    /// place; what the others have to tell still goes out with it.
    pub(crate) async fn commit(&self, has_failed: bool) -> Result<(), SessionError> {
        let outcome = if has_failed { Outcome::ServerError } else { Outcome::Answered };
        let commit = async |state: &Arc<SessionState>| state.engine.commit_last(state, outcome).await;
        match self.only() {
            Some(state) => commit(state).await,
            // At once: each may take as long as its store's `timeout`, and so may all.
            None => Box::pin(all(self.iter().map(commit))).await.into_iter().collect(),
        }
    }

    /// Closes them and tells the client.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        for state in self.iter() {
            state.engine.emit(state, headers);
        }
    }
}
