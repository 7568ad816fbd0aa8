//! Sessions in actix-web: the same layer as its middleware, sessions as extractors, refusals as responses.
//!
//! [`Registry::layer`](crate::Registry::layer) is a middleware of actix-web as well as a layer of tower, and
//! [`require`](crate::require) likewise; `#[session]` stands above handlers of either:
//!
//! ```
//! # mod shop { sessions::policies! { visits: { extends: "user_default" } }
//! use actix_web::{App, web};
//! use sessions::{Session, SessionError, session};
//!
//! #[session(policy = "visits")]
//! async fn visit(session: Session) -> Result<String, SessionError> {
//!     let visits = session.update("visits", |n: &mut u64| { *n += 1; *n }).await?;
//!     Ok(visits.to_string())
//! }
//!
//! # pub async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = policies::Registry::load().await?;
//! let server = actix_web::HttpServer::new({
//!     let registry = registry.clone();
//!     move || App::new().route("/visit", web::post().to(visit)).wrap(registry.layer())
//! });
//! server.bind("127.0.0.1:3000")?.run().await?;
//! registry.shutdown().await?;
//! # Ok(())
//! # }}
//! ```
//!
//! Nothing of a session's life is decided here: requests are opened and committed as under tower, from the same head and by
//! the same functions. What is different comes from actix-web:
//!
//! - It takes an `Option` of an extractor for absent whatever failed. Under the middleware it is not: where an
//!   `Option<Session>` could not be opened, the handler's response is replaced by the refusal, as if it had not run.
//! - A handler may take `Result<Session, SessionError>` and answer in its own words, but for success: a response below 400
//!   is replaced by the refusal, because an `Option` that names no [`guard::IfStored`](crate::guard::IfStored) can't be told
//!   from it.
//! - What must not be cut in half, such as a login whose client has hung up, goes on on the runtime of its worker. A worker
//!   that stops meanwhile takes it along, as a crash would: nothing is lost, and what it held runs out by itself.
//! - The address of the connection is the request's [`Peer`](crate::Peer), unless the request's extensions hold another.

mod head;
mod middleware;
mod require;
mod translate;

use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, body::BoxBody, dev::Payload};
use http::request::Parts;

pub use self::{head::parts, middleware::SessionMiddleware, require::RequireMiddleware};
use crate::{
    fault::{Fault, SessionError},
    guard::Guard,
    layer::RequestSessions,
    session::{Registered, Session},
};

impl<P: Registered, G: Guard> FromRequest for Session<P, G> {
    type Error = SessionError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SessionError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parts = parts(request);
        Box::pin(async move { Self::extract_from(&parts?).await })
    }
}

impl<P: Registered, G: Guard> Session<P, G> {
    async fn extract_from(parts: &Parts) -> Result<Self, SessionError> {
        let session = match Self::open_unguarded(parts.into(), G::REQUIREMENTS.reads()).await {
            Ok(session) => session,
            Err(error) => {
                Self::note_failure(parts, &error);
                return Err(error);
            }
        };
        if G::IS_OPTIONAL && session.is_new() {
            return Err(SessionError::new(Fault::Required, "there is no session"));
        }
        session.guarded(&G::REQUIREMENTS)
    }

    /// Tells the middleware why the session could not be opened: the handler may never hear of it.
    fn note_failure(parts: &Parts, error: &SessionError) {
        if let Some(sessions) = parts.extensions.get::<RequestSessions<P::Declared>>() {
            sessions.opened.fail(error, G::IS_OPTIONAL);
        } else {
            // No middleware will refuse the request.
            tracing::error!(error = error as &dyn std::error::Error, "a session can't be opened");
        }
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        translate::status_of(self)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        translate::refusal(self)
    }
}
