//! The door by which a request opens its sessions: the first that asks resolves one, and all share it.

use std::{marker::PhantomData, sync::Arc};

use super::opened::{Open, Opened};
use crate::{
    engine::{SessionEngine, copies::Freshness},
    fault::{Fault, SessionError},
    registry::Registry,
    session::state::SessionState,
    soon::Soon,
    transport::Carried,
    web::RequestHead,
};

/// The sessions that one request may open, in its extensions.
pub(crate) struct RequestSessions<D> {
    pub(crate) opened: Arc<Opened>,
    declared: PhantomData<fn() -> D>,
}

impl<D> Clone for RequestSessions<D> {
    fn clone(&self) -> Self {
        Self { opened: Arc::clone(&self.opened), declared: PhantomData }
    }
}

impl<D> RequestSessions<D> {
    /// What a request that begins may open, and the handler's side of it.
    pub(crate) fn begin(registry: &Registry<D>) -> (Self, Open) {
        let opened = Arc::new(Opened::new(registry.settings()));
        (Self { opened: Arc::clone(&opened), declared: PhantomData }, Open(opened))
    }

    /// The session of a policy: resolved by the first that asks, shared by all.
    pub(crate) fn open<'a>(
        &'a self,
        policy: &'static str,
        head: RequestHead<'a>,
        freshness: Freshness,
    ) -> Soon<'a, Result<Arc<SessionState>, SessionError>> {
        let engine = match self.engine(policy) {
            Ok(engine) => engine,
            Err(error) => return Soon::now(Err(error)),
        };
        match self.opened.of(engine) {
            Ok(None) if engine.takes_turns() => {
                return Soon::later(self.open_alone(engine, head, freshness));
            }
            Ok(None) => {}
            Ok(Some(state)) if freshness == Freshness::Stored && engine.has_copies() => {
                return Soon::later(async move {
                    state.engine.confirm_stored(&state).await?;
                    Ok(state)
                });
            }
            Ok(Some(state)) => return Soon::now(Ok(state)),
            Err(error) => return Soon::now(Err(error)),
        }
        self.resolve(engine, head, freshness)
    }

    /// The same for a request that only ends the session: it takes no turn.
    pub(super) async fn open_to_end(
        &self,
        policy: &'static str,
        head: RequestHead<'_>,
    ) -> Result<Arc<SessionState>, SessionError> {
        let engine = self.engine(policy)?;
        match self.opened.of(engine)? {
            Some(state) => Ok(state),
            None => match engine.resolve_to_end(head).await {
                Ok(state) => self.opened.keep(state),
                Err(error) => Err(engine.answering(error, Carried::default())),
            },
        }
    }

    pub(super) fn engine(&self, policy: &'static str) -> Result<&SessionEngine, SessionError> {
        self.opened.settings.engine(policy).ok_or_else(|| {
            SessionError::new(Fault::Unusable, format!("the registry has no policy `{policy}`"))
        })
    }

    /// The same where a session is had by one at a time: two extractors at once would wait for each other.
    async fn open_alone(
        &self,
        engine: &SessionEngine,
        head: RequestHead<'_>,
        freshness: Freshness,
    ) -> Result<Arc<SessionState>, SessionError> {
        let _alone = self.opened.alone().await;
        match self.opened.of(engine)? {
            Some(state) => Ok(state),
            None => self.resolve(engine, head, freshness).await,
        }
    }

    fn resolve<'a>(
        &'a self,
        engine: &'a SessionEngine,
        head: RequestHead<'a>,
        freshness: Freshness,
    ) -> Soon<'a, Result<Arc<SessionState>, SessionError>> {
        engine.resolve_state(head, freshness).then(|state| match state {
            Ok(state) => self.opened.keep(state),
            Err(error) => Err(engine.answering(error, Carried::default())),
        })
    }
}
