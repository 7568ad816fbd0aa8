//! Writes `Set-Cookie`: from typed parts, with one line a name, and a removal that removes (RFC 6265bis 4.1).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use sessions_policy::SameSite;

use super::{
    date::{PAST, imf_fixdate},
    read::trim,
};
use crate::{
    token::TOKEN_TEXT,
    transport::credential::{Credential, sensitive},
};

/// The most that a browser keeps a cookie, in seconds: 400 days (RFC 6265bis 5.5).
const MOST: u64 = 400 * 86_400;

/// Room for `; Max-Age=34560000; Expires=Thu, 01 Jan 1970 00:00:00 GMT`.
const AGE_TEXT: usize = 57;

/// What a policy says about its cookie. Its rules have checked the grammar of every text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a> {
    pub(super) name: &'a str,
    pub(super) path: &'a str,
    pub(super) domain: Option<&'a str>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
}

/// How long a browser shall keep a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age {
    /// Seconds from now.
    max_age: u64,
    /// The same instant in seconds since the epoch, for clients that know no `Max-Age`.
    expires: u64,
}

impl Age {
    /// Never longer than what is left, and never longer than 400 days.
    pub(super) fn new(left: Duration, now: Duration) -> Self {
        let max_age = left.as_secs().min(MOST);
        Self { max_age, expires: now.as_secs().saturating_add(max_age) }
    }
}

/// One policy's cookie, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct SetCookie {
    name: Box<str>,
    /// All attributes but the lifetime, with the leading `; `.
    attributes: Box<str>,
    removal: HeaderValue,
}

impl SetCookie {
    pub(super) fn new(parts: &Attributes<'_>) -> Self {
        let attributes = attributes(parts);
        // `Max-Age=0` alone is no removal for clients of RFC 6265, nor is `Expires` alone for a client's wrong clock.
        let removal = format!("{}=; Max-Age=0; Expires={PAST}{attributes}", parts.name);
        let removal = sensitive(removal.into_bytes());
        Self { name: parts.name.into(), attributes: attributes.into(), removal }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The line that sets the cookie. Without an age a browser drops it at the end of its own session.
    pub(super) fn line(&self, credential: &Credential<'_>, age: Option<Age>) -> HeaderValue {
        let room = self.name.len() + 1 + TOKEN_TEXT + age.map_or(0, |_| AGE_TEXT) + self.attributes.len();
        let mut line = Vec::with_capacity(room);
        line.extend_from_slice(self.name.as_bytes());
        line.push(b'=');
        credential.expose(|text| line.extend_from_slice(text.as_bytes()));
        if let Some(Age { max_age, expires }) = age {
            let age = format!("; Max-Age={max_age}; Expires={}", imf_fixdate(expires));
            line.extend_from_slice(age.as_bytes());
        }
        line.extend_from_slice(self.attributes.as_bytes());
        sensitive(line)
    }

    /// The line that removes the cookie: the same name, place and attributes, or a browser keeps it.
    pub(super) fn removal(&self) -> HeaderValue {
        self.removal.clone()
    }
}

fn attributes(parts: &Attributes<'_>) -> String {
    let mut text = format!("; Path={}", parts.path);
    if let Some(domain) = parts.domain {
        text.push_str("; Domain=");
        text.push_str(domain);
    }
    if parts.secure {
        text.push_str("; Secure");
    }
    if parts.http_only {
        text.push_str("; HttpOnly");
    }
    text.push_str(match parts.same_site {
        SameSite::Lax => "; SameSite=Lax",
        SameSite::None => "; SameSite=None",
        _ => "; SameSite=Strict",
    });
    text
}

/// Removes all `Set-Cookie` lines of a name and says whether there were any. The others keep their order.
pub(super) fn drop_lines(headers: &mut HeaderMap, name: &str) -> bool {
    let is_own = |line: &HeaderValue| set_name(line.as_bytes()) == name.as_bytes();
    if !headers.get_all(SET_COOKIE).iter().any(is_own) {
        return false;
    }
    let others: Vec<_> = headers.get_all(SET_COOKIE).iter().filter(|line| !is_own(line)).cloned().collect();
    headers.remove(SET_COOKIE);
    for line in others {
        headers.append(SET_COOKIE, line);
    }
    true
}

/// The name that a client sends back for a `Set-Cookie` line.
///
/// A cookie without a name is sent as its value alone, so that the line `=sid=x` comes back as a cookie `sid`
/// (RFC 6265bis 5.8.3): it counts under that name.
fn set_name(line: &[u8]) -> &[u8] {
    let pair = trim(line.split(|byte| *byte == b';').next().unwrap_or_default());
    let pair = pair.strip_prefix(b"=").map_or(pair, trim);
    match pair.iter().position(|byte| *byte == b'=') {
        Some(equals) => trim(&pair[..equals]),
        None => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lines_name_is_what_a_client_sends_back() {
        for (line, name) in [
            ("sid=x", "sid"),
            (" sid =x; Path=/", "sid"),
            ("\tsid\t= x", "sid"),
            ("=sid=x", "sid"),
            (" = sid = x", "sid"),
            ("==sid=x", ""),
            ("sid", ""),
            ("sid; Path=/", ""),
            ("", ""),
            (";sid=x", ""),
            ("a=sid=x", "a"),
            ("SID=x", "SID"),
            ("\"sid\"=x", "\"sid\""),
            ("sid2=x", "sid2"),
        ] {
            assert_eq!(set_name(line.as_bytes()), name.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn an_age_never_exceeds_what_is_left_nor_the_browsers_cap() {
        let now = Duration::from_secs(1_000_000);
        let edges = [0, 1, 59, MOST - 1, MOST, MOST + 1, u64::from(u32::MAX), u64::MAX - 1, u64::MAX];
        for seconds in edges {
            for nanos in [0, 1, 999_999_999] {
                let age = Age::new(Duration::new(seconds, nanos), now);
                assert_eq!(age, Age { max_age: seconds.min(MOST), expires: 1_000_000 + seconds.min(MOST) });
            }
        }
        assert_eq!(Age::new(Duration::MAX, Duration::MAX).expires, u64::MAX);
    }
}
