//! Everything that can go wrong with a session, in one table: code, severity, visibility, retry, HTTP status.

use std::{fmt, time::Duration};

use http::StatusCode;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident, $visibility:ident, $retry:ident, $status:ident, $title:literal;)*) => {
        /// A kind of fault, with a stable code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code, as in a problem document's `code`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How bad it is for the operator.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Whether a client may learn of it by its code. What is private reaches a client as its status alone.
            pub const fn is_public(self) -> bool {
                match self { $(Self::$name => matches!(Visibility::$visibility, Visibility::Public),)* }
            }

            /// Whether the same request may succeed when it is sent again.
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$name => matches!(Retry::$retry, Retry::Again),)* }
            }

            /// The HTTP status of a refusal for this reason.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// A short title for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

enum Visibility {
    Public,
    Private,
}

enum Retry {
    Again,
    Never,
}

/// How bad a fault is for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Part of everyday traffic.
    Info,
    /// Worth counting.
    Warning,
    /// Something is broken, or someone attacks.
    Error,
}

impl Severity {
    /// The stable name: `info`, `warning` or `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

faults! {
    /// The route asks for an authenticated session and there is none.
    ///
    /// An id that is malformed, unknown, expired, superseded or revoked gets this answer too: the reason is in the event.
    Required = "SESSION_REQUIRED", Info, Public, Never, UNAUTHORIZED, "An authenticated session is required";
    /// The session ended, or its id was superseded, while the request was under way.
    Gone = "SESSION_GONE", Info, Public, Never, UNAUTHORIZED, "The session has ended";
    /// A change of privilege gave the session another id while a socket was open: the client holds the new one.
    Superseded = "SESSION_SUPERSEDED", Info, Public, Never, UNAUTHORIZED, "The session has another id";
    /// The login is older than the route allows.
    NotFresh = "SESSION_NOT_FRESH", Info, Public, Never, UNAUTHORIZED, "A recent login is required";
    /// The principal's kind or roles don't suffice.
    Forbidden = "SESSION_FORBIDDEN", Warning, Public, Never, FORBIDDEN, "The session does not permit this";
    /// An unsafe request came from another site.
    CrossSite = "SESSION_CROSS_SITE", Warning, Public, Never, FORBIDDEN, "The request came from another site";
    /// An unsafe request came in early data of TLS, which an attacker can send once more: after the handshake it is welcome
    /// (RFC 8470, 5.2). The gateway that ends TLS says so by the field `Early-Data`: nginx with `ssl_early_data on` needs
    /// `proxy_set_header Early-Data $ssl_early_data`.
    TooEarly = "SESSION_TOO_EARLY", Info, Public, Again, TOO_EARLY, "The request came before the handshake was over";
    /// A lifetime ran out.
    Expired = "SESSION_EXPIRED", Info, Public, Never, UNAUTHORIZED, "The session has expired";
    /// The session was idle for too long.
    IdleTimeout = "SESSION_IDLE_TIMEOUT", Info, Public, Never, UNAUTHORIZED, "The session was idle for too long";
    /// The session reached its absolute end.
    AbsoluteTimeout = "SESSION_ABSOLUTE_TIMEOUT", Info, Public, Never, UNAUTHORIZED, "The session reached its end";
    /// The id is not of the canonical form.
    Invalid = "SESSION_INVALID", Warning, Public, Never, BAD_REQUEST, "The session id is malformed";
    /// The request names two sessions: two carriers of the policy present different credentials, or one presents two that
    /// only the client itself can have written. None is guessed.
    Contradictory = "SESSION_CONTRADICTORY", Warning, Public, Never, BAD_REQUEST, "The request names more than one session";
    /// No session has this handle.
    NotFound = "SESSION_NOT_FOUND", Info, Public, Never, NOT_FOUND, "No such session";
    /// The handler asked for something that the policy doesn't allow.
    PolicyViolation = "SESSION_POLICY_VIOLATION", Error, Private, Never, INTERNAL_SERVER_ERROR, "The session policy does not allow this";
    /// The principal has as many sessions as the policy allows.
    ConcurrencyViolation = "SESSION_CONCURRENCY_VIOLATION", Warning, Public, Never, CONFLICT, "Too many sessions";
    /// Another request changed the same key, and the policy says `on_conflict = "reject"`; or the turn of this one has run
    /// out under `"serial"`, and another has had the session since.
    Conflict = "SESSION_CONFLICT", Warning, Public, Again, CONFLICT, "The session was changed by another request";
    /// Another request has the session to itself (`on_conflict = "serial"`), for longer than this one may wait.
    Locked = "SESSION_LOCKED", Warning, Public, Again, LOCKED, "The session is in use";
    /// The session would be larger than the policy allows.
    TooLarge = "SESSION_TOO_LARGE", Warning, Public, Never, PAYLOAD_TOO_LARGE, "The session is too large";
    /// The store is down, slow or full.
    StoreUnavailable = "SESSION_STORE_UNAVAILABLE", Error, Public, Again, SERVICE_UNAVAILABLE, "The session store is unavailable";
    /// A record, or a value in it, can't be read.
    StoreCorrupted = "SESSION_STORE_CORRUPTED", Error, Private, Never, INTERNAL_SERVER_ERROR, "A session value can't be read";
    /// No new id could be issued.
    RotationFailed = "SESSION_ROTATION_FAILED", Error, Private, Again, SERVICE_UNAVAILABLE, "No session id can be issued";
    /// The transport can't carry the session.
    TransportError = "SESSION_TRANSPORT_ERROR", Error, Private, Never, INTERNAL_SERVER_ERROR, "The session can't be transported";
    /// The id was never issued.
    ForgeryAttempt = "SESSION_FORGERY_ATTEMPT", Warning, Private, Never, UNAUTHORIZED, "The session id was never issued";
    /// An earlier id was used after its successor.
    HijackAttempt = "SESSION_HIJACK_ATTEMPT", Error, Private, Never, UNAUTHORIZED, "A superseded session id was used";
    /// The client is not the one that the session was bound to.
    FingerprintMismatch = "SESSION_FINGERPRINT_MISMATCH", Warning, Private, Never, UNAUTHORIZED, "The session belongs to another client";
    /// A change came after the response head was sent, or a value can't be encoded.
    Unusable = "SESSION_UNUSABLE", Error, Private, Never, INTERNAL_SERVER_ERROR, "The session can't be changed now";
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An operation on a session that failed: a [`Fault`], what happened in words, and the cause.
///
/// As a response it is an RFC 9457 problem document that shows neither the cause nor any id.
pub struct SessionError {
    fault: Fault,
    /// Boxed, so that an operation that succeeds does not move the room for what could have gone wrong.
    about: Box<About>,
}

struct About {
    detail: std::borrow::Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    retry_after: Option<Duration>,
    vary: Vec<http::HeaderName>,
    challenges: Option<Vec<http::HeaderValue>>,
}

impl SessionError {
    pub(crate) fn new(fault: Fault, detail: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        let waits = matches!(fault.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::LOCKED);
        let retry_after = waits.then(|| Duration::from_secs(1));
        Self {
            fault,
            about: Box::new(About {
                detail: detail.into(),
                source: None,
                retry_after,
                vary: Vec::new(),
                challenges: None,
            }),
        }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.about.source = Some(source.into());
        self
    }

    pub(crate) fn varying(mut self, headers: impl IntoIterator<Item = http::HeaderName>) -> Self {
        self.about.vary = headers.into_iter().collect();
        self
    }

    /// What `WWW-Authenticate` says, unless that is known already.
    pub(crate) fn challenging(mut self, challenges: impl FnOnce(Fault) -> Vec<http::HeaderValue>) -> Self {
        self.about.challenges.get_or_insert_with(|| challenges(self.fault));
        self
    }

    /// The same refusal once more, without its cause.
    #[cfg(feature = "actix")]
    pub(crate) fn again(&self) -> Self {
        let mut again = Self::new(self.fault, self.about.detail.clone());
        again.about.vary.clone_from(&self.about.vary);
        again.about.challenges.clone_from(&self.about.challenges);
        again
    }

    /// What kind of fault it is.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The HTTP status that it answers with.
    pub fn status(&self) -> StatusCode {
        self.fault.status()
    }

    /// How long a client should wait before it tries again, where that can help.
    pub fn retry_after(&self) -> Option<Duration> {
        self.about.retry_after
    }

    /// The headers that the answer depends on, so that caches keep refusals apart as they do successes.
    pub(crate) fn vary(&self) -> &[http::HeaderName] {
        &self.about.vary
    }

    /// What `WWW-Authenticate` says; `None` where no transport was asked.
    pub(crate) fn challenges(&self) -> Option<&[http::HeaderValue]> {
        self.about.challenges.as_deref()
    }

    /// The refusal as a response: a problem document (RFC 9457) with the headers that belong to it.
    pub fn into_http(self) -> http::Response<String> {
        crate::web::problem::response(&self)
    }
}

impl fmt::Debug for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionError")
            .field("fault", &self.fault)
            .field("detail", &self.about.detail)
            .field("source", &self.about.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault, self.about.detail)
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.about.source.as_deref().map(|source| source as _)
    }
}

/// A refusal by the application, answered like one by the library.
///
/// ```
/// use sessions::{Fault, SessionError};
///
/// let refusal = SessionError::from(Fault::Forbidden);
/// assert_eq!(refusal.into_http().status(), 403);
/// ```
impl From<Fault> for SessionError {
    fn from(fault: Fault) -> Self {
        Self::new(fault, "refused by the application")
    }
}

impl From<crate::store::StoreError> for SessionError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::new(Fault::StoreUnavailable, "the session store did not answer").because(error)
    }
}

impl From<crate::entropy::EntropyError> for SessionError {
    fn from(error: crate::entropy::EntropyError) -> Self {
        Self::new(Fault::RotationFailed, "no session id can be issued").because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_of_one_form() {
        let mut codes: Vec<_> = Fault::ALL.iter().map(|fault| fault.code()).collect();
        assert!(codes.iter().all(|code| code.starts_with("SESSION_")
            && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Fault::ALL.len());
    }

    /// The table as clients and operators rely on it: changing a row is a breaking change.
    #[test]
    fn the_table_is_the_published_one() {
        let rows: Vec<String> = Fault::ALL
            .iter()
            .map(|fault| {
                format!(
                    "{} {} {:?}{}{}",
                    fault.code(),
                    fault.status().as_u16(),
                    fault.severity(),
                    if fault.is_public() { " public" } else { "" },
                    if fault.is_retryable() { " retry" } else { "" },
                )
            })
            .collect();
        let expected = [
            "SESSION_REQUIRED 401 Info public",
            "SESSION_GONE 401 Info public",
            "SESSION_SUPERSEDED 401 Info public",
            "SESSION_NOT_FRESH 401 Info public",
            "SESSION_FORBIDDEN 403 Warning public",
            "SESSION_CROSS_SITE 403 Warning public",
            "SESSION_TOO_EARLY 425 Info public retry",
            "SESSION_EXPIRED 401 Info public",
            "SESSION_IDLE_TIMEOUT 401 Info public",
            "SESSION_ABSOLUTE_TIMEOUT 401 Info public",
            "SESSION_INVALID 400 Warning public",
            "SESSION_CONTRADICTORY 400 Warning public",
            "SESSION_NOT_FOUND 404 Info public",
            "SESSION_POLICY_VIOLATION 500 Error",
            "SESSION_CONCURRENCY_VIOLATION 409 Warning public",
            "SESSION_CONFLICT 409 Warning public retry",
            "SESSION_LOCKED 423 Warning public retry",
            "SESSION_TOO_LARGE 413 Warning public",
            "SESSION_STORE_UNAVAILABLE 503 Error public retry",
            "SESSION_STORE_CORRUPTED 500 Error",
            "SESSION_ROTATION_FAILED 503 Error retry",
            "SESSION_TRANSPORT_ERROR 500 Error",
            "SESSION_FORGERY_ATTEMPT 401 Warning",
            "SESSION_HIJACK_ATTEMPT 401 Error",
            "SESSION_FINGERPRINT_MISMATCH 401 Warning",
            "SESSION_UNUSABLE 500 Error",
        ];
        assert_eq!(rows, expected);
    }
}
