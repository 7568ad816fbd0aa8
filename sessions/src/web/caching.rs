//! What caches may keep of a response that a session shaped: nothing. It does not decide which responses those are.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CACHE_CONTROL, COOKIE, Entry, VARY},
};

static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
static BY_COOKIE: HeaderValue = HeaderValue::from_static("Cookie");
static SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");

/// Marks a response as shaped by what the field `vary` of the request carried.
///
/// `Vary` gets one more line, unless the application's own names the field or is `*` (RFC 9110 12.5.5).
/// `Cache-Control` becomes `no-store`, whatever the application said: a stored `Set-Cookie` is someone else's login
/// (RFC 9111 7.3), and the form `no-cache="Set-Cookie"` is rarely implemented. The fields that outrank it in front
/// caches, `CDN-Cache-Control` with its relatives (RFC 9213 2) and `Surrogate-Control`, are removed.
pub(crate) fn mark(headers: &mut HeaderMap, vary: &HeaderName) {
    match headers.entry(VARY) {
        Entry::Vacant(none) => {
            none.insert(member(vary));
        }
        Entry::Occupied(mut lines) => {
            if !varies(lines.iter(), vary) {
                lines.append(member(vary));
            }
        }
    }
    drop_targeted(headers);
    headers.insert(CACHE_CONTROL, NO_STORE.clone());
}

/// The name as a field value, without an allocation.
fn member(name: &HeaderName) -> HeaderValue {
    if *name == COOKIE { BY_COOKIE.clone() } else { HeaderValue::from(name.clone()) }
}

fn varies<'a>(lines: impl Iterator<Item = &'a HeaderValue>, name: &HeaderName) -> bool {
    let name = name.as_str().as_bytes();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|member| member == b"*" || member.eq_ignore_ascii_case(name))
}

fn drop_targeted(headers: &mut HeaderMap) {
    while let Some(name) = headers.keys().find(|name| is_targeted(name)).cloned() {
        headers.remove(name);
    }
}

/// Whether a field speaks to some caches only, and to those before `Cache-Control`. Vendors put their name in front:
/// `Cloudflare-CDN-Cache-Control`, `Vercel-CDN-Cache-Control`.
fn is_targeted(name: &HeaderName) -> bool {
    *name == SURROGATE_CONTROL || name.as_str().ends_with("cdn-cache-control")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(fields: &[(&'static str, &'static str)], vary: &HeaderName) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        mark(&mut headers, vary);
        headers
    }

    fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
        headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn a_bare_response_gets_both_fields() {
        let headers = marked(&[], &COOKIE);
        assert_eq!(lines(&headers, &VARY), ["Cookie"]);
        assert_eq!(lines(&headers, &CACHE_CONTROL), ["no-store"]);
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn a_header_transport_varies_by_its_header() {
        let headers = marked(&[], &HeaderName::from_static("x-session-id"));
        assert_eq!(lines(&headers, &VARY), ["x-session-id"]);
    }

    #[test]
    fn the_applications_vary_is_kept() {
        let headers = marked(&[("vary", "Accept-Encoding, Origin"), ("vary", "Accept")], &COOKIE);
        assert_eq!(lines(&headers, &VARY), ["Accept-Encoding, Origin", "Accept", "Cookie"]);
    }

    #[test]
    fn a_field_is_named_once_in_any_spelling() {
        for own in ["Cookie", "cookie", "COOKIE", "Accept, cookie", "cookie ,\tAccept", " cooKie "] {
            assert_eq!(lines(&marked(&[("vary", own)], &COOKIE), &VARY), [own]);
        }
    }

    #[test]
    fn a_field_that_only_looks_alike_does_not_count() {
        for own in ["Cookie2", "Set-Cookie", "x-cookie", "Co okie", ""] {
            assert_eq!(lines(&marked(&[("vary", own)], &COOKIE), &VARY), [own, "Cookie"]);
        }
    }

    #[test]
    fn a_star_already_says_everything() {
        for own in ["*", "Accept, *"] {
            assert_eq!(lines(&marked(&[("vary", own)], &COOKIE), &VARY), [own]);
        }
    }

    #[test]
    fn marking_twice_changes_nothing() {
        let mut headers = marked(&[], &COOKIE);
        let once = headers.clone();
        mark(&mut headers, &COOKIE);
        assert_eq!(headers, once);
    }

    #[test]
    fn two_policies_vary_by_both() {
        let mut headers = marked(&[], &COOKIE);
        mark(&mut headers, &HeaderName::from_static("x-session-id"));
        assert_eq!(lines(&headers, &VARY), ["Cookie", "x-session-id"]);
    }

    #[test]
    fn no_other_cache_rule_survives() {
        let own = [
            ("cache-control", "public, max-age=600"),
            ("cache-control", "s-maxage=600, immutable"),
            ("cdn-cache-control", "max-age=600"),
            ("cloudflare-cdn-cache-control", "max-age=600"),
            ("surrogate-control", "max-age=600"),
            ("etag", "\"1\""),
        ];
        let headers = marked(&own, &COOKIE);
        assert_eq!(lines(&headers, &CACHE_CONTROL), ["no-store"]);
        assert_eq!(headers.len(), 3, "{headers:?}");
        assert!(headers.contains_key("etag"));
    }
}
