//! How a session's credential travels: the contract of a transport, and the ones that a policy can name.
//! A transport reads and writes heads. It knows no store, decides nothing, and never fails a request.

mod bearer;
mod carriers;
mod cookie;
mod credential;
mod header;

use std::{fmt::Debug, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) use self::carriers::{Carried, Carriers};
pub use self::{
    bearer::BearerTransport, cookie::CookieTransport, credential::Credential, header::HeaderTransport,
};
use crate::{fault::Fault, web::RequestHead};

/// Carries the credential of one policy between client and server.
///
/// A policy has one transport, or with `adapter = "composite"` those of `transport.order`, and is blind to all others.
/// Write one of your own where a credential travels in another way, write `transport.adapter = "custom"`, and bind it
/// with [`RegistryBuilder::transport`](crate::RegistryBuilder::transport), or in an engine that is used by hand with
/// [`SessionEngineBuilder::transport`](crate::SessionEngineBuilder::transport):
///
/// ```
/// use http::{HeaderMap, HeaderName, HeaderValue, header};
/// use sessions::{Credential, Lifetime, Presented, RequestHead, Transport};
///
/// # mod shop { sessions::policies! { partner: { extends: "user_default", transport: { adapter: "custom" } } } }
/// # use shop::policies;
/// /// `Authorization: Session …`, answered in `Authentication-Info`.
/// #[derive(Debug)]
/// struct Authorization;
///
/// impl Transport for Authorization {
///     fn read(&self, head: RequestHead<'_>) -> Presented {
///         let mut lines = head.headers.get_all(header::AUTHORIZATION).iter();
///         match (lines.next(), lines.next()) {
///             (None, _) => Presented::Nothing,
///             (Some(_), Some(_)) => Presented::Duplicate,
///             (Some(line), None) => line
///                 .as_bytes()
///                 .strip_prefix(b"Session ")
///                 .and_then(Credential::parse)
///                 .map_or(Presented::Malformed, Presented::Credential),
///         }
///     }
///
///     fn issue(&self, headers: &mut HeaderMap, credential: &Credential<'_>, _: Lifetime) {
///         headers.insert("authentication-info", credential.to_header_value());
///     }
///
///     fn remove(&self, headers: &mut HeaderMap) {
///         headers.remove("authentication-info");
///     }
///
///     fn vary(&self) -> HeaderName {
///         header::AUTHORIZATION
///     }
///
///     fn is_ambient(&self) -> bool {
///         false
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sessions::LoadError> {
/// let registry = policies::Registry::builder().transport::<policies::Partner>(Authorization).load().await?;
/// # drop(registry);
/// # let mut headers = HeaderMap::new();
/// # headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Session nonsense"));
/// # let request = http::Request::new(());
/// # let head = RequestHead { headers: &headers, ..RequestHead::from(&request) };
/// # assert!(matches!(Authorization.read(head), Presented::Malformed));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transport for sessions",
    label = "not a `Transport`",
    note = "a policy's `transport.adapter` makes a `CookieTransport`, a `HeaderTransport` or a `BearerTransport`"
)]
pub trait Transport: Send + Sync + Debug + 'static {
    /// Reads what the client presents.
    ///
    /// It looks at this transport's place only, does bounded work, and takes no memory for what is not its own.
    fn read(&self, head: RequestHead<'_>) -> Presented;

    /// Hands the client a credential, in the place of one that was written to this response before.
    fn issue(&self, headers: &mut HeaderMap, credential: &Credential<'_>, life: Lifetime);

    /// Takes the client's credential away, so far as the transport can, and out of this response in any case.
    fn remove(&self, headers: &mut HeaderMap);

    /// The request field whose value decides about the response: what `Vary` has to name (RFC 9110 12.5.5).
    fn vary(&self) -> HeaderName;

    /// Whether a client sends the credential by itself, as browsers send cookies. Requests of other sites carry it
    /// then too, and the cross-site rules apply.
    fn is_ambient(&self) -> bool;

    /// What `WWW-Authenticate` says where a request is refused for this reason (RFC 9110 11.6.1); `None` for nothing.
    /// `presented`: the request presented something to this transport, and it was not good enough.
    ///
    /// Unless you write it, the scheme is `Session` wherever a login would help.
    fn challenge(&self, fault: Fault, presented: bool) -> Option<HeaderValue> {
        let _ = presented;
        let helps = matches!(fault, Fault::Required | Fault::Gone | Fault::NotFresh);
        helps.then(|| HeaderValue::from_static("Session"))
    }

    /// Removes from a response what only this transport may write there, and says whether it met any.
    ///
    /// Called before [`issue`](Self::issue) and [`remove`](Self::remove): it can't tell their work from another's.
    fn strip_foreign(&self, headers: &mut HeaderMap) -> bool {
        let _ = headers;
        false
    }
}

/// What a request presents to one policy.
#[derive(Debug)]
#[non_exhaustive]
pub enum Presented {
    /// Nothing under the policy's name.
    Nothing,
    /// One credential of the canonical form. Whether it opens a session only the store knows.
    Credential(Credential<'static>),
    /// Something that no server ever minted, or more than the policy is willing to read.
    Malformed,
    /// More than one, of which none can be preferred: whoever may write one cookie for a host could choose the
    /// session. So it is no session (RFC 6265bis 8.6).
    Duplicate,
    /// More than one, where only the client itself can have written them: the request is refused with
    /// [`Fault::Contradictory`], whatever its handler asks for.
    Contradictory,
}

/// How long a client shall keep a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifetime {
    /// Until the client ends its own session: no lifetime is written.
    Browser,
    /// For this long from now, in whole seconds, at most 400 days. More is cut, and so is a part of a second.
    Until(Duration),
}
