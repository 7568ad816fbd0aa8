//! Sessions in poem, a framework with request types of its own: a middleware of a few lines hands each request through the
//! registry's tower layer, and handlers open their session from what poem calls method, target, headers and extensions.
//!
//! ```text
//! cargo run --example poem --features frameworks
//! ```

use std::{error::Error, sync::Arc};

use http::Response;
use poem::{
    Body, Endpoint, EndpointExt, IntoResponse, Middleware, Request, Route, Server, get, handler,
    listener::TcpAcceptor, post,
};
use sessions::{RequestHead, Session, SessionError, SessionPrincipal, guard};
use tokio::net::TcpListener;
use tower::{Layer as _, ServiceExt as _, service_fn};

sessions::policies! {
    account: { extends: "user_default" },
}
use policies::{Account, Registry};

/// The registry's layer as a middleware of poem.
struct Sessions(Registry);

impl<E: Endpoint + 'static> Middleware<E> for Sessions {
    type Output = WithSessions<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        WithSessions { endpoint: Arc::new(endpoint), registry: self.0.clone() }
    }
}

struct WithSessions<E> {
    endpoint: Arc<E>,
    registry: Registry,
}

impl<E: Endpoint + 'static> Endpoint for WithSessions<E> {
    type Output = poem::Response;

    async fn call(&self, request: Request) -> poem::Result<poem::Response> {
        let endpoint = Arc::clone(&self.endpoint);
        // The layer looks at nothing of the request: it puts something into its extensions.
        let service = self.registry.layer().layer(service_fn(move |request: http::Request<Request>| {
            let endpoint = Arc::clone(&endpoint);
            async move {
                let (layer, mut request) = request.into_parts();
                request.extensions_mut().extend(layer.extensions);
                let (parts, body) = endpoint.get_response(request).await.into_parts();
                let mut response = Response::new(body);
                *response.status_mut() = parts.status;
                *response.headers_mut() = parts.headers;
                *response.extensions_mut() = parts.extensions;
                Ok::<Response<Body>, poem::Error>(response)
            }
        }));
        let (parts, body) = service.oneshot(http::Request::new(request)).await?.into_parts();
        let mut response = poem::Response::from(parts.status);
        *response.headers_mut() = parts.headers;
        *response.extensions_mut() = parts.extensions;
        response.set_body(body);
        Ok(response)
    }
}

/// The head of a request, as a session needs it.
fn head(request: &Request) -> RequestHead<'_> {
    RequestHead {
        method: request.method(),
        uri: request.original_uri(),
        headers: request.headers(),
        extensions: request.extensions(),
    }
}

/// A refusal as poem tells it.
fn refusal(error: SessionError) -> poem::Error {
    let (parts, body) = error.into_http().into_parts();
    let mut response = body.with_status(parts.status).into_response();
    *response.headers_mut() = parts.headers;
    poem::Error::from_response(response)
}

#[handler]
async fn me(request: &Request) -> poem::Result<String> {
    let session = Session::<Account, guard::Authenticated>::open(head(request)).await.map_err(refusal)?;
    Ok(session.require_principal().map_err(refusal)?.id().to_owned())
}

#[handler]
async fn visits(request: &Request) -> poem::Result<String> {
    let session = Session::<Account>::open(head(request)).await.map_err(refusal)?;
    let count = |visits: &mut u64| {
        *visits += 1;
        *visits
    };
    Ok(session.update("visits", count).await.map_err(refusal)?.to_string())
}

#[handler]
async fn log_in(request: &Request) -> poem::Result<&'static str> {
    let mut session = Session::<Account>::open(head(request)).await.map_err(refusal)?;
    session.mark_authenticated(SessionPrincipal::user("ada"));
    Ok("logged in")
}

#[handler]
async fn log_out(request: &Request) -> poem::Result<&'static str> {
    Session::<Account>::end(head(request)).await.map_err(refusal)?;
    Ok("logged out")
}

/// Serves until the listener fails.
///
/// # Errors
/// The settings', and the listener's own.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error + Send + Sync>> {
    let registry = Registry::load().await?;
    let routes = Route::new()
        .at("/me", get(me))
        .at("/visits", post(visits))
        .at("/login", post(log_in))
        .at("/logout", post(log_out))
        .with(Sessions(registry));
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(routes).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener).await
}
