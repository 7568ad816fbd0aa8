//! A store of your own that passes the conformance kit, bound by its name.
//!
//! ```text
//! cargo run --example own_store
//! cargo test --package sessions-examples --example own_store
//! ```

mod map;

use http::{Request, Response};
use sessions::{SessionEngine, SessionError, SessionPrincipal};

use crate::map::MapStore;

sessions::policies!("own_store.toml");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let registry = policies::Registry::builder().store("main", MapStore::default()).load().await?;
    let engine = registry.engine::<policies::UserDefault>();
    for login in 1..=3 {
        log_in(&engine, "ada").await?;
        let sessions = engine.sessions_of(&SessionPrincipal::user("ada")).await?;
        println!("login {login}: {} of at most 2 sessions", sessions.len());
    }
    registry.shutdown().await?;
    Ok(())
}

async fn log_in(engine: &SessionEngine, user: &str) -> Result<(), SessionError> {
    let mut session = engine.resolve(&Request::new(())).await?;
    session.mark_authenticated(SessionPrincipal::user(user));
    engine.commit(&session, &mut Response::new(())).await
}

/// Every promise of the contract, each a test: once on one handle, once on two that take turns.
#[cfg(test)]
mod tests {
    use super::MapStore;

    async fn fresh() -> (MapStore, MapStore) {
        let store = MapStore::default();
        (store.clone(), store)
    }

    async fn twin(store: &MapStore) -> MapStore {
        store.clone()
    }

    sessions::testing::conformance!(fresh, twin = twin);
}
