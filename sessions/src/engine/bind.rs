//! Phase 4: the session is bound to the request, and the handler's guard is asked before its body runs.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, header::USER_AGENT};
use sha2::{Digest as _, Sha256};

use super::{SessionEngine, waited::Waited};
#[cfg(feature = "ws")]
use crate::web::cross_site::Page;
use crate::{
    clock::millis,
    event::EventKind,
    fault::{Fault, SessionError},
    guard::Requirements,
    observe::enter,
    session::state::{Base, Client, Found, Inner, SessionState},
    store::Millis,
    web::{RequestHead, forwarded},
};
#[cfg(feature = "ws")]
use sessions_policy::SocketCredential;

impl SessionEngine {
    pub(super) fn bind(
        &self,
        found: Found,
        base: Option<Base>,
        client: Client,
        now: Millis,
        waited: Waited,
    ) -> Arc<SessionState> {
        enter!("session.bind", self);
        SessionState::new(self.clone(), Inner::new(found, base, client, now, waited))
    }

    /// What of the client the session may have to know.
    pub(crate) fn client(&self, head: RequestHead<'_>) -> Client {
        if self.shared.store.is_none() {
            return Client::default();
        }
        let agent = head.headers.get(USER_AGENT);
        let fingerprint = self.shared.policy.fingerprint_binding().then(|| fingerprint(agent));
        let address = if self.shared.policy.client_address() {
            forwarded::client(head, &self.shared.policy)
        } else {
            None
        };
        Client {
            fingerprint,
            agent: agent.cloned(),
            address,
            #[cfg(feature = "ws")]
            page: (self.shared.policy.socket().credential() == SocketCredential::Ticket)
                .then(|| Page::of(head).map(Box::new))
                .flatten(),
            ..Client::default()
        }
    }

    /// Asks a handler's guard.
    ///
    /// # Errors
    /// [`Fault::Required`] without an authenticated session, whatever the reason; [`Fault::Forbidden`] for the wrong
    /// kind or role; [`Fault::NotFresh`] for a login that is too old.
    pub(crate) fn guard(&self, state: &SessionState, needs: &Requirements) -> Result<(), SessionError> {
        if !needs.asks_anything() {
            return Ok(());
        }
        let verdict = self.judge(state, needs);
        if let Err(error) = &verdict {
            let fault = error.fault();
            self.event(EventKind::Refused, |event| {
                let mut inner = state.lock();
                event.fault = Some(fault);
                event.handle = inner.record().map(|record| record.handle);
                if let Some(principal) = inner.effective_principal() {
                    event.of_principal(&principal);
                }
            });
        }
        verdict
    }

    fn judge(&self, state: &SessionState, needs: &Requirements) -> Result<(), SessionError> {
        let mut inner = state.lock();
        let Some(principal) = inner.effective_principal() else {
            return Err(SessionError::new(Fault::Required, "log in first"));
        };
        let roles = needs.roles().all(|role| principal.has_role(role));
        let kind = needs.principal_kind().is_none_or(|kind| kind == principal.kind());
        if !roles || !kind {
            return Err(SessionError::new(Fault::Forbidden, "this principal may not do that"));
        }
        match needs.freshness(self.shared.policy.fresh_for()) {
            Some(within) if !self.is_fresh(&inner, within) => {
                Err(SessionError::new(Fault::NotFresh, "confirm who you are, then try again"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the login is at most so old. A login that is recorded and not yet written is fresh.
    pub(crate) fn is_fresh(&self, inner: &Inner, within: Duration) -> bool {
        if matches!(inner.identity, crate::session::state::Identity::Login { .. }) {
            return true;
        }
        let Some((record, at)) = inner.record().and_then(|record| Some((record, record.authenticated?)))
        else {
            return false;
        };
        record.no_earlier(self.shared.time.now()).saturating_sub(at) <= millis(within)
    }
}

/// What a session with `fingerprint_binding` is bound to: a digest of the user agent.
fn fingerprint(agent: Option<&HeaderValue>) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(b"sessions/fingerprint/v1");
    hash.update(agent.map_or(&[][..], HeaderValue::as_bytes));
    let digest: [u8; 32] = hash.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}
