//! Whether a request comes from the machine itself: what the development profile asks for (lint SL095).

use std::net::IpAddr;

use http::uri::Authority;
use sessions_policy::Profile;

use super::{RequestHead, cross_site::target, origin::is_loopback_host};

/// The address that a request came from, in the request's extensions: a server that knows it puts it there.
///
/// The development profile serves this machine alone (lint SL095), so that it needs the peer: a request without one opens
/// no session under it. An engine that is used by hand, without the layer, does not ask.
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

/// Fields that a proxy on this machine adds to a request of another.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Whether a request comes from this machine: the server says that its peer is here, no proxy says that it came from
/// elsewhere, and the host that it asks for, if it names one, is here too.
pub(crate) fn is_here(head: RequestHead<'_>) -> bool {
    let peer = head.extensions.get::<Peer>();
    let host_is_here = target(head).is_none_or(|host| {
        Authority::try_from(host).is_ok_and(|authority| is_loopback_host(authority.host().as_bytes()))
    });
    peer.is_some_and(|Peer(address)| Profile::Development.admits(*address))
        && host_is_here
        && FORWARDED.iter().all(|field| !head.headers.contains_key(*field))
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
        is_here(RequestHead::from(&request))
    }

    #[test]
    fn a_proxy_on_this_machine_speaks_for_another() {
        for field in FORWARDED {
            let mut request = Request::builder().header(field, "10.0.0.7").body(()).unwrap();
            request.extensions_mut().insert(Peer([127, 0, 0, 1].into()));
            assert!(!is_here(RequestHead::from(&request)), "{field}");
        }
    }

    #[test]
    fn what_comes_from_elsewhere_is_told_by_the_peer_and_by_the_host() {
        for (host, peer, here) in [
            (Some("127.0.0.1:3000"), None, false),
            (Some("localhost"), None, false),
            (Some("localhost:3000"), Some("127.0.0.1"), true),
            (Some("[::1]:3000"), Some("::1"), true),
            (Some("10.0.0.7:3000"), Some("127.0.0.1"), false),
            (Some("localhost.example"), Some("127.0.0.1"), false),
            (Some("not a host"), Some("127.0.0.1"), false),
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
