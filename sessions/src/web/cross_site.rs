//! Whether an unsafe request under a cookie policy came from the site itself (OWASP ASVS 5.0 3.5.1, 3.5.3).
//! It judges the head alone: no session is read for it, and none is touched by a refusal.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{HOST, ORIGIN},
};
use sessions_policy::{Adapter, Csrf, SessionPolicy};

use super::{RequestHead, origin::Origin};

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The rule of one policy.
#[derive(Debug)]
pub(crate) struct CrossSite {
    needs_evidence: bool,
    /// Whether the cookie travels over TLS alone, so that a plain origin can't be the site's own.
    is_secure: bool,
    trusted: Box<[Box<str>]>,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrossSiteRefusal {
    /// `Sec-Fetch-Site` names another site, or another origin of this one, and `Origin` is not a trusted one.
    OtherSite,
    /// `Sec-Fetch-Site` has a value that no standard knows, or stands there more than once.
    UnknownSite,
    /// `Origin` is neither the request's own host nor trusted.
    OtherOrigin,
    /// `Origin` is `null`, no origin at all, or stands there more than once.
    OpaqueOrigin,
    /// Neither field is there, and the policy says `csrf = "strict"`.
    NoEvidence,
    /// A socket needs an `Origin`, and there is none.
    NoOrigin,
    /// A socket's `Origin` is neither the request's own host nor, where there is a list, in it.
    SocketOrigin,
}

impl CrossSiteRefusal {
    /// The reason as a stable word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OtherSite => "other_site",
            Self::UnknownSite => "unknown_site",
            Self::OtherOrigin => "other_origin",
            Self::OpaqueOrigin => "opaque_origin",
            Self::NoEvidence => "no_evidence",
            Self::NoOrigin => "no_origin",
            Self::SocketOrigin => "socket_origin",
        }
    }

    /// The reason in words, for the event.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OtherSite => {
                "`Sec-Fetch-Site` names another site, and its origin is not in `trusted_origins`"
            }
            Self::UnknownSite => "`Sec-Fetch-Site` is repeated or has an unknown value",
            Self::OtherOrigin => "`Origin` is neither the request's host nor in `trusted_origins`",
            Self::OpaqueOrigin => "`Origin` is `null`, repeated or not an origin",
            Self::NoOrigin => "a socket needs an `Origin`, and there is none",
            Self::SocketOrigin => {
                "`Origin` is not one of `socket.origins`, or not the request's host where there are none"
            }
            Self::NoEvidence => "neither `Sec-Fetch-Site` nor `Origin` is there, and `csrf` is `strict`",
        }
    }
}

impl CrossSite {
    pub(crate) fn new(policy: &SessionPolicy) -> Self {
        Self::of(policy.csrf(), policy.transport().cookie_secure(), policy.trusted_origins())
    }

    /// For pages of this host alone, whatever the policy lets pass: evidence is needed, and no other origin is trusted.
    #[cfg(feature = "dashboard")]
    pub(crate) fn own_host(policy: &SessionPolicy) -> Self {
        const NO_OTHER: &[&str] = &[];
        Self::of(Csrf::Strict, policy.transport().cookie_secure(), NO_OTHER)
    }

    fn of(csrf: Csrf, is_secure: bool, trusted: &[impl AsRef<str>]) -> Self {
        Self {
            // Anything but the plain standard asks for evidence.
            needs_evidence: csrf != Csrf::Standard,
            is_secure,
            trusted: trusted.iter().map(|origin| origin.as_ref().into()).collect(),
        }
    }

    /// Lets safe methods and requests of the site itself pass.
    ///
    /// Only the method that was sent counts: a field such as `X-HTTP-Method-Override` makes no request safe.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub(crate) fn check(&self, head: RequestHead<'_>) -> Result<(), CrossSiteRefusal> {
        if head.method.is_safe() {
            return Ok(());
        }
        match sole(head.headers, &SEC_FETCH_SITE) {
            Sole::Absent => self.check_origin(head),
            Sole::Value(b"same-origin" | b"none") => Ok(()),
            Sole::Value(b"same-site" | b"cross-site") => self.check_trust(head.headers),
            Sole::Value(_) | Sole::Several => Err(CrossSiteRefusal::UnknownSite),
        }
    }

    /// The browser says that another origin sent it: only a listed one may.
    fn check_trust(&self, headers: &HeaderMap) -> Result<(), CrossSiteRefusal> {
        match sole(headers, &ORIGIN) {
            Sole::Value(value) if Origin::parse(value).is_some_and(|origin| self.trusts(origin)) => Ok(()),
            _ => Err(CrossSiteRefusal::OtherSite),
        }
    }

    /// The browser doesn't say where it comes from, or it is no browser.
    fn check_origin(&self, head: RequestHead<'_>) -> Result<(), CrossSiteRefusal> {
        let origin = match sole(head.headers, &ORIGIN) {
            Sole::Absent if self.needs_evidence => return Err(CrossSiteRefusal::NoEvidence),
            Sole::Absent => return Ok(()),
            Sole::Several => return Err(CrossSiteRefusal::OpaqueOrigin),
            Sole::Value(value) => Origin::parse(value).ok_or(CrossSiteRefusal::OpaqueOrigin)?,
        };
        if self.trusts(origin) || target(head).is_some_and(|host| self.is_own(origin, host)) {
            return Ok(());
        }
        Err(CrossSiteRefusal::OtherOrigin)
    }

    fn trusts(&self, origin: Origin<'_>) -> bool {
        lists(&self.trusted, origin)
    }

    fn is_own(&self, origin: Origin<'_>, host: &[u8]) -> bool {
        is_own(origin, host, self.is_secure)
    }
}

fn lists(listed: &[impl AsRef<str>], origin: Origin<'_>) -> bool {
    let mut listed = listed.iter().filter_map(|listed| Origin::parse(listed.as_ref().as_bytes()));
    listed.any(|listed| listed.equals(origin))
}

/// Whether the origin is the host that the request was sent to.
///
/// The target's scheme is not in the request, but where the cookie is Secure it is https, or a loopback host,
/// which browsers trust without TLS. So a page that someone else put on `http://` can't pass for the site.
fn is_own(origin: Origin<'_>, host: &[u8], is_secure: bool) -> bool {
    origin.is_at(host) && (!is_secure || origin.is_https() || origin.is_loopback())
}

/// Whether a page may open a socket (OWASP ASVS 5.0 4.4.2): browsers let each page open one to any host, and send the cookie
/// along. So the origin has to be there, whatever the method and whatever else the browser says.
///
/// # Errors
/// The reason of the refusal.
#[cfg_attr(not(feature = "ws"), allow(dead_code, reason = "sockets ask it"))]
pub(crate) fn check_socket(head: RequestHead<'_>, policy: &SessionPolicy) -> Result<(), CrossSiteRefusal> {
    let origin = match sole(head.headers, &ORIGIN) {
        Sole::Absent => return Err(CrossSiteRefusal::NoOrigin),
        Sole::Several => return Err(CrossSiteRefusal::OpaqueOrigin),
        Sole::Value(value) => Origin::parse(value).ok_or(CrossSiteRefusal::OpaqueOrigin)?,
    };
    let (listed, transport) = (policy.socket().origins(), policy.transport());
    let is_secure = transport.carries(Adapter::Cookie) && transport.cookie_secure();
    let is_allowed = match listed {
        [] => target(head).is_some_and(|host| is_own(origin, host, is_secure)),
        _ => lists(listed, origin),
    };
    if is_allowed { Ok(()) } else { Err(CrossSiteRefusal::SocketOrigin) }
}

/// The page that a ticket for a socket is made out to.
#[cfg(feature = "ws")]
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Page {
    /// One of this origin.
    #[serde(rename = "origin")]
    Of(String),
    /// One of this host, whatever its scheme: a browser tells no origin where a page only reads from its own.
    #[serde(rename = "host")]
    At(String),
}

#[cfg(feature = "ws")]
impl Page {
    /// The page that a request comes from, if it tells one.
    pub(crate) fn of(head: RequestHead<'_>) -> Option<Self> {
        let text = |bytes| std::str::from_utf8(bytes).ok().map(str::to_owned);
        match sole(head.headers, &ORIGIN) {
            Sole::Value(origin) => Self::of_origin(std::str::from_utf8(origin).ok()?),
            Sole::Absent => Some(Self::At(text(target(head)?)?)),
            Sole::Several => None,
        }
    }

    /// The pages of an origin; `None` if it is none.
    pub(crate) fn of_origin(origin: &str) -> Option<Self> {
        Origin::parse(origin.as_bytes()).map(|_| Self::Of(origin.to_owned()))
    }

    /// Whether a handshake comes from it.
    pub(crate) fn asks(&self, head: RequestHead<'_>) -> bool {
        let Sole::Value(origin) = sole(head.headers, &ORIGIN) else { return false };
        let Some(origin) = Origin::parse(origin) else { return false };
        match self {
            Self::Of(page) => Origin::parse(page.as_bytes()).is_some_and(|page| page.equals(origin)),
            Self::At(host) => origin.is_at(host.as_bytes()),
        }
    }
}

/// What a field holds that may stand there once.
enum Sole<'a> {
    Absent,
    Value(&'a [u8]),
    Several,
}

fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Sole<'a> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    match (lines.next(), lines.next()) {
        (None, _) => Sole::Absent,
        (Some(value), None) => Sole::Value(value),
        (Some(_), Some(_)) => Sole::Several,
    }
}

/// The host, with its port if it has one, that the request was sent to: the target's authority, which goes before
/// `Host` (RFC 9112 3.2.2, RFC 9113 8.3.1), else the one `Host` line.
pub(super) fn target(head: RequestHead<'_>) -> Option<&[u8]> {
    if let Some(authority) = head.uri.authority() {
        return Some(authority.as_str().as_bytes());
    }
    match sole(head.headers, &HOST) {
        Sole::Value(host) => Some(host),
        Sole::Absent | Sole::Several => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};

    use super::*;

    const TRUSTED: &str = "https://partner.example";
    const SITE: &str = "sec-fetch-site";

    fn request(method: &str, uri: &str, fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn check(
        rule: &CrossSite,
        method: &str,
        uri: &str,
        fields: &[(&str, &str)],
    ) -> Result<(), CrossSiteRefusal> {
        rule.check(RequestHead::from(&request(method, uri, fields)))
    }

    fn post(csrf: Csrf, fields: &[(&str, &str)]) -> Result<(), CrossSiteRefusal> {
        let mut all = vec![("host", "shop.example")];
        all.extend_from_slice(fields);
        check(&CrossSite::of(csrf, true, &[TRUSTED]), "POST", "/login", &all)
    }

    #[test]
    fn the_whole_truth_table() {
        use CrossSiteRefusal::{NoEvidence, OpaqueOrigin, OtherOrigin, OtherSite, UnknownSite};
        let own = Some("https://shop.example");
        let origins = [
            None,
            own,
            Some(TRUSTED),
            Some("https://evil.example"),
            Some("https://www.shop.example"),
            Some("null"),
        ];
        let sites = [
            None,
            Some("same-origin"),
            Some("none"),
            Some("same-site"),
            Some("cross-site"),
            Some("other"),
            Some(""),
        ];
        for (csrf, site, origin) in [Csrf::Standard, Csrf::Strict]
            .into_iter()
            .flat_map(|csrf| sites.map(|site| (csrf, site)))
            .flat_map(|(csrf, site)| origins.map(|origin| (csrf, site, origin)))
        {
            let expected = match (site, origin) {
                (Some("same-origin" | "none"), _) | (Some("same-site" | "cross-site"), Some(TRUSTED)) => {
                    Ok(())
                }
                (Some("same-site" | "cross-site"), _) => Err(OtherSite),
                (Some(_), _) => Err(UnknownSite),
                (None, None) if csrf == Csrf::Strict => Err(NoEvidence),
                (None, None) => Ok(()),
                (None, Some("null")) => Err(OpaqueOrigin),
                (None, origin) if origin == own || origin == Some(TRUSTED) => Ok(()),
                (None, Some(_)) => Err(OtherOrigin),
            };
            let fields: Vec<_> = site
                .map(|site| (SITE, site))
                .into_iter()
                .chain(origin.map(|origin| ("origin", origin)))
                .collect();
            assert_eq!(post(csrf, &fields), expected, "{csrf:?} {fields:?}");
        }
    }

    #[test]
    fn only_safe_methods_skip_the_check() {
        let rule = CrossSite::of(Csrf::Strict, true, &[TRUSTED]);
        let fields = [("host", "shop.example"), (SITE, "cross-site"), ("origin", "https://evil.example")];
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            assert_eq!(check(&rule, method, "/", &fields), Ok(()), "{method}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND", "get", "Head", "LINK"] {
            assert_eq!(check(&rule, method, "/", &fields), Err(CrossSiteRefusal::OtherSite), "{method}");
        }
    }

    #[test]
    fn no_field_overrides_the_method() {
        for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
            let fields = [(SITE, "cross-site"), (name, "GET")];
            assert_eq!(post(Csrf::Standard, &fields), Err(CrossSiteRefusal::OtherSite));
        }
        let rule = CrossSite::of(Csrf::Standard, true, &[TRUSTED]);
        let refused = check(&rule, Method::POST.as_str(), "/?_method=GET", &[(SITE, "cross-site")]);
        assert_eq!(refused, Err(CrossSiteRefusal::OtherSite));
    }

    #[test]
    fn a_repeated_field_is_no_evidence_of_anything() {
        let twice = [(SITE, "same-origin"), (SITE, "same-origin")];
        assert_eq!(post(Csrf::Standard, &twice), Err(CrossSiteRefusal::UnknownSite));
        let own = ("origin", "https://shop.example");
        assert_eq!(post(Csrf::Standard, &[own, own]), Err(CrossSiteRefusal::OpaqueOrigin));
        assert_eq!(
            post(Csrf::Standard, &[own, ("host", "shop.example")]),
            Err(CrossSiteRefusal::OtherOrigin)
        );
        let trusted = ("origin", TRUSTED);
        let fields = [(SITE, "cross-site"), trusted, trusted];
        assert_eq!(post(Csrf::Standard, &fields), Err(CrossSiteRefusal::OtherSite));
    }

    #[test]
    fn values_of_fetch_metadata_are_exact() {
        for value in ["Same-Origin", "same-origin, none", "same-origin;a=1", "NONE", "same_origin", "none\t"]
        {
            assert_eq!(
                post(Csrf::Standard, &[(SITE, value)]),
                Err(CrossSiteRefusal::UnknownSite),
                "{value:?}"
            );
        }
    }

    #[test]
    fn a_trusted_origin_is_trusted_as_a_whole() {
        let alike = [
            "http://partner.example",
            "https://partner.example.evil",
            "https://evilpartner.example",
            "https://partner.example:8443",
            "https://a.partner.example",
            "partner.example",
            "https://partner.example/",
            "https://partner.example, https://evil.example",
            "https://user@partner.example",
            "https://partner.example.",
        ];
        for origin in alike {
            assert!(post(Csrf::Standard, &[("origin", origin)]).is_err(), "{origin}");
            assert!(post(Csrf::Standard, &[(SITE, "cross-site"), ("origin", origin)]).is_err(), "{origin}");
        }
        for origin in [TRUSTED, "https://PARTNER.example", "https://partner.example:443"] {
            assert_eq!(post(Csrf::Standard, &[("origin", origin)]), Ok(()), "{origin}");
        }
    }

    #[test]
    fn a_plain_origin_is_not_the_secure_site() {
        let none: [&str; 0] = [];
        for (secure, origin, host, passes) in [
            (true, "https://shop.example", "shop.example", true),
            (true, "http://shop.example", "shop.example", false),
            (true, "http://shop.example:80", "shop.example", false),
            (true, "http://localhost:3000", "localhost:3000", true),
            (true, "http://127.0.0.1:3000", "127.0.0.1:3000", true),
            (true, "http://[::1]:3000", "[::1]:3000", true),
            (true, "http://localhost:3000", "localhost:4000", false),
            (true, "http://localhost:3000", "127.0.0.1:3000", false),
            (false, "http://shop.example", "shop.example", true),
            (false, "https://shop.example", "shop.example:80", false),
        ] {
            let rule = CrossSite::of(Csrf::Standard, secure, &none);
            let result = check(&rule, "POST", "/", &[("host", host), ("origin", origin)]);
            assert_eq!(result.is_ok(), passes, "{origin} at {host}, secure: {secure}");
        }
    }

    #[test]
    fn the_targets_authority_goes_before_host() {
        let rule = CrossSite::of(Csrf::Standard, true, &[TRUSTED]);
        let own = ("origin", "https://shop.example");
        assert_eq!(check(&rule, "POST", "https://shop.example/", &[own]), Ok(()));
        let beside = [("host", "evil.example"), own];
        assert_eq!(check(&rule, "POST", "https://shop.example/", &beside), Ok(()));
        let other = [("host", "shop.example"), own];
        let refused = check(&rule, "POST", "https://evil.example/", &other);
        assert_eq!(refused, Err(CrossSiteRefusal::OtherOrigin));
    }

    #[test]
    fn an_origin_without_a_host_to_match_is_refused() {
        let rule = CrossSite::of(Csrf::Standard, true, &[TRUSTED]);
        let refused = check(&rule, "POST", "/", &[("origin", "https://shop.example")]);
        assert_eq!(refused, Err(CrossSiteRefusal::OtherOrigin));
    }

    fn socket(
        policy: &SessionPolicy,
        method: &str,
        uri: &str,
        fields: &[(&str, &str)],
    ) -> Result<(), CrossSiteRefusal> {
        check_socket(RequestHead::from(&request(method, uri, fields)), policy)
    }

    #[test]
    fn a_socket_needs_the_origin_of_its_own_host() {
        use CrossSiteRefusal::{NoOrigin, OpaqueOrigin, SocketOrigin};
        let policy = SessionPolicy::user_default();
        let host = ("host", "shop.example");
        for (origin, verdict) in [
            (None, Err(NoOrigin)),
            (Some("null"), Err(OpaqueOrigin)),
            (Some(""), Err(OpaqueOrigin)),
            (Some("https://shop.example"), Ok(())),
            (Some("https://shop.example:443"), Ok(())),
            (Some("http://shop.example"), Err(SocketOrigin)),
            (Some("https://www.shop.example"), Err(SocketOrigin)),
            (Some("https://evil.example"), Err(SocketOrigin)),
            (Some("https://shop.example.evil"), Err(SocketOrigin)),
            (Some("https://shop.example:8443"), Err(SocketOrigin)),
        ] {
            let fields: Vec<_> = [host].into_iter().chain(origin.map(|origin| ("origin", origin))).collect();
            assert_eq!(socket(&policy, "GET", "/ws", &fields), verdict, "{origin:?}");
            // What the browser says beside it makes no foreign page a page of the site.
            let beside: Vec<_> = fields.iter().copied().chain([(SITE, "same-origin")]).collect();
            assert_eq!(socket(&policy, "GET", "/ws", &beside), verdict, "{origin:?}");
        }
        let own = ("origin", "https://shop.example");
        assert_eq!(socket(&policy, "GET", "/ws", &[host, own, own]), Err(OpaqueOrigin));
        assert_eq!(socket(&policy, "GET", "/ws", &[own]), Err(SocketOrigin), "no host to match");
        assert_eq!(socket(&policy, "CONNECT", "https://shop.example/ws", &[own]), Ok(()), "HTTP/2");
    }

    #[test]
    fn a_list_of_origins_takes_the_place_of_the_own_host() {
        let policy = SessionPolicy::for_web_users().sockets_from(["https://app.example"]).build().unwrap();
        let host = ("host", "shop.example");
        assert_eq!(socket(&policy, "GET", "/ws", &[host, ("origin", "https://app.example")]), Ok(()));
        for origin in [
            "https://shop.example",
            "https://app.example.evil",
            "http://app.example",
            "https://a.app.example",
        ] {
            let refused = socket(&policy, "GET", "/ws", &[host, ("origin", origin)]);
            assert_eq!(refused, Err(CrossSiteRefusal::SocketOrigin), "{origin}");
        }
    }

    #[test]
    fn presets_say_what_they_ask_for() {
        let rule = CrossSite::new(&SessionPolicy::user_default());
        assert_eq!(check(&rule, "POST", "/", &[("host", "a.example")]), Ok(()));
        let forged = check(&rule, "POST", "/", &[("host", "a.example"), (SITE, "cross-site")]);
        assert_eq!(forged, Err(CrossSiteRefusal::OtherSite));
        assert!(!CrossSiteRefusal::OtherSite.as_str().is_empty());
    }
}
