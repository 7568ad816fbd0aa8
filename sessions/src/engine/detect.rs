//! Phase 1: what does the request present under this policy?
//!
//! Nothing is read from a store here, and a request from another site is refused before anything is.

use http::HeaderName;

use super::SessionEngine;
use crate::{
    event::EventKind,
    fault::{Fault, SessionError},
    observe::enter,
    token::Token,
    transport::{Carried, Presented},
    web::{RequestHead, cross_site::CrossSiteRefusal},
};

static EARLY_DATA: HeaderName = HeaderName::from_static("early-data");

impl SessionEngine {
    /// The token that the request presents, if it presents exactly one of the canonical form, and who carried it.
    ///
    /// # Errors
    /// - [`Fault::CrossSite`]: an unsafe request of another site, which may have made the client send it.
    /// - [`Fault::TooEarly`]: an unsafe request in early data of TLS, which anyone on the way could send once more.
    /// - [`Fault::Contradictory`]: it names more than one session.
    /// - [`Fault::TransportError`]: the policy asks for a transport of the application's own, and there is none.
    pub(super) fn detect(&self, head: RequestHead<'_>) -> Result<(Option<Token>, Carried), SessionError> {
        enter!("session.detect", self);
        let carriers = &self.shared.carriers;
        let (presented, carried) = match self.shared.store {
            Some(_) if carriers.are_missing() => return Err(unbound()),
            Some(_) => carriers.read(head),
            None => (Presented::Nothing, Carried::default()),
        };
        if let Some(cross_site) = &self.shared.cross_site
            && carriers.may_be_forged(carried)
            && let Err(reason) = cross_site.check(head)
        {
            return Err(self.refuse_cross_site(reason));
        }
        if self.shared.store.is_some() && is_early(head) {
            return Err(self.refuse_early());
        }
        match presented {
            Presented::Credential(credential) => return Ok((Some(credential.into_token()), carried)),
            Presented::Nothing => {}
            Presented::Malformed => {
                self.event(EventKind::Malformed, |event| event.fault = Some(Fault::Invalid));
            }
            Presented::Duplicate => {
                self.event(EventKind::Duplicate, |event| event.fault = Some(Fault::Invalid));
            }
            Presented::Contradictory => {
                self.event(EventKind::Duplicate, |event| event.fault = Some(Fault::Contradictory));
                let error =
                    SessionError::new(Fault::Contradictory, "the request names more than one session");
                return Err(error.challenging(|fault| carriers.challenges(fault, carried)));
            }
        }
        Ok((None, carried))
    }

    /// An error as this policy's transport answers it, to a request that carried this.
    pub(crate) fn answering(&self, error: SessionError, carried: Carried) -> SessionError {
        let carriers = &self.shared.carriers;
        error.varying(carriers.vary()).challenging(|fault| carriers.challenges(fault, carried))
    }

    fn refuse_early(&self) -> SessionError {
        self.event(EventKind::Refused, |event| {
            event.fault = Some(Fault::TooEarly);
            event.reason = Some("early_data");
        });
        SessionError::new(
            Fault::TooEarly,
            "an unsafe request came in early data: send it after the handshake",
        )
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

/// Whether an unsafe request came in early data, as the gateway before this server says: any value of the field counts as 1
/// (RFC 8470, 5.1).
fn is_early(head: RequestHead<'_>) -> bool {
    !head.method.is_safe() && head.headers.contains_key(&EARLY_DATA)
}

fn unbound() -> SessionError {
    let detail = "`transport.adapter` or `transport.order` says `custom`, and no transport is bound: see \
                  `SessionEngineBuilder::transport`";
    SessionError::new(Fault::TransportError, detail)
}
