//! The cookie transport: one cookie a policy, read strictly and written from typed parts (RFC 6265bis).

mod date;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::{sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName,
    header::{COOKIE, SET_COOKIE},
};
use sessions_policy::TransportPolicy;

use self::{
    read::{Found, Limits},
    write::{Age, Attributes, SetCookie},
};
use super::{Credential, Lifetime, Presented, Transport};
use crate::{
    clock::{Clock, SystemClock},
    web::RequestHead,
};

/// Carries the credential in a cookie, by default `__Host-Http-` with the policy's name.
///
/// A request with more bytes of `Cookie` or more pairs than the policy's `max_cookie_header` and `max_cookie_pairs`
/// is [`Malformed`](Presented::Malformed): what may hide a second credential is not searched for the first. Equal
/// credentials under the name are one; different ones are a [`Duplicate`](Presented::Duplicate), in any order.
#[derive(Clone, Debug)]
pub struct CookieTransport {
    limits: Limits,
    cookie: SetCookie,
    clock: Arc<dyn Clock>,
}

impl CookieTransport {
    /// The cookie transport that the policy describes, by the system's clock.
    pub fn new(policy: &TransportPolicy) -> Self {
        let attributes = Attributes {
            name: policy.cookie_name(),
            path: policy.cookie_path(),
            domain: policy.cookie_domain(),
            secure: policy.cookie_secure(),
            http_only: policy.cookie_httponly(),
            same_site: policy.cookie_samesite(),
        };
        let limits = Limits { bytes: policy.max_cookie_header(), pairs: policy.max_cookie_pairs() };
        Self::of(&attributes, limits)
    }

    fn of(attributes: &Attributes<'_>, limits: Limits) -> Self {
        Self { limits, cookie: SetCookie::new(attributes), clock: Arc::new(SystemClock::new()) }
    }

    /// The same transport by another clock, which dates `Expires`.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    fn age(&self, life: Lifetime) -> Option<Age> {
        match life {
            Lifetime::Browser => None,
            Lifetime::Until(left) => Some(Age::new(left, Duration::from_millis(self.clock.now()))),
        }
    }
}

impl Transport for CookieTransport {
    fn read(&self, head: RequestHead<'_>) -> Presented {
        let lines = head.headers.get_all(COOKIE);
        match read::find(lines, self.cookie.name().as_bytes(), self.limits) {
            Found::Nothing => Presented::Nothing,
            Found::One(value) => Credential::parse(value).map_or(Presented::Malformed, Presented::Credential),
            Found::Several => Presented::Duplicate,
            Found::TooMuch => Presented::Malformed,
        }
    }

    fn issue(&self, headers: &mut HeaderMap, credential: &Credential<'_>, life: Lifetime) {
        write::drop_lines(headers, self.cookie.name());
        headers.append(SET_COOKIE, self.cookie.line(credential, self.age(life)));
    }

    fn remove(&self, headers: &mut HeaderMap) {
        write::drop_lines(headers, self.cookie.name());
        headers.append(SET_COOKIE, self.cookie.removal());
    }

    fn vary(&self) -> HeaderName {
        COOKIE
    }

    fn is_ambient(&self) -> bool {
        true
    }

    fn strip_foreign(&self, headers: &mut HeaderMap) -> bool {
        write::drop_lines(headers, self.cookie.name())
    }
}
