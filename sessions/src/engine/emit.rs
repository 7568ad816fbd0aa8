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
        let carriers = &self.shared.carriers;
        let mut is_foreign = false;
        for transport in carriers.iter() {
            caching::mark(headers, &transport.vary());
            is_foreign |= transport.strip_foreign(headers);
        }
        if is_foreign {
            tracing::error!(
                policy = &*self.shared.name,
                "the application wrote a session cookie by hand: it was removed"
            );
            self.event(EventKind::ForeignCookie, |_| {});
        }
        let (emission, carried) = {
            let mut inner = state.lock();
            inner.sent = true;
            (std::mem::take(&mut inner.emission), inner.client.carried)
        };
        match emission {
            Emission::Nothing => {}
            Emission::Issue(token, life) => {
                for transport in carriers.answering(carried) {
                    transport.issue(headers, &Credential::of(&token), life);
                }
            }
            Emission::Remove => {
                for transport in carriers.answering(carried) {
                    transport.remove(headers);
                }
            }
        }
    }
}
