//! Sessions in a plain tower service: the layer of a registry in a `ServiceBuilder`, and hyper below it. Whatever speaks
//! the types of the `http` crate takes the same layer.
//!
//! ```text
//! cargo run --example tower --features frameworks
//! ```

use std::{convert::Infallible, error::Error};

use http::{Method, Request, Response, StatusCode, request::Parts};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use sessions::{Session, SessionError, SessionPrincipal, guard};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

sessions::policies! {
    account: { extends: "user_default" },
}
use policies::Account;

/// A session is opened by the handler that needs one, with the guard in its type; the layer commits it.
async fn answer(parts: &Parts) -> Result<Response<String>, SessionError> {
    let text = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/me") => {
            let session = Session::<Account, guard::Authenticated>::open(parts).await?;
            session.require_principal()?.id().to_owned()
        }
        (&Method::POST, "/visits") => {
            let session = Session::<Account>::open(parts).await?;
            let count = |visits: &mut u64| {
                *visits += 1;
                *visits
            };
            session.update("visits", count).await?.to_string()
        }
        (&Method::POST, "/login") => {
            let mut session = Session::<Account>::open(parts).await?;
            session.mark_authenticated(SessionPrincipal::user("ada"));
            "logged in".to_owned()
        }
        (&Method::POST, "/logout") => {
            Session::<Account>::end(parts).await?;
            "logged out".to_owned()
        }
        _ => {
            let mut response = Response::new("no such page".to_owned());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return Ok(response);
        }
    };
    Ok(Response::new(text))
}

async fn handle(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, _body) = request.into_parts();
    Ok(answer(&parts).await.unwrap_or_else(SessionError::into_http).map(Full::from))
}

/// Serves until the listener fails.
///
/// # Errors
/// The settings', and the listener's own.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error + Send + Sync>> {
    let registry = policies::Registry::load().await?;
    let service = ServiceBuilder::new().layer(registry.layer()).service(service_fn(handle));
    loop {
        let (connection, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(connection), service);
            // A client that hangs up is no news.
            let _ = server.await;
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener).await
}
