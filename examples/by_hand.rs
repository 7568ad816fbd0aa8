//! The engine without a framework: `resolve` before a request is answered, `commit` before the response is sent.
//!
//! ```text
//! cargo run --example by_hand
//! ```
//!
//! Both work on the types of the `http` crate, so that the same two calls fit any server. Here a loop plays the client.

use http::{
    Method, Request, Response, StatusCode,
    header::{COOKIE, SET_COOKIE},
};
use sessions::{MemoryStore, Session, SessionEngine, SessionError, SessionPolicy, SessionPrincipal};

/// What a server does with each request.
async fn serve(engine: &SessionEngine, request: Request<()>) -> Response<String> {
    let mut session = match engine.resolve(&request).await {
        Ok(session) => session,
        Err(error) => return error.into_http(),
    };
    let mut response = answer(&mut session, &request).await.unwrap_or_else(SessionError::into_http);
    match engine.commit(&session, &mut response).await {
        Ok(()) => response,
        // What could not be written must not look as if it was.
        Err(error) => error.into_http(),
    }
}

/// The application: it knows the session and nothing of cookies or stores.
async fn answer(session: &mut Session, request: &Request<()>) -> Result<Response<String>, SessionError> {
    let text = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => match session.principal() {
            Some(user) => format!("hello, {}", user.id()),
            None => "hello, whoever you are".to_owned(),
        },
        (&Method::POST, "/visit") => {
            let visits = session
                .update("visits", |visits: &mut u64| {
                    *visits += 1;
                    *visits
                })
                .await?;
            format!("visit {visits}")
        }
        (&Method::POST, "/login") => {
            session.mark_authenticated(SessionPrincipal::user("u1").with("name", "Ada"));
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(10_000));
    let mut cookie: Option<String> = None;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::POST, "/visit"),
        (Method::POST, "/login"),
        (Method::POST, "/visit"),
        (Method::GET, "/"),
        (Method::POST, "/logout"),
        (Method::GET, "/"),
    ] {
        let mut request = Request::builder().method(&method).uri(path);
        if let Some(cookie) = &cookie {
            request = request.header(COOKIE, cookie);
        }
        let response = serve(&engine, request.body(())?).await;
        let told = match response.headers().get(SET_COOKIE) {
            Some(line) => {
                let line = line.to_str()?;
                let (pair, attributes) = line.split_once("; ").unwrap_or((line, ""));
                cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
                // The value is a credential: it belongs to no output.
                format!("cookie {}: {attributes}", if cookie.is_some() { "set" } else { "removed" })
            }
            None => "no cookie".to_owned(),
        };
        println!(
            "{:4} {path:8} {} {:24} {told}",
            method.as_str(),
            response.status().as_u16(),
            response.body()
        );
    }
    Ok(())
}
