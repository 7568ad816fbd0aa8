//! Phase 1: what does the request present under this policy?
//!
//! Nothing is read from a store here, and a request from another site is refused before anything is.

use super::SessionEngine;
use crate::{
    event::EventKind,
    fault::{Fault, SessionError},
    observe::enter,
    token::Token,
    transport::Presented,
    web::{RequestHead, cross_site::CrossSiteRefusal},
};

impl SessionEngine {
    /// The token that the request presents, if it presents exactly one of the canonical form.
    pub(super) fn detect(&self, head: RequestHead<'_>) -> Result<Option<Token>, SessionError> {
        enter!("session.detect", self);
        if let Some(cross_site) = &self.shared.cross_site
            && let Err(reason) = cross_site.check(head)
        {
            return Err(self.refuse_cross_site(reason));
        }
        if self.shared.store.is_none() {
            return Ok(None);
        }
        match self.shared.transport.read(head) {
            Presented::Credential(credential) => Ok(Some(credential.into_token())),
            Presented::Nothing => Ok(None),
            Presented::Malformed => {
                self.event(EventKind::Malformed, |event| event.fault = Some(Fault::Invalid));
                Ok(None)
            }
            Presented::Duplicate => {
                self.event(EventKind::Duplicate, |event| event.fault = Some(Fault::Invalid));
                Ok(None)
            }
        }
    }

    /// Tells that a request of another site is refused, and why.
    pub(crate) fn refuse_cross_site(&self, reason: CrossSiteRefusal) -> SessionError {
        self.event(EventKind::CrossSite, |event| {
            event.fault = Some(Fault::CrossSite);
            event.reason = Some(reason.name());
            event.detail = Some(reason.as_str());
        });
        SessionError::new(Fault::CrossSite, "the request did not come from this site")
    }
}
