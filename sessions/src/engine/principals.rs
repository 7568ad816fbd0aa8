//! The sessions of a principal: listed and revoked over all policies of a registry.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::SessionEngine;
use crate::{
    event::{EventKind, SessionEvent, instant},
    fault::SessionError,
    principal::SessionPrincipal,
    record::Record,
    store::{EndReason, EndTarget, Listed, Millis, SessionStore, SharedStore},
    token::{Handle, Owner, SessionId},
    watch::SessionEnding,
};

/// How many sessions a store is asked for at once.
pub(super) const PAGE: usize = 128;

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
    /// When it was last active, as precisely as the policy's `touch_every` notes it; with `activity = "change"`, when it
    /// was last changed.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// The user agent of the login.
    pub user_agent: Option<String>,
    /// Where the login came from, if the policy has `client_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Whether it is the one that asked.
    pub current: bool,
}

/// Why all sessions of a principal are revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Why {
    /// Someone asked for it.
    #[default]
    Asked,
    /// A password or another factor was changed.
    CredentialsChanged,
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
        self.in_time(self.sessions_seen_from(principal, None)).await
    }

    pub(crate) async fn sessions_seen_from(
        &self,
        principal: &SessionPrincipal,
        current: Option<Handle>,
    ) -> Result<Vec<SessionInfo>, SessionError> {
        let mut sessions = Vec::new();
        for engine in self.family() {
            for Held { record, .. } in engine.held_by(principal).await? {
                sessions.push(engine.info(&record, current.filter(|_| engine.is_of(self))));
            }
        }
        Ok(sessions)
    }

    /// One session as its owner may see it; `current` is the handle of the one that asks, if it is of this policy.
    pub(super) fn info(&self, record: &Record, current: Option<Handle>) -> SessionInfo {
        SessionInfo {
            handle: record.handle,
            policy: String::from(&*self.shared.name),
            created_at: instant(record.created),
            last_seen_at: instant(record.last_seen),
            expires_at: instant(self.shared.lifetimes.expires(record)),
            user_agent: record.agent_text(),
            address: record.address,
            current: current == Some(record.handle),
        }
    }

    /// Ends one session of a principal, named by its handle. False if the principal has no such live session: another
    /// principal's stays untouched.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell.
    pub async fn revoke(&self, principal: &SessionPrincipal, handle: Handle) -> Result<bool, SessionError> {
        self.in_time(self.revoke_one(principal, handle)).await
    }

    pub(crate) async fn revoke_one(
        &self,
        principal: &SessionPrincipal,
        handle: Handle,
    ) -> Result<bool, SessionError> {
        for engine in self.family() {
            let held = engine.held_by(principal).await?;
            let Some(held) = held.into_iter().find(|held| held.record.handle == handle) else { continue };
            let owner = Some(engine.owner(principal));
            let target = EndTarget::Session { id: held.id, owner };
            let ended = engine.end(target, principal, Why::Asked).await?;
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
        Ok(self.in_time(self.revoke_all_for(principal, None, Why::Asked)).await?.len() as u64)
    }

    /// Says that a password or another factor of a principal was changed, reset or removed, by an operator or a process of
    /// recovery (OWASP ASVS 5.0, 7.4.3): every session of it ends in all policies of the registry, and every login that is
    /// under way is refused. Tells how many sessions that were, and [`EventKind::CredentialsChanged`] says so.
    ///
    /// A handler in which the principal did it itself has
    /// [`Session::credentials_changed`](crate::Session::credentials_changed), which keeps the session of that request.
    ///
    /// # Errors
    /// As for [`revoke_all`](Self::revoke_all).
    pub async fn credentials_changed(&self, principal: &SessionPrincipal) -> Result<u64, SessionError> {
        let ended =
            self.in_time(self.revoke_all_for(principal, None, Why::CredentialsChanged)).await?.len() as u64;
        self.tell_credentials_changed(principal, None, ended);
        Ok(ended)
    }

    pub(crate) fn tell_credentials_changed(
        &self,
        principal: &SessionPrincipal,
        kept: Option<Handle>,
        ended: u64,
    ) {
        self.event(EventKind::CredentialsChanged, |event| {
            event.handle = kept;
            event.of_principal(principal);
            event.count = ended;
        });
    }

    /// The ids of the sessions that it ended. The first outbox is told why.
    pub(crate) async fn revoke_all_for(
        &self,
        principal: &SessionPrincipal,
        except: Option<SessionId>,
        mut why: Why,
    ) -> Result<Vec<SessionId>, SessionError> {
        let mut ended = Vec::new();
        for engine in self.family() {
            if engine.shared.store.is_none() {
                continue;
            }
            let except = except.filter(|_| engine.is_of(self));
            let target = EndTarget::Owner { owner: engine.owner(principal), except };
            let why = if engine.has_outbox() { std::mem::take(&mut why) } else { Why::Asked };
            ended.extend(engine.end(target, principal, why).await?);
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
            self.shared.hub.look_at(held.id);
            any = true;
        }
        Ok(any)
    }

    pub(super) fn owner(&self, principal: &SessionPrincipal) -> Owner {
        self.owner_named(principal.kind(), principal.id())
    }

    /// The same by kind and id.
    pub(super) fn owner_named(&self, kind: &str, id: &str) -> Owner {
        match &self.shared.index_key {
            None => Owner::of(&self.shared.name, kind, id),
            Some(key) => Owner::keyed(key, &self.shared.name, kind, id),
        }
    }

    /// Ends sessions of a principal.
    async fn end(
        &self,
        target: EndTarget,
        principal: &SessionPrincipal,
        why: Why,
    ) -> Result<Vec<SessionId>, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(Vec::new()) };
        let end = self.end_of(target, EndReason::Revoked);
        let revoked = |event: &mut SessionEvent| {
            event.of_principal(principal);
            event.reason = Some(match target {
                EndTarget::Session { .. } => "one",
                EndTarget::Owner { .. } => "all",
            });
        };
        let notes = self.notes(|notes| {
            if why == Why::CredentialsChanged {
                notes.event(EventKind::CredentialsChanged, |event| {
                    event.of_principal(principal);
                    if let EndTarget::Owner { except: Some(kept), .. } = target {
                        event.handle = Some(kept.handle());
                    }
                });
            }
            notes.each(EventKind::Revoked, revoked);
        });
        let ended = store.end_soon(end, notes).await.map_err(|error| {
            // Perhaps they have ended, and only the answer was lost.
            match target {
                EndTarget::Session { id, .. } => self.shared.hub.look_at(id),
                EndTarget::Owner { owner, .. } => self.shared.hub.look_at_those_of(owner),
            }
            self.store_failed(error)
        })?;
        self.shared.hub.end(&ended.ids, SessionEnding::Revoked);
        for id in &ended.ids {
            self.event(EventKind::Revoked, |event| {
                event.handle = Some(id.handle());
                revoked(event);
            });
        }
        Ok(ended.ids)
    }

    async fn held_by(&self, principal: &SessionPrincipal) -> Result<Vec<Held>, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(Vec::new()) };
        let now = self.shared.time.now();
        let mut held = self.listed(store, self.owner(principal), now).await?;
        held.retain(|held| self.is_live(&held.record, now));
        Ok(held)
    }

    fn is_live(&self, record: &Record, now: Millis) -> bool {
        !record.is_moving(now) && self.shared.lifetimes.over(record, now).is_none()
    }

    /// What a store has listed, if it is alive under these settings.
    pub(super) fn live(&self, listed: &Listed, now: Millis) -> Option<Arc<Record>> {
        self.decode(&listed.stored).filter(|record| self.is_live(record, now))
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
