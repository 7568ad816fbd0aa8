//! Who the session belongs to: login, logout, rotation, and the principal's other sessions.

use std::sync::Arc;

use sessions_policy::CarryOver;

use super::{
    Session,
    state::{Emission, Identity, SENT},
};
use crate::{
    engine::{SessionCursor, SessionInfo, SessionPage, Why, mutate::Op},
    fault::{Fault, SessionError},
    principal::SessionPrincipal,
    token::{Handle, SessionId},
};

impl<P, G> Session<P, G> {
    /// Whether someone has logged in.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.state().lock().is_authenticated()
    }

    /// Who has logged in.
    #[must_use]
    pub fn principal(&self) -> Option<Arc<SessionPrincipal>> {
        self.state().lock().effective_principal()
    }

    /// Who has logged in, in a handler that needs to know: behind a guard it never fails.
    ///
    /// # Errors
    /// [`Fault::Required`]: no one is logged in.
    pub fn require_principal(&self) -> Result<Arc<SessionPrincipal>, SessionError> {
        self.principal().ok_or_else(|| SessionError::new(Fault::Required, "log in first"))
    }

    /// Records that a principal has proved who it is: login, step-up, or a change of user.
    ///
    /// The policy does the rest when the response is ready: the id changes and the old one is dead at once
    /// (ASVS 7.2.4), lifetimes start anew, the limit is enforced, the session joins the principal's list. From an
    /// anonymous session `carry_over` says what stays; with a different principal than before, all data is discarded
    /// first. The same principal again is a confirmation: data and handle stay.
    #[doc(alias("login", "cycle_id"))]
    pub fn mark_authenticated(&mut self, principal: SessionPrincipal) {
        let began = self.state().engine.stamp();
        let mut inner = self.state().lock();
        if !inner.is_open() {
            return;
        }
        let before = match inner.effective_principal() {
            Some(before) => Some(before),
            // Whoever was logged in when the request came: a logout in the same handler hides no one's data.
            None => inner.stored_principal(),
        };
        match before {
            Some(before) if !before.is_same_party(&principal) => inner.changes.discard_all(),
            Some(_) => {}
            None => {
                if let CarryOver::Keys(keys) = self.policy().carry_over() {
                    inner.change(Op::Retain(keys.clone()));
                }
            }
        }
        inner.identity = Identity::Login { principal: Arc::new(principal), began };
    }

    /// Records that the principal leaves. With [`clear_data`](Self::clear_data) the session ends: its record is removed
    /// before the response says so. Without, the data goes on in an anonymous session of a new id.
    #[doc(alias("logout", "purge"))]
    pub fn clear_authentication(&mut self) {
        let mut inner = self.state().lock();
        if inner.is_open() {
            let stored = inner.record().is_some_and(crate::record::Record::is_authenticated);
            inner.identity = if stored { Identity::Logout } else { Identity::Keep };
            inner.left |= stored;
        }
    }

    /// Records that the id changes at once: the old one is dead, data and handle stay.
    #[doc(alias("cycle_id", "renew", "regenerate"))]
    pub fn rotate(&mut self) {
        let mut inner = self.state().lock();
        if inner.is_open() {
            inner.rotate = true;
        }
    }

    /// Records whether the session outlives the client's own run, with the policy's `remember` lifetimes.
    ///
    /// A policy without a `remember` block can't remember: the commit fails with [`Fault::PolicyViolation`].
    pub fn remember(&mut self, remember: bool) {
        let allowed = self.policy().remember().is_some();
        let mut inner = self.state().lock();
        if !inner.is_open() {
            return;
        }
        if remember && !allowed {
            let misuse =
                "the policy has no `remember` lifetimes: add `remember = { ttl = \"30days\" }` to it";
            inner.misuse = Some((Fault::PolicyViolation, misuse));
        } else {
            inner.remember = Some(remember);
        }
    }

    /// Lists the principal's live sessions in all policies of the registry; this one is marked.
    ///
    /// # Errors
    /// - [`Fault::Required`]: no one is logged in.
    /// - [`Fault::StoreUnavailable`]: a store can't tell.
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, SessionError> {
        let principal = self.require_principal()?;
        let (engine, handle) = (&self.state().engine, self.handle());
        engine.within_family(self.state(), engine.sessions_seen_from(&principal, handle)).await
    }

    /// The same a page at a time, for principals that have many: see
    /// [`SessionEngine::sessions_page`](crate::SessionEngine::sessions_page).
    ///
    /// # Errors
    /// As for [`sessions`](Self::sessions).
    pub async fn sessions_page(
        &self,
        after: Option<&SessionCursor>,
        limit: usize,
    ) -> Result<SessionPage, SessionError> {
        let principal = self.require_principal()?;
        let (engine, handle) = (&self.state().engine, self.handle());
        let page = engine.page_seen_from(&principal, handle, after, limit);
        engine.within_family(self.state(), page).await
    }

    /// Ends one of the principal's sessions, in whatever policy. False if the principal has no such live session.
    ///
    /// # Errors
    /// As for [`sessions`](Self::sessions).
    pub async fn revoke(&self, handle: Handle) -> Result<bool, SessionError> {
        self.state().engine.confirm_stored(self.state()).await?;
        let principal = self.require_principal()?;
        let engine = &self.state().engine;
        let revoked = engine.within_family(self.state(), engine.revoke_one(&principal, handle)).await?;
        if revoked && self.handle() == Some(handle) {
            self.forget(true);
        }
        Ok(revoked)
    }

    /// Ends all of the principal's sessions but this one, and logins that are under way; tells how many.
    ///
    /// # Errors
    /// As for [`sessions`](Self::sessions).
    pub async fn revoke_others(&self) -> Result<u64, SessionError> {
        self.state().engine.confirm_stored(self.state()).await?;
        self.revoke_others_for(Why::Asked).await
    }

    async fn revoke_others_for(&self, why: Why) -> Result<u64, SessionError> {
        let principal = self.require_principal()?;
        let own = self.own_id();
        let ended = self.end_all_but(&principal, own, why).await?;
        // A login that this handler has recorded is not one of those that it revokes.
        if let Identity::Login { began, .. } = &mut self.state().lock().identity {
            *began = self.state().engine.stamp();
        }
        Ok(ended.len() as u64)
    }

    /// Ends all of the principal's sessions, this one included, and logins that are under way; tells how many.
    ///
    /// # Errors
    /// As for [`sessions`](Self::sessions).
    pub async fn revoke_all(&self) -> Result<u64, SessionError> {
        self.state().engine.confirm_stored(self.state()).await?;
        let principal = self.require_principal()?;
        let ended = self.end_all_but(&principal, None, Why::Asked).await?;
        let own = self.own_id();
        self.forget(own.is_some_and(|own| ended.contains(&own)));
        Ok(ended.len() as u64)
    }

    /// Says that the principal has changed a password or another factor: call it once the change is stored.
    ///
    /// All its other sessions end, in all policies of the registry, and logins that are under way are refused (OWASP ASVS
    /// 5.0, 7.4.3). This one stays, with its data and its handle, under a new id at once (7.2.4): a copy of the old one is
    /// of no use. What was recorded before is written together with the new id. Tells how many other sessions ended;
    /// [`EventKind::CredentialsChanged`](crate::EventKind::CredentialsChanged) says so too.
    ///
    /// It makes nothing fresh: whoever confirmed who it is for the change has been marked by
    /// [`mark_authenticated`](Self::mark_authenticated). An operator who sets a password ends all sessions, by
    /// [`Registry::credentials_changed`](crate::Registry::credentials_changed).
    ///
    /// ```
    /// # use sessions::{MemoryStore, SessionEngine, SessionPolicy, SessionPrincipal};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::SessionError> {
    /// # let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(100));
    /// # let mut session = engine.resolve(&http::Request::new(())).await?;
    /// # session.mark_authenticated(SessionPrincipal::user("u1"));
    /// // … the new password's hash is stored …
    /// let others = session.credentials_changed().await?;
    /// assert_eq!(others, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - As for [`sessions`](Self::sessions), and for [`commit`](Self::commit).
    ///
    /// Where it fails, the new password is in force and sessions of before may live: call it again, or answer with the
    /// error so that the person does.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the others ended and the id as it was.
    pub async fn credentials_changed(&self) -> Result<u64, SessionError> {
        self.state().engine.confirm_stored(self.state()).await?;
        let principal = self.require_principal()?;
        let ended = self.revoke_others_for(Why::CredentialsChanged).await?;
        let rotates = {
            let mut inner = self.state().lock();
            if inner.sent {
                return Err(SessionError::new(Fault::Unusable, SENT));
            }
            // A login gets a new id anyway.
            inner.rotate |= inner.base.is_some();
            inner.base.is_some()
        };
        if rotates {
            self.state().engine.commit_early(self.state()).await?;
        }
        self.state().engine.tell_credentials_changed(&principal, self.handle(), ended);
        Ok(ended)
    }

    /// The ids of the principal's sessions that it ended.
    async fn end_all_but(
        &self,
        principal: &SessionPrincipal,
        except: Option<SessionId>,
        why: Why,
    ) -> Result<Vec<SessionId>, SessionError> {
        let engine = &self.state().engine;
        engine.within_family(self.state(), engine.revoke_all_for(principal, except, why)).await
    }

    fn own_id(&self) -> Option<SessionId> {
        self.state().lock().base.as_ref().map(|base| base.token.id)
    }

    /// The session of this request is no more, and nothing recorded before is written. Only who ended it tells the client.
    fn forget(&self, ended_here: bool) {
        let mut inner = self.state().lock();
        inner.emission = if ended_here { Emission::Remove } else { Emission::Nothing };
        inner.changes = crate::engine::mutate::Changes::default();
        inner.forget(ended_here);
        inner.identity = Identity::Keep;
        inner.rotate = false;
        inner.remember = None;
    }
}
