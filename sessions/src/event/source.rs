//! Where events come from, how the request that they happened in is named, and how much of a principal they tell.

use std::{fmt, net::IpAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use sessions_policy::SessionPolicy;

use crate::{
    SessionPrincipal,
    web::{RequestHead, forwarded},
};

/// The header that names a request.
const REQUEST_ID: &str = "x-request-id";
/// The longest name of a request, in bytes. Shorter than any token, so that none can be told as one.
const LONGEST: usize = 64;

const _: () = assert!(LONGEST < crate::token::TOKEN_TEXT, "a token is no name");

/// The name of a request: what the application puts into the request's extensions as this type, else what the header
/// `X-Request-Id` says.
///
/// It is 1 to 64 ASCII letters, digits and `-_.:/+=@`: a UUID, a ULID or a trace parent. Anything else is no name, so that
/// what a client sends can neither break a log nor fill it.
///
/// ```
/// use sessions::RequestId;
///
/// assert!(RequestId::new("01J9Z3M0Q5W8V7").is_some());
/// assert!(RequestId::new("two\nlines").is_none());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes a text that can be a name.
    pub fn new(text: &str) -> Option<Self> {
        let is_name = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte));
        is_name.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that a request has.
    fn of(head: RequestHead<'_>) -> Option<Self> {
        if let Some(given) = head.extensions.get::<Self>() {
            return Some(given.clone());
        }
        let mut values = head.headers.get_all(REQUEST_ID).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        Self::new(value.to_str().ok()?)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What events tell of the request that they happened in.
#[derive(Debug)]
pub(crate) struct About {
    pub(super) request: Option<RequestId>,
    pub(super) peer: Option<IpAddr>,
    /// The operator who does it, by kind and id.
    pub(super) by: Option<(String, String)>,
}

impl About {
    /// What there is to tell of a request under a policy, if there is anything.
    pub(crate) fn of(head: RequestHead<'_>, policy: &SessionPolicy) -> Option<Arc<Self>> {
        let request = RequestId::of(head);
        let peer = forwarded::client(head, policy);
        (request.is_some() || peer.is_some()).then(|| Arc::new(Self { request, peer, by: None }))
    }

    /// The same, done by an operator.
    pub(crate) fn done_by(about: Option<&Self>, operator: &SessionPrincipal) -> Arc<Self> {
        let by = Some((operator.kind().to_owned(), operator.id().to_owned()));
        let request = about.and_then(|about| about.request.clone());
        Arc::new(Self { request, peer: about.and_then(|about| about.peer), by })
    }
}

/// How much of a principal its events tell. The id of a person is personal data, and logs live long; so is the address that
/// a request came from, which only [`Named`](Self::Named) tells.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum EventPrincipals {
    /// Kind and id, and the address of the client: the request's [`Peer`](crate::Peer), or whom a listed proxy speaks for.
    #[default]
    Named,
    /// The kind, and a pseudonym for the id: the same for the same principal, and of no use without the key. Deleting the
    /// key makes the events anonymous.
    Pseudonyms(PseudonymKey),
    /// The kind alone.
    Kinds,
}

impl fmt::Debug for EventPrincipals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "Named",
            Self::Pseudonyms(_) => "Pseudonyms(…)",
            Self::Kinds => "Kinds",
        })
    }
}

/// What pseudonyms of principals are made with: at least 32 bytes that no one can guess.
#[derive(Clone)]
pub struct PseudonymKey(Arc<Zeroizing<Vec<u8>>>);

impl PseudonymKey {
    /// A key of these bytes; `None` for fewer than 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= 32).then(|| Self(Arc::new(Zeroizing::new(bytes.to_vec()))))
    }

    fn pseudonym(&self, kind: &str, id: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(b"sessions/pseudonym/v1\0");
        mac.update(&(kind.len() as u64).to_be_bytes());
        mac.update(kind.as_bytes());
        mac.update(id.as_bytes());
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

/// The process that events come from.
#[derive(Debug)]
pub(crate) struct Source {
    /// Another one each time that a process starts.
    run: String,
    node: Option<String>,
    principals: EventPrincipals,
}

impl Source {
    pub(crate) fn new(node: Option<String>, principals: EventPrincipals) -> Self {
        Self { run: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 9]>()), node, principals }
    }

    pub(super) fn run(&self) -> &str {
        &self.run
    }

    pub(super) fn node(&self) -> &str {
        self.node.as_deref().unwrap_or(&self.run)
    }

    /// The address of a request as events may tell it.
    pub(super) fn peer(&self, peer: Option<IpAddr>) -> Option<IpAddr> {
        peer.filter(|_| matches!(self.principals, EventPrincipals::Named))
    }

    /// The id of a principal as events may tell it.
    pub(super) fn principal(&self, kind: &str, id: &str) -> Option<String> {
        match &self.principals {
            EventPrincipals::Named => Some(id.to_owned()),
            EventPrincipals::Pseudonyms(key) => Some(key.pseudonym(kind, id)),
            EventPrincipals::Kinds => None,
        }
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::new(None, EventPrincipals::Named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_name_of_one_form_or_none() {
        let of = |values: &[&str]| {
            let mut request = http::Request::new(());
            for value in values {
                let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                request.headers_mut().append(REQUEST_ID, value);
            }
            RequestId::of((&request).into()).map(|id| id.to_string())
        };
        assert_eq!(of(&["a-1"]).as_deref(), Some("a-1"));
        let mut request = http::Request::new(());
        request.headers_mut().insert(REQUEST_ID, http::HeaderValue::from_static("of-the-client"));
        request.extensions_mut().insert(RequestId::new("of-the-server").unwrap());
        assert_eq!(RequestId::of((&request).into()).unwrap().as_str(), "of-the-server");
        let longest = "x".repeat(LONGEST);
        assert_eq!(of(&[&longest]), Some(longest));
        for none in
            [&[][..], &[""], &["a", "a"], &["a b"], &["a\tb"], &["\u{e9}"], &[&"x".repeat(LONGEST + 1)]]
        {
            assert_eq!(of(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_pseudonym_is_stable_and_tells_kinds_apart() {
        let key = PseudonymKey::new(&[1; 32]).unwrap();
        let source = Source::new(None, EventPrincipals::Pseudonyms(key));
        let one = source.principal("user", "7").unwrap();
        assert_eq!(source.principal("user", "7").unwrap(), one);
        assert_ne!(source.principal("service", "7").unwrap(), one);
        assert!(one.len() == 22 && PseudonymKey::new(&[1; 31]).is_none());
        assert_eq!(source.peer(Some([127, 0, 0, 1].into())), None, "an address is personal, too");
    }
}
