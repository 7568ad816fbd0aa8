//! Whether a request comes from the machine itself: what the development profile asks for (lint SL095).

use std::net::IpAddr;

use http::{request::Parts, uri::Authority};

use super::{RequestHead, cross_site::target, origin::is_loopback_host};

/// The address that a request came from, in the request's extensions: a server that knows it puts it there.
///
/// With axum it is the address of `ConnectInfo<SocketAddr>`:
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::{extract::ConnectInfo, extract::Request, middleware::Next, response::Response};
/// use sessions::Peer;
///
/// /// `router.layer(registry.layer()).layer(axum::middleware::from_fn(peer))`, served with
/// /// `router.into_make_service_with_connect_info::<SocketAddr>()`.
/// async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
///     request.extensions_mut().insert(Peer(address.ip()));
///     next.run(request).await
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

/// Whether peer and target are this machine, so far as they are known. A request that tells neither is not from here.
pub(crate) fn is_here(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<Peer>().map(|Peer(address)| address.to_canonical().is_loopback());
    let host = target(RequestHead::from(parts)).map(|host| {
        Authority::try_from(host).is_ok_and(|authority| is_loopback_host(authority.host().as_bytes()))
    });
    match (peer, host) {
        (None, None) => false,
        (peer, host) => peer.unwrap_or(true) && host.unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn judged(host: Option<&str>, peer: Option<&str>) -> bool {
        let mut request = Request::builder().uri("/");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let mut request = request.body(()).unwrap();
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        }
        is_here(&request.into_parts().0)
    }

    #[test]
    fn what_comes_from_elsewhere_is_told_by_the_peer_and_by_the_host() {
        for (host, peer, here) in [
            (Some("127.0.0.1:3000"), None, true),
            (Some("localhost:3000"), None, true),
            (Some("[::1]:3000"), None, true),
            (Some("shop.example"), None, false),
            (Some("10.0.0.7:3000"), None, false),
            (Some("localhost.example"), None, false),
            (Some("not a host"), None, false),
            (Some("127.0.0.1:3000"), Some("127.0.0.1"), true),
            (Some("127.0.0.1:3000"), Some("10.0.0.7"), false),
            (Some("shop.example"), Some("127.0.0.1"), false),
            (None, Some("::ffff:127.0.0.1"), true),
            (None, Some("10.0.0.7"), false),
            (None, None, false),
        ] {
            assert_eq!(judged(host, peer), here, "{host:?} {peer:?}");
        }
    }
}
