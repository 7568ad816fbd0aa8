//! The cookie transport as a browser sees it: golden lines, and a jar that keeps, sends and drops like one.

use std::collections::BTreeMap;

use http::{HeaderValue, Request};
use sessions_policy::{SameSite, SessionPolicy};

use super::*;
use crate::{entropy::OsEntropy, token::Token};

const LIMITS: Limits = Limits { bytes: 16 * 1024, pairs: 128 };
const DEFAULT: Attributes<'static> = Attributes {
    name: "__Host-Http-user_default",
    path: "/",
    domain: None,
    secure: true,
    http_only: true,
    same_site: SameSite::Lax,
};

/// 2015-10-21 07:28:00 UTC.
#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> u64 {
        1_445_412_480_000
    }
}

fn transport(attributes: &Attributes<'_>) -> CookieTransport {
    CookieTransport::of(attributes, LIMITS).with_clock(Arc::new(Fixed))
}

fn mint() -> Token {
    Token::mint(&OsEntropy, None).unwrap()
}

fn lines(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect()
}

/// The line that sets the cookie, with `T` for the token.
fn issued(attributes: &Attributes<'_>, lifetime: Lifetime) -> String {
    let (mut headers, token) = (HeaderMap::new(), mint());
    transport(attributes).issue(&mut headers, &Credential::of(&token), lifetime);
    let [line] = lines(&headers)[..] else { panic!("one line") };
    line.replace(&**token.text(), "T")
}

fn removed(attributes: &Attributes<'_>) -> String {
    let mut headers = HeaderMap::new();
    transport(attributes).remove(&mut headers);
    let [line] = lines(&headers)[..] else { panic!("one line") };
    line.to_owned()
}

fn read(transport: &CookieTransport, cookies: &[String]) -> Presented {
    let mut request = Request::new(());
    for line in cookies {
        request.headers_mut().append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    transport.read(RequestHead::from(&request))
}

#[test]
fn each_policy_has_its_golden_line() {
    let shared = Attributes {
        name: "__Secure-Http-shop",
        domain: Some("shop.example"),
        path: "/app",
        same_site: SameSite::None,
        ..DEFAULT
    };
    let plain =
        Attributes { name: "sid", secure: false, http_only: false, same_site: SameSite::Strict, ..DEFAULT };
    let hour = Lifetime::Until(Duration::from_millis(3_600_999));
    for (attributes, life, line) in [
        (DEFAULT, Lifetime::Browser, "__Host-Http-user_default=T; Path=/; Secure; HttpOnly; SameSite=Lax"),
        (
            DEFAULT,
            hour,
            "__Host-Http-user_default=T; Max-Age=3600; Expires=Wed, 21 Oct 2015 08:28:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            DEFAULT,
            Lifetime::Until(Duration::MAX),
            "__Host-Http-user_default=T; Max-Age=34560000; Expires=Thu, 24 Nov 2016 07:28:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            shared,
            Lifetime::Browser,
            "__Secure-Http-shop=T; Path=/app; Domain=shop.example; Secure; HttpOnly; SameSite=None",
        ),
        (plain, Lifetime::Browser, "sid=T; Path=/; SameSite=Strict"),
    ] {
        assert_eq!(issued(&attributes, life), line);
    }
}

#[test]
fn removal_repeats_the_place_and_ends_in_both_ways() {
    assert_eq!(
        removed(&DEFAULT),
        "__Host-Http-user_default=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax"
    );
    let shared = Attributes { name: "__Secure-x", domain: Some("a.example"), path: "/p", ..DEFAULT };
    assert_eq!(
        removed(&shared),
        "__Secure-x=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/p; Domain=a.example; Secure; HttpOnly; SameSite=Lax"
    );
}

#[test]
fn presets_give_safe_cookies() {
    let admin = CookieTransport::new(SessionPolicy::admin().transport());
    let mut headers = HeaderMap::new();
    admin.issue(&mut headers, &Credential::of(&mint()), Lifetime::Browser);
    let line = lines(&headers)[0].to_owned();
    assert!(line.starts_with("__Host-Http-admin="), "{line}");
    assert!(line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{line}");
    assert!(crate::transport::Carriers::of(&SessionPolicy::user_default(), None).is_any_ambient());
    assert!(!crate::transport::Carriers::of(&SessionPolicy::api_token(), None).is_any_ambient());
}

#[test]
fn a_credential_comes_back_as_it_was_issued() {
    let (transport, token) = (transport(&DEFAULT), mint());
    let cookies = [format!("a=1; {}={}; b", DEFAULT.name, *token.text())];
    let Presented::Credential(found) = read(&transport, &cookies) else {
        panic!("a good cookie was refused")
    };
    assert_eq!(*found.into_token().text(), *token.text());
}

#[test]
fn everything_else_is_no_credential() {
    let (transport, good, other) = (transport(&DEFAULT), mint().text(), mint().text());
    let name = DEFAULT.name;
    for value in ["", "x", "\"\"", &format!("\"{}\"", *good), &good[1..], &format!("{}A", *good)] {
        assert!(matches!(read(&transport, &[format!("{name}={value}")]), Presented::Malformed), "{value}");
    }
    let percent = good.replacen('.', "%2E", 1);
    assert!(matches!(read(&transport, &[format!("{name}={percent}")]), Presented::Malformed));
    assert!(matches!(read(&transport, &[]), Presented::Nothing));
    assert!(matches!(read(&transport, &[format!("x={}", *good)]), Presented::Nothing));
    let (a, b, bad) = (format!("{name}={}", *good), format!("{name}={}", *other), format!("{name}=bad"));
    for pair in [[&a, &b], [&b, &a], [&a, &bad], [&bad, &a]] {
        assert!(matches!(read(&transport, &pair.map(Clone::clone)), Presented::Duplicate), "{pair:?}");
    }
    assert!(matches!(read(&transport, &[a.clone(), a.clone()]), Presented::Credential(_)));
    let flood = ["a=;".repeat(200), a].concat();
    assert!(matches!(read(&transport, &[flood]), Presented::Malformed));
}

#[test]
fn every_mutation_of_a_cookie_is_refused_or_canonical() {
    let (transport, text) = (transport(&DEFAULT), mint().text());
    let name = DEFAULT.name;
    for place in 0..text.len() {
        for byte in (0x20..0x7f_u8).chain([b'\t']) {
            let mut value = text.as_bytes().to_vec();
            value[place] = byte;
            let value = String::from_utf8(value).unwrap();
            if let Presented::Credential(found) = read(&transport, &[format!("{name}={value}")]) {
                assert_eq!(*found.into_token().text(), value);
            }
        }
    }
}

#[test]
fn a_response_has_one_line_a_name() {
    let (own, second) =
        (transport(&DEFAULT), transport(&Attributes { name: "__Host-Http-admin", ..DEFAULT }));
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, HeaderValue::from_static("theme=dark; Path=/"));
    for _ in 0..3 {
        own.issue(&mut headers, &Credential::of(&mint()), Lifetime::Browser);
    }
    assert_eq!(lines(&headers).len(), 2, "the last issue replaces the earlier ones");
    second.issue(&mut headers, &Credential::of(&mint()), Lifetime::Browser);
    headers.append(SET_COOKIE, HeaderValue::from_static("lang=en"));
    own.remove(&mut headers);
    let names: Vec<_> =
        lines(&headers).iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["theme", "__Host-Http-admin", "lang", DEFAULT.name]);
    assert!(lines(&headers)[3].contains("Max-Age=0"));
}

#[test]
fn the_applications_own_line_under_the_name_is_stripped() {
    let transport = transport(&DEFAULT);
    for foreign in ["N=x", " N = x; Path=/", "=N=x", "N=", "N=x; Max-Age=0"] {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("a=1"));
        headers.append(SET_COOKIE, foreign.replace('N', DEFAULT.name).parse().unwrap());
        headers.append(SET_COOKIE, HeaderValue::from_static("b=2"));
        assert!(transport.strip_foreign(&mut headers), "{foreign}");
        assert_eq!(lines(&headers), ["a=1", "b=2"], "{foreign}");
        assert!(!transport.strip_foreign(&mut headers));
    }
    let mut headers = HeaderMap::new();
    for kept in ["__host-http-user_default=x", "__Host-Http-user_default2=x", "x=__Host-Http-user_default=x"]
    {
        headers.append(SET_COOKIE, HeaderValue::from_static(kept));
    }
    let before = headers.clone();
    assert!(!transport.strip_foreign(&mut headers));
    assert_eq!(headers, before);
}

#[test]
fn a_credential_is_marked_as_sensitive() {
    let (mut headers, token) = (HeaderMap::new(), mint());
    transport(&DEFAULT).issue(&mut headers, &Credential::of(&token), Lifetime::Browser);
    assert!(headers[SET_COOKIE].is_sensitive());
    assert!(!format!("{headers:?}").contains(&**token.text()));
}

#[test]
fn lines_match_the_grammar() {
    let is_octet = |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    for _ in 0..500 {
        let (mut headers, token) = (HeaderMap::new(), mint());
        transport(&DEFAULT).issue(
            &mut headers,
            &Credential::of(&token),
            Lifetime::Until(Duration::from_secs(60)),
        );
        let line = headers[SET_COOKIE].to_str().unwrap();
        let (pair, attributes) = line.split_once("; ").unwrap();
        let (_, value) = pair.split_once('=').unwrap();
        assert!(!value.is_empty() && value.bytes().all(is_octet), "{value}");
        assert!(attributes.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        assert!(pair.len() <= 4_096 && attributes.split("; ").all(|attribute| attribute.len() <= 1_024));
    }
}

/// A browser's cookie jar: what RFC 6265bis 5.6 to 5.8 says of the attributes that are written here.
#[derive(Default)]
struct Jar {
    /// By name, domain (empty for a host's own) and path: value, and the end in seconds, if there is one.
    cookies: BTreeMap<(String, String, String), (String, Option<i64>)>,
    now: i64,
}

impl Jar {
    fn receive(&mut self, headers: &HeaderMap, is_secure: bool) {
        for line in lines(headers) {
            self.receive_line(line, is_secure);
        }
    }

    fn receive_line(&mut self, line: &str, is_secure: bool) {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap();
        let attributes: BTreeMap<String, &str> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(key, value)| (key.to_ascii_lowercase(), value))
            .collect();
        let get = |key: &str| attributes.get(key).copied();
        let (domain, path) = (get("domain").unwrap_or(""), get("path").unwrap_or("/"));
        let secure = get("secure").is_some();
        let folded = name.to_ascii_lowercase();
        let is_host = !folded.starts_with("__host-") || (secure && domain.is_empty() && path == "/");
        let is_http = !folded.contains("http-") || get("httponly").is_some();
        if (secure && !is_secure) || !is_host || !is_http || name.len() + value.len() > 4_096 {
            return;
        }
        let by_age = get("max-age").map(|age| self.now + age.parse::<i64>().unwrap().min(34_560_000));
        let by_date = get("expires").map(|date| {
            chrono::NaiveDateTime::parse_from_str(date, "%a, %d %b %Y %H:%M:%S GMT")
                .unwrap()
                .and_utc()
                .timestamp()
        });
        let key = (name.to_owned(), domain.to_owned(), path.to_owned());
        self.cookies.insert(key, (value.to_owned(), by_age.or(by_date)));
        let now = self.now;
        self.cookies.retain(|_, (_, end)| end.is_none_or(|end| end > now));
    }

    fn sent(&self) -> Vec<String> {
        self.cookies
            .iter()
            .filter(|(_, (_, end))| end.is_none_or(|end| end > self.now))
            .map(|((name, ..), (value, _))| format!("{name}={value}"))
            .collect()
    }
}

#[test]
fn what_is_set_is_sent_and_what_is_removed_is_gone() {
    let names = ["__Host-Http-a", "__Host-a", "__Secure-a", "a"];
    let places = [(None, "/"), (Some("a.example"), "/"), (None, "/p"), (Some("a.example"), "/p")];
    for (name, (domain, path)) in names.into_iter().flat_map(|name| places.map(|place| (name, place))) {
        let is_allowed = !name.starts_with("__Host-") || (domain.is_none() && path == "/");
        for life in [Lifetime::Browser, Lifetime::Until(Duration::from_secs(60))] {
            let transport = transport(&Attributes { name, path, domain, ..DEFAULT });
            let mut jar = Jar { now: 1_445_412_480, ..Jar::default() };
            jar.receive_line("theme=dark; Path=/", true);
            let mut headers = HeaderMap::new();
            transport.issue(&mut headers, &Credential::of(&mint()), life);
            jar.receive(&headers, true);
            assert_eq!(
                matches!(read(&transport, &jar.sent()), Presented::Credential(_)),
                is_allowed,
                "{name}"
            );
            let mut headers = HeaderMap::new();
            transport.remove(&mut headers);
            jar.receive(&headers, true);
            assert_eq!(jar.sent(), ["theme=dark"], "{name} {domain:?} {path}");
        }
    }
}

#[test]
fn a_browser_drops_the_cookie_over_plain_http_and_at_its_end() {
    let transport = transport(&DEFAULT);
    let mut jar = Jar { now: 1_445_412_480, ..Jar::default() };
    let mut headers = HeaderMap::new();
    transport.issue(&mut headers, &Credential::of(&mint()), Lifetime::Until(Duration::from_secs(60)));
    jar.receive(&headers, false);
    assert!(jar.sent().is_empty());
    jar.receive(&headers, true);
    jar.now += 59;
    assert_eq!(jar.sent().len(), 1);
    jar.now += 1;
    assert!(jar.sent().is_empty());
}

#[test]
fn expires_and_max_age_name_the_same_instant() {
    let transport = transport(&DEFAULT);
    for seconds in [1, 60, 86_399, 86_400, 34_560_000, 34_560_001] {
        let mut headers = HeaderMap::new();
        transport.issue(
            &mut headers,
            &Credential::of(&mint()),
            Lifetime::Until(Duration::from_secs(seconds)),
        );
        let line = lines(&headers)[0].to_owned();
        let by_date = line.replacen("Max-Age", "Ignored", 1);
        for line in [line, by_date] {
            let mut jar = Jar { now: 1_445_412_480, ..Jar::default() };
            jar.receive_line(&line, true);
            let end = jar.cookies.values().next().unwrap().1;
            assert_eq!(end, Some(1_445_412_480 + i64::try_from(seconds.min(34_560_000)).unwrap()));
        }
    }
}
