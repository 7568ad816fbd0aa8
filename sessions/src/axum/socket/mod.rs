//! Sockets of axum that live as long as their session.
//!
//! [`WebSocketTransport`] is the handshake: origin, session, guard, upgrade, watch, in that order. [`pump`] serves the socket, and [`told`] says so:
//! it alone holds it, so that it is closed with a word when the session ends, whatever the handler does.

mod credential;
mod pump;
mod refusal;
mod told;

use std::{fmt, marker::PhantomData};

use axum::extract::{OriginalUri, ws::WebSocketUpgrade};
use axum_core::{extract::FromRequestParts, response::Response};
use http::{HeaderValue, header::ORIGIN, request::Parts};
use sessions_policy::{SocketCredential, SocketRequire};

use self::credential::{ID, Offered};
pub use self::{
    pump::{SessionSocket, SocketClosed},
    refusal::SocketRefusal,
};
use crate::{
    engine::SessionEngine,
    event::EventKind,
    fault::{Fault, SessionError},
    guard::Guard,
    session::{Registered, Session, Untyped, state::SessionState},
    watch::{Opened, SessionWatch, SocketTicket, state_of},
    web::{RequestHead, cross_site::check_socket},
};

/// The subprotocol that stands beside a ticket or an id: a browser wants one to be chosen that is no secret.
const PLAIN: &str = "sessions.v1";

/// The handshake of a WebSocket under the policy `P`, for a handler that the guard `G` protects.
///
/// In a handler it is written plainly, and `#[session(policy = "…")]` fills in the rest. Before the handler runs,
///
/// 1. the `Origin` is checked, before any session is read: one of `socket.origins`, else the request's own host (403);
/// 2. the session is opened: by what the policy's transport carries, or as `socket.credential` says;
/// 3. the guard is asked, and for a login unless `socket.require` is `session` (401);
/// 4. the session is watched: whatever ends it from here on closes the socket.
///
/// What the handler's own [`Session`] records is committed before the response that switches protocols. Route it with
/// `any`, so that HTTP/2 finds it too.
///
/// ```
/// # mod shop { sessions::policies! { account: { extends: "user_default" } } use sessions::{Session, session};
/// use axum::{Router, response::Response, routing::any};
/// use sessions::WebSocketTransport;
///
/// #[session(policy = "account")]
/// async fn chat(socket: WebSocketTransport) -> Response {
///     socket.on_upgrade(|mut socket| async move {
///         while let Some(message) = socket.recv().await {
///             if socket.send(message).await.is_err() {
///                 break;
///             }
///         }
///     })
/// }
///
/// # pub fn routes() -> Router {
/// Router::new().route("/chat", any(chat))
/// # }}
/// ```
#[must_use = "a socket is served by `on_upgrade`"]
pub struct WebSocketTransport<P = Untyped, G = ()> {
    upgrade: WebSocketUpgrade,
    watch: SessionWatch,
    bound: PhantomData<fn() -> (P, G)>,
}

impl<P, G> WebSocketTransport<P, G> {
    /// The subprotocols that the handler speaks, the preferred one first. What proves the session is never chosen.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<std::borrow::Cow<'static, str>>,
    {
        let protocols =
            protocols.into_iter().map(Into::into).filter(|protocol| !credential::is_one(protocol));
        self.upgrade = self.upgrade.protocols(protocols);
        self
    }

    /// The subprotocol that was chosen.
    #[must_use]
    pub fn protocol(&self) -> Option<&HeaderValue> {
        self.upgrade.selected_protocol()
    }

    /// The session.
    pub fn watch(&self) -> &SessionWatch {
        &self.watch
    }

    /// Switches protocols and serves the socket. When the session ends, the socket is closed with the reason: messages that
    /// came before are not handled any more, and `serve` has two seconds to come to its end. When `serve` returns, the socket
    /// is closed.
    pub fn on_upgrade<C, F>(mut self, serve: C) -> Response
    where
        C: FnOnce(SessionSocket) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        if self.upgrade.selected_protocol().is_none() {
            self.upgrade = self.upgrade.protocols([PLAIN]);
        }
        let (watch, most) = (self.watch, self.upgrade);
        let cap = watch.policy().socket().max_message();
        most.max_message_size(cap)
            .max_frame_size(cap)
            .on_upgrade(move |socket| pump::run(socket, watch, serve))
    }
}

impl<S, P, G> FromRequestParts<S> for WebSocketTransport<P, G>
where
    S: Send + Sync,
    P: Registered,
    G: Guard,
{
    type Rejection = SocketRefusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SocketRefusal> {
        let engine = Session::<P, G>::engine_of(parts)?.clone();
        engine.check_origin(RequestHead::from(&*parts))?;
        let found = Found::<P, G>::in_request(&engine, parts).await?;
        let socket = engine.policy().socket();
        let needs = match socket.require() {
            SocketRequire::Session => G::REQUIREMENTS,
            _ => G::REQUIREMENTS.authenticated(),
        };
        engine.guard(&found.state(&engine), &needs)?;
        let upgrade =
            WebSocketUpgrade::from_request_parts(parts, state).await.map_err(SocketRefusal::upgrade)?;
        let watch = found.watch(&engine).await?;
        Ok(Self { upgrade, watch, bound: PhantomData })
    }
}

/// A session that was found for a socket.
enum Found<P, G> {
    /// In the request, as handlers find it: the layer commits it.
    Session(Session<P, G>),
    /// By something that stands for one socket alone.
    Opened(Opened),
}

impl<P: Registered, G: Guard> Found<P, G> {
    async fn in_request(engine: &SessionEngine, parts: &Parts) -> Result<Self, SessionError> {
        Ok(match engine.policy().socket().credential() {
            SocketCredential::Subprotocol => {
                Self::Opened(engine.open_offered(RequestHead::from(parts), Offered::of(parts, ID)).await?)
            }
            SocketCredential::Ticket => {
                let Offered::One(text) = Offered::of(parts, SocketTicket::PROTOCOL) else {
                    return Err(SessionError::new(
                        Fault::Required,
                        "a socket of this policy needs one ticket",
                    ));
                };
                // A nested router sees the end of the path alone.
                let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path());
                Self::Opened(engine.redeem(text, path, RequestHead::from(parts)).await?)
            }
            _ => Self::Session(Session::open_checked(parts).await?),
        })
    }

    fn state(&self, engine: &SessionEngine) -> std::sync::Arc<SessionState> {
        match self {
            Self::Session(session) => std::sync::Arc::clone(session.state()),
            Self::Opened(opened) => state_of(engine, opened.id, &opened.record),
        }
    }

    async fn watch(self, engine: &SessionEngine) -> Result<SessionWatch, SessionError> {
        match self {
            Self::Session(session) => session.watch().await,
            Self::Opened(opened) => {
                let watch = SessionWatch::open(engine, opened.id, opened.record).await?;
                // A request counts as activity by its commit, and this one has none.
                watch.note_activity();
                Ok(watch)
            }
        }
    }
}

impl SessionEngine {
    /// Refuses a socket of a foreign page, before any session is read.
    fn check_origin(&self, head: RequestHead<'_>) -> Result<(), SessionError> {
        let Err(reason) = check_socket(head, self.policy()) else { return Ok(()) };
        self.event(EventKind::CrossSite, |event| {
            event.fault = Some(Fault::CrossSite);
            event.detail = Some(reason.as_str());
        });
        Err(SessionError::new(Fault::CrossSite, reason.as_str()).varying([ORIGIN]))
    }
}

impl<P, G> fmt::Debug for WebSocketTransport<P, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketTransport").field("watch", &self.watch).finish_non_exhaustive()
    }
}
