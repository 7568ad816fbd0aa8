//! The head of a request of actix-web as the library reads it, with what the middleware gave the request.

use actix_web::{HttpMessage as _, HttpRequest, dev::ServiceRequest};
use http::{Extensions, Request, request::Parts};

use super::translate;
use crate::{event::RequestId, fault::SessionError, layer::RequestSessions, web::Peer};

/// What the request carries for the library: the sessions of one registry or of several.
#[derive(Default)]
struct Carried(Extensions);

/// Lets a request open sessions.
pub(super) fn carry<D: 'static>(request: &ServiceRequest, sessions: RequestSessions<D>) {
    let mut extensions = request.extensions_mut();
    if let Some(Carried(carried)) = extensions.get_mut() {
        carried.insert(sessions);
    } else {
        let mut carried = Carried::default();
        carried.0.insert(sessions);
        extensions.insert(carried);
    }
}

/// The head of a request in the types that [`Session::open`](crate::Session::open) and [`Session::end`](crate::Session::end)
/// take.
///
/// ```
/// # mod shop { sessions::policies! { account: { extends: "user_default", on_conflict: "serial" } } }
/// use actix_web::HttpRequest;
/// use sessions::{Session, SessionError, actix};
/// use shop::policies::Account;
///
/// /// A logout that waits for no one.
/// async fn log_out(request: HttpRequest) -> Result<&'static str, SessionError> {
///     let ended = Session::<Account>::end(&actix::parts(&request)?).await?;
///     Ok(if ended { "Logged out" } else { "You were not logged in" })
/// }
/// ```
///
/// # Errors
/// [`Fault::Unusable`](crate::Fault::Unusable): the head can't be read with these types.
pub fn parts(request: &HttpRequest) -> Result<Parts, SessionError> {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = translate::method(request.method())?;
    parts.uri = translate::uri(request.uri())?;
    parts.version = translate::version(request.version());
    parts.headers = translate::headers(request.headers())?;
    let extensions = request.extensions();
    if let Some(Carried(carried)) = extensions.get() {
        parts.extensions = carried.clone();
    }
    let address = || request.peer_addr().map(|address| Peer(address.ip()));
    if let Some(peer) = extensions.get().copied().or_else(address) {
        parts.extensions.insert::<Peer>(peer);
    }
    if let Some(id) = extensions.get::<RequestId>() {
        parts.extensions.insert(id.clone());
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use actix_web::test::TestRequest;

    use super::*;

    const NEAR: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

    #[test]
    fn the_connection_tells_the_peer_unless_the_application_knows_better() {
        let peer = |request: &HttpRequest| parts(request).unwrap().extensions.get::<Peer>().copied();
        assert_eq!(peer(&TestRequest::default().to_http_request()), None);
        let request = TestRequest::default().peer_addr(NEAR.into()).to_http_request();
        assert_eq!(peer(&request), Some(Peer(NEAR.0.into())));
        let real: IpAddr = [192, 0, 2, 7].into();
        request.extensions_mut().insert(Peer(real));
        assert_eq!(peer(&request), Some(Peer(real)));
    }

    #[test]
    fn what_the_application_says_of_a_request_goes_along() {
        let request = TestRequest::default().to_http_request();
        request.extensions_mut().insert(RequestId::new("one").unwrap());
        let told = parts(&request).unwrap().extensions.get::<RequestId>().cloned();
        assert_eq!(told, RequestId::new("one"));
    }
}
