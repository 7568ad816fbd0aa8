//! The serialised origin of RFC 6454: scheme, host and port, read without a copy and compared as a whole.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An origin, as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    scheme: &'a [u8],
    /// An IPv6 address has its brackets.
    host: &'a [u8],
    /// The scheme's default where none was written; `None` for a scheme that has no default.
    port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// Reads `scheme://host[:port]` and nothing after it.
    ///
    /// `null`, user names, paths and empty parts are no origin.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let colon = text.iter().position(|byte| *byte == b':')?;
        let (scheme, rest) = text.split_at(colon);
        if !is_scheme(scheme) {
            return None;
        }
        let (host, port) = split_port(rest.strip_prefix(b"://")?)?;
        let port = match port {
            None => default_port(scheme),
            Some(digits) => Some(parse_port(digits)?),
        };
        Some(Self { scheme, host, port })
    }

    pub(super) fn is_https(self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"https")
    }

    /// Whether both are one origin.
    pub(super) fn equals(self, other: Origin<'_>) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.port == other.port
            && self.host.eq_ignore_ascii_case(other.host)
    }

    /// Whether this origin is at `host[:port]`. An absent port is the default one of this origin's scheme.
    ///
    /// No origin of a scheme other than http and https is at a host of the web.
    pub(super) fn is_at(self, host: &[u8]) -> bool {
        let Some(default) = default_port(self.scheme) else { return false };
        let Some((host, port)) = split_port(host) else { return false };
        let port = match port {
            None | Some(b"") => Some(default),
            Some(digits) => parse_port(digits),
        };
        port.is_some() && port == self.port && self.host.eq_ignore_ascii_case(host)
    }

    /// Whether the host is this machine: `localhost`, a name below it, 127.0.0.0/8 or `[::1]`.
    pub(super) fn is_loopback(self) -> bool {
        is_loopback_host(self.host)
    }
}

/// Whether a host, with an IPv6 address in brackets, is this machine.
pub(super) fn is_loopback_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok_and(|address| IpAddr::V6(address).is_loopback());
    }
    host.parse::<Ipv4Addr>().map_or_else(|_| is_localhost(host), |address| address.is_loopback())
}

fn is_localhost(host: &str) -> bool {
    const NAME: &[u8] = b"localhost";
    let Some(start) = host.len().checked_sub(NAME.len()) else { return false };
    let (before, last) = host.as_bytes().split_at(start);
    last.eq_ignore_ascii_case(NAME) && (before.is_empty() || before.ends_with(b"."))
}

fn default_port(scheme: &[u8]) -> Option<u16> {
    if scheme.eq_ignore_ascii_case(b"https") {
        Some(443)
    } else if scheme.eq_ignore_ascii_case(b"http") {
        Some(80)
    } else {
        None
    }
}

/// The grammar of RFC 3986 3.1.
fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Parts a host from the port after it. `None` for what is not a host: empty, or with bytes of other parts of a URI.
fn split_port(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let end = if text.starts_with(b"[") {
        text.iter().position(|byte| *byte == b']')? + 1
    } else {
        text.iter().position(|byte| *byte == b':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at(end);
    if host.is_empty() || !host.iter().all(|byte| is_host_byte(*byte)) {
        return None;
    }
    match rest.split_first() {
        None => Some((host, None)),
        Some((b':', digits)) => Some((host, Some(digits))),
        Some(_) => None,
    }
}

/// The bytes of host names and addresses in practice; `@`, `/`, `?`, `#`, `,`, `*` and spaces are not among them.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'[' | b']' | b':')
}

/// Only digits: `str::parse` alone would take a sign too.
fn parse_port(digits: &[u8]) -> Option<u16> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin<'_> {
        Origin::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text} is an origin"))
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_else() {
        for text in
            ["https://a.example", "HTTP://a", "https://a:8443", "http://[::1]:3000", "http://127.0.0.1"]
        {
            origin(text);
        }
        let bad = [
            "",
            "null",
            "NULL",
            "a.example",
            "//a",
            "https:a",
            "https:/a",
            "https://",
            "https://:443",
            "1tp://a",
            "https://a/",
            "https://a/b",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://u:p@a",
            "https://a:",
            "https://a:x",
            "https://a:+1",
            "https://a:-1",
            "https://a:65536",
            "https://a:99999999999",
            "https://a b",
            "https://a, https://b",
            "https://*.a",
            "https://[::1",
            "https://[::1]x",
            "https://::1",
            " https://a",
            "https://a ",
            "https://é",
            "https://a\\b",
            "https://a:1:2",
            "://a",
            "h ttp://a",
            "https\t://a",
        ];
        for text in bad {
            assert!(Origin::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn every_byte_in_every_place_is_read_without_a_panic() {
        let good = b"https://a.example:8443";
        for place in 0..=good.len() {
            for byte in 0..=255_u8 {
                let mut text = good.to_vec();
                text.insert(place, byte);
                let _ = Origin::parse(&text).map(|origin| (origin.is_loopback(), origin.is_at(&text)));
                let _ = Origin::parse(&text[..place]).map(|origin| origin.is_at(&text[place..]));
            }
        }
    }

    #[test]
    fn origins_are_equal_as_a_whole() {
        assert!(origin("capacitor://localhost").equals(origin("capacitor://localhost")));
        assert!(!origin("capacitor://localhost").equals(origin("ionic://localhost")));
        assert!(origin("https://A.example").equals(origin("HTTPS://a.EXAMPLE:443")));
        assert!(origin("http://a").equals(origin("http://a:80")));
        let others =
            ["http://a.example", "https://a.example:8443", "https://a.example.evil", "https://evila.example"];
        for other in
            others.into_iter().chain(["https://a.example.", "https://b.a.example", "http://a.example:443"])
        {
            assert!(!origin("https://a.example").equals(origin(other)), "{other}");
        }
    }

    #[test]
    fn an_absent_port_is_the_default_one_of_the_scheme() {
        for (text, host, is_at) in [
            ("https://a", "a", true),
            ("https://a", "a:443", true),
            ("https://a", "a:", true),
            ("https://a", "A", true),
            ("https://a", "a:80", false),
            ("https://a:8443", "a", false),
            ("https://a:8443", "a:8443", true),
            ("http://a", "a", true),
            ("http://a", "a:443", false),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("https://a", "u@a", false),
            ("https://a", "a:x", false),
            ("https://a", "", false),
            ("app://a", "a", false),
            ("app://a:443", "a:443", false),
        ] {
            assert_eq!(origin(text).is_at(host.as_bytes()), is_at, "{text} at {host}");
        }
    }

    #[test]
    fn loopback_is_judged_by_the_whole_host() {
        for text in ["localhost", "LOCALHOST:3000", "app.localhost", "127.0.0.1", "127.9.9.9:1", "[::1]:3000"]
        {
            assert!(origin(&format!("http://{text}")).is_loopback(), "{text}");
        }
        for text in
            ["notlocalhost", "localhost.evil", "127.0.0.1.evil", "128.0.0.1", "[::2]", "1270.0.0.1", "host"]
        {
            assert!(!origin(&format!("http://{text}")).is_loopback(), "{text}");
        }
    }
}
