//! Sessions in a server of plain hyper, without a framework and without tower: `resolve` before a request is answered,
//! `commit` before the response is sent.
//!
//! ```text
//! cargo run --example hyper --features frameworks
//! ```

use std::{convert::Infallible, io};

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use sessions::{Fault, MemoryStore, Session, SessionEngine, SessionError, SessionPolicy, SessionPrincipal};
use tokio::net::TcpListener;

/// What the server does with each request.
async fn serve_one(engine: &SessionEngine, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let answered = async {
        let mut session = engine.resolve(&request).await?;
        let answer = answer(&mut session, request.method(), request.uri().path()).await;
        let mut response = answer.unwrap_or_else(SessionError::into_http);
        // What could not be written must not look as if it was.
        engine.commit(&session, &mut response).await?;
        Ok(response)
    };
    answered.await.unwrap_or_else(SessionError::into_http).map(Full::from)
}

/// The application: it knows the session and nothing of cookies or stores.
async fn answer(
    session: &mut Session,
    method: &Method,
    path: &str,
) -> Result<Response<String>, SessionError> {
    let text = match (method, path) {
        (&Method::GET, "/me") => match session.principal() {
            Some(user) => user.id().to_owned(),
            None => return Err(Fault::Required.into()),
        },
        (&Method::POST, "/visits") => {
            let count = |visits: &mut u64| {
                *visits += 1;
                *visits
            };
            session.update("visits", count).await?.to_string()
        }
        (&Method::POST, "/login") => {
            session.mark_authenticated(SessionPrincipal::user("ada"));
            "logged in".to_owned()
        }
        (&Method::POST, "/logout") => {
            session.clear_authentication();
            session.clear_data();
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

/// Serves until the listener fails.
///
/// # Errors
/// The listener's own.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(10_000));
    loop {
        let (connection, _) = listener.accept().await?;
        let engine = engine.clone();
        tokio::spawn(async move {
            let service =
                service_fn(|request| async { Ok::<_, Infallible>(serve_one(&engine, request).await) });
            let server = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(connection), service);
            // A client that hangs up is no news.
            let _ = server.await;
        });
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener).await
}
