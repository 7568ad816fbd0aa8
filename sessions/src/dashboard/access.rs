//! Who is let in. It is asked before every page, form and stream, and what it has not let in is shown nothing.

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::request::Parts;

use crate::{
    fault::{Fault, SessionError},
    guard::Requirements,
    principal::SessionPrincipal,
    session::{Registered, Session},
    token::Handle,
    web::{RequestHead, cross_site::CrossSite},
};

/// What is asked of who opens a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) guard: Requirements,
    /// The same for who changes something.
    pub(super) revoking: Requirements,
}

/// Who was let in.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    pub(super) principal: SessionPrincipal,
    /// The operator's own session.
    pub(super) handle: Option<Handle>,
}

/// No handler runs for someone who was not let in, even if it is forgotten to ask.
impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        let denied = || SessionError::new(Fault::Forbidden, "no guard has let this request in");
        parts.extensions.get::<Self>().cloned().ok_or_else(denied)
    }
}

/// Lets in whom the guard lets in.
pub(super) async fn admit<P: Registered>(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match operator::<P>(&parts, access).await {
        Ok(operator) => {
            parts.extensions.insert(operator);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn operator<P: Registered>(parts: &Parts, access: Access) -> Result<Operator, SessionError> {
    if !access.guard.asks_anything() {
        return Err(SessionError::new(Fault::Forbidden, "the guard of the dashboard asks nothing"));
    }
    let changes = !parts.method.is_safe();
    let guard = if changes { access.revoking } else { access.guard };
    let session = Session::<P>::open_for(parts.into(), &guard).await?;
    if changes {
        // The policy may let other origins pass, and requests that no browser has made: this is a page for people.
        let own_host = CrossSite::own_host(session.policy()).check(RequestHead::from(parts));
        own_host.map_err(|reason| session.state().engine.refuse_cross_site(reason))?;
    }
    let principal = SessionPrincipal::clone(&*session.require_principal()?);
    Ok(Operator { principal, handle: session.handle() })
}
