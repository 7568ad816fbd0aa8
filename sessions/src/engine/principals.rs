//! The sessions of a principal: listed and revoked over all policies of a registry.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::SessionEngine;
use crate::{
    event::{EventKind, instant},
    fault::SessionError,
    principal::SessionPrincipal,
    record::Record,
    store::{EndReason, EndTarget, Millis, SessionStore, SharedStore},
    token::{Handle, Owner, SessionId},
};

/// How many sessions a store is asked for at once.
const PAGE: usize = 128;

/// One session of a principal, as its owner may see it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Names the session; no credential.
    pub handle: Handle,
    /// The policy that it is under.
    pub policy: String,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it was last used, as precisely as the policy's `touch_every` notes it.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// The user agent of the login.
    pub user_agent: Option<String>,
    /// Whether it is the one that asked.
    pub current: bool,
}

/// A live session of a principal, as the engine sees it.
struct Held {
    id: SessionId,
    record: Arc<Record>,
}

impl SessionEngine {
    /// Lists the live sessions of a principal in all policies of the registry, oldest login of a policy first.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell.
    pub async fn sessions_of(&self, principal: &SessionPrincipal) -> Result<Vec<SessionInfo>, SessionError> {
        self.sessions_seen_from(principal, None).await
    }

    pub(crate) async fn sessions_seen_from(
        &self,
        principal: &SessionPrincipal,
        current: Option<Handle>,
    ) -> Result<Vec<SessionInfo>, SessionError> {
        let mut sessions = Vec::new();
        for engine in self.family() {
            for Held { record, .. } in engine.held_by(principal).await? {
                sessions.push(SessionInfo {
                    handle: record.handle,
                    policy: String::from(&*engine.shared.name),
                    created_at: instant(record.created),
                    last_seen_at: instant(record.last_seen),
                    expires_at: instant(engine.shared.lifetimes.expires(&record)),
                    user_agent: record.agent_text(),
                    current: engine.is_of(self) && current == Some(record.handle),
                });
            }
        }
        Ok(sessions)
    }

    /// Ends one session of a principal, named by its handle. False if the principal has no such live session: another
    /// principal's stays untouched.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell.
    pub async fn revoke(&self, principal: &SessionPrincipal, handle: Handle) -> Result<bool, SessionError> {
        for engine in self.family() {
            let held = engine.held_by(principal).await?;
            let Some(held) = held.into_iter().find(|held| held.record.handle == handle) else { continue };
            let owner = Some(engine.owner(principal));
            let ended = engine.end(EndTarget::Session { id: held.id, owner }).await?;
            return Ok(!ended.is_empty());
        }
        Ok(false)
    }

    /// Ends every session of a principal in all policies of the registry, and every login of it that is under way; tells
    /// how many sessions that were.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell. Policies that came first are
    /// done then: call it again.
    pub async fn revoke_all(&self, principal: &SessionPrincipal) -> Result<u64, SessionError> {
        Ok(self.revoke_all_but(principal, None).await?.len() as u64)
    }

    /// The ids of the sessions that it ended.
    pub(crate) async fn revoke_all_but(
        &self,
        principal: &SessionPrincipal,
        except: Option<SessionId>,
    ) -> Result<Vec<SessionId>, SessionError> {
        let mut ended = Vec::new();
        for engine in self.family() {
            if engine.shared.store.is_none() {
                continue;
            }
            let except = except.filter(|_| engine.is_of(self));
            ended.extend(engine.end(EndTarget::Owner { owner: engine.owner(principal), except }).await?);
        }
        Ok(ended)
    }

    /// Ends what the store takes for alive and these settings don't; whether there was any.
    pub(super) async fn end_lapsed(
        &self,
        store: &SharedStore,
        owner: Owner,
        now: Millis,
    ) -> Result<bool, SessionError> {
        let listed = self.listed(store, owner, now).await?;
        let lapsed = listed.iter().filter(|held| self.shared.lifetimes.over(&held.record, now).is_some());
        let mut any = false;
        for held in lapsed {
            let target = EndTarget::Session { id: held.id, owner: Some(owner) };
            let end = self.end_of(target, EndReason::Expired);
            store.end(end).await.map_err(|error| self.store_failed(error))?;
            any = true;
        }
        Ok(any)
    }

    fn owner(&self, principal: &SessionPrincipal) -> Owner {
        Owner::of(&self.shared.name, principal.kind(), principal.id())
    }

    async fn end(&self, target: EndTarget) -> Result<Vec<SessionId>, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(Vec::new()) };
        let end = self.end_of(target, EndReason::Revoked);
        let ended = store.end(end).await.map_err(|error| self.store_failed(error))?;
        for id in &ended.ids {
            self.event(EventKind::Revoked, |event| event.handle = Some(id.handle()));
        }
        Ok(ended.ids)
    }

    async fn held_by(&self, principal: &SessionPrincipal) -> Result<Vec<Held>, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(Vec::new()) };
        let now = self.shared.time.now();
        let mut held = self.listed(store, self.owner(principal), now).await?;
        held.retain(|held| {
            !held.record.is_moving(now) && self.shared.lifetimes.over(&held.record, now).is_none()
        });
        Ok(held)
    }

    /// What the store has of an owner, page by page.
    async fn listed(
        &self,
        store: &SharedStore,
        owner: Owner,
        now: Millis,
    ) -> Result<Vec<Held>, SessionError> {
        let mut held = Vec::new();
        let mut after = None;
        loop {
            let page = store.list(owner, after, PAGE, now).await.map_err(|error| self.store_failed(error))?;
            let full = page.len() == PAGE;
            after = page.last().map(|listed| listed.id);
            for listed in page {
                if let Some(record) = self.decode(&listed.stored) {
                    held.push(Held { id: listed.id, record });
                }
            }
            if !full {
                return Ok(held);
            }
        }
    }
}
