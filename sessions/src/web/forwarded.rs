//! Whose request it is: the peer, or whom a listed proxy speaks for.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderName, header::FORWARDED};
use sessions_policy::{ForwardedHeader, SessionPolicy};

use super::{Peer, RequestHead};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: that of the [`Peer`], unless it is a proxy that the policy lists. Then it is the last one
/// that a listed proxy told and that is not itself listed. `None` where that is not told, or can't be read: whatever stands
/// before may be the client's own invention.
pub(crate) fn client(head: RequestHead<'_>, policy: &SessionPolicy) -> Option<IpAddr> {
    let peer = head.extensions.get::<Peer>()?.0.to_canonical();
    let is_proxy = |address: IpAddr| policy.trusted_proxies().iter().any(|network| network.contains(address));
    if !is_proxy(peer) {
        return Some(peer);
    }
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = match policy.forwarded_header() {
        ForwardedHeader::Forwarded => (FORWARDED, forwarded_for),
        _ => (X_FORWARDED_FOR, address),
    };
    // Several fields are one list (RFC 9110 5.3), to whose end each proxy adds.
    for field in head.headers.get_all(name).iter().rev() {
        for item in field.to_str().ok()?.rsplit(',') {
            let told = read(item.trim())?;
            if !is_proxy(told) {
                return Some(told);
            }
        }
    }
    None
}

/// The `for` of one element of `Forwarded` (RFC 7239 4). Its names and obfuscated identifiers are no addresses. A comma or
/// semicolon within quotes splits it to what can't be read, and no address has one.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("for") && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let value = found?;
    address(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

/// An address, which may come with a port, an IPv6 one in brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let found = text.parse().ok().or_else(bare).or_else(with_port);
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn told(header: ForwardedHeader, peer: &str, fields: &[&str]) -> Option<String> {
        let builder = SessionPolicy::for_web_users().trusting_proxies(["10.0.0.0/8", "2001:db8::/32"]);
        let policy = builder.forwarded_by(header).build().unwrap();
        let mut request = Request::builder();
        for field in fields {
            request = request.header(header.as_str(), *field);
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        client(RequestHead::from(&request), &policy).map(|address| address.to_string())
    }

    #[test]
    fn a_listed_proxy_speaks_for_the_last_that_is_not_listed() {
        for (peer, fields, client) in [
            ("203.0.113.9", &[][..], Some("203.0.113.9")),
            ("203.0.113.9", &["198.51.100.1"], Some("203.0.113.9")),
            ("::ffff:203.0.113.9", &[], Some("203.0.113.9")),
            ("10.0.0.7", &["198.51.100.1"], Some("198.51.100.1")),
            ("::ffff:10.0.0.7", &["198.51.100.1"], Some("198.51.100.1")),
            ("2001:db8::7", &["198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.7", &["1.1.1.1, 198.51.100.1, 10.0.0.9"], Some("198.51.100.1")),
            ("10.0.0.7", &["1.1.1.1", "198.51.100.1", "10.0.0.9"], Some("198.51.100.1")),
            ("10.0.0.7", &["198.51.100.1:4711"], Some("198.51.100.1")),
            ("10.0.0.7", &["[2001:db9::1]:4711"], Some("2001:db9::1")),
            ("10.0.0.7", &["2001:db9::1"], Some("2001:db9::1")),
            ("10.0.0.7", &["::ffff:198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.7", &[], None),
            ("10.0.0.7", &["10.0.0.9"], None),
            ("10.0.0.7", &["198.51.100.1, unknown"], None),
            ("10.0.0.7", &["198.51.100.1,"], None),
            ("10.0.0.7", &["198.51.100.1 1.1.1.1"], None),
            ("10.0.0.7", &["[198.51.100.1]"], None),
        ] {
            assert_eq!(
                told(ForwardedHeader::XForwardedFor, peer, fields).as_deref(),
                client,
                "{peer} {fields:?}"
            );
        }
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_says() {
        for (fields, client) in [
            (&["for=198.51.100.1"][..], Some("198.51.100.1")),
            (&["For=\"[2001:db9::1]:4711\";proto=https"], Some("2001:db9::1")),
            (
                &["for=1.1.1.1, for=198.51.100.1;by=10.0.0.8, proto=https ; for=10.0.0.9"],
                Some("198.51.100.1"),
            ),
            (&["for=198.51.100.1, for=_hidden"], None),
            (&["for=198.51.100.1, for=unknown"], None),
            (&["for=198.51.100.1, proto=https"], None),
            (&["for=198.51.100.1;for=1.1.1.1"], None),
            (&["for=198.51.100.1, for=\"a,for=1.1.1.1\""], None),
            (&["198.51.100.1"], None),
        ] {
            assert_eq!(told(ForwardedHeader::Forwarded, "10.0.0.7", fields).as_deref(), client, "{fields:?}");
        }
    }

    #[test]
    fn no_peer_is_no_one() {
        let request = Request::builder().header("x-forwarded-for", "198.51.100.1").body(()).unwrap();
        assert_eq!(client(RequestHead::from(&request), &SessionPolicy::user_default()), None);
    }
}
