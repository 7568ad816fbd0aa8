//! Where sessions are kept: the memory store and what it tells, and a store of your own that is bound by name.
//!
//! ```text
//! cargo run --example stores
//! ```

mod counting;

use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{COOKIE, SET_COOKIE},
};
use sessions::{MemoryStore, SessionEngine, SessionError, SessionPrincipal};

use crate::counting::CountingStore;

sessions::policies!("stores.toml");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counting = CountingStore::new(MemoryStore::new(10_000));
    let registry = policies::Registry::builder().store("counted", counting.clone()).load().await?;

    // The configuration decides where a policy's sessions are: the code is the same for both.
    for user in ["ada", "grace", "ada"] {
        log_in(&registry.engine::<policies::UserDefault>(), user).await?;
        log_in(&registry.engine::<policies::ApiToken>(), user).await?;
    }

    for (name, stats) in registry.stats().await? {
        println!("{name:8} {} sessions of {} principals", stats.sessions, stats.principals);
    }
    println!("counted  {} reads, {} writes", counting.reads(), counting.writes());
    registry.shutdown().await?;
    Ok(())
}

/// Logs a user in, and comes back once with the id that the response carried.
async fn log_in(engine: &SessionEngine, user: &str) -> Result<(), SessionError> {
    let mut session = engine.resolve(&Request::new(())).await?;
    session.mark_authenticated(SessionPrincipal::user(user));
    let mut response = Response::new(());
    engine.commit(&session, &mut response).await?;

    let mut request = Request::new(());
    *request.headers_mut() = as_client(response.headers());
    assert!(engine.resolve(&request).await?.is_authenticated(), "the store has it");
    Ok(())
}

/// What a client sends after it got these headers.
fn as_client(headers: &HeaderMap) -> HeaderMap {
    let mut request = HeaderMap::new();
    if let Some(id) = headers.get("x-session-id") {
        request.insert("x-session-id", id.clone());
    }
    let cookie = headers.get(SET_COOKIE).and_then(|line| line.as_bytes().split(|byte| *byte == b';').next());
    if let Some(Ok(cookie)) = cookie.map(HeaderValue::from_bytes) {
        request.insert(COOKIE, cookie);
    }
    request
}
