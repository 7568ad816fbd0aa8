//! Phase 7: the transport tells the client what changed, and caches what they may not do.
//!
//! A credential is sent only when the id, its life or its attributes changed, and removed only by the response of the
//! request that itself ended the session.

use http::HeaderMap;

use super::SessionEngine;
use crate::{
    event::EventKind,
    observe::enter,
    session::state::{Emission, SessionState},
    transport::Credential,
    web::caching,
};

impl SessionEngine {
    /// Closes the session to changes, and tells the client what became of it.
    pub(crate) fn emit(&self, state: &SessionState, headers: &mut HeaderMap) {
        enter!("session.emit", self);
        let transport = &self.shared.transport;
        caching::mark(headers, &transport.vary());
        if transport.strip_foreign(headers) {
            tracing::error!(
                policy = &*self.shared.name,
                "the application wrote a session cookie by hand: it was removed"
            );
            self.event(EventKind::ForeignCookie, |_| {});
        }
        let emission = {
            let mut inner = state.lock();
            inner.sent = true;
            std::mem::take(&mut inner.emission)
        };
        match emission {
            Emission::Nothing => {}
            Emission::Issue(token, life) => transport.issue(headers, &Credential::of(&token), life),
            Emission::Remove => transport.remove(headers),
        }
    }
}
