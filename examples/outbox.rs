//! A consumer that misses nothing: it is ended before it acknowledges, and another goes on where it was.
//!
//! ```text
//! cargo run --example outbox
//! ```
//!
//! Starts a `redis-server` of its own, which has to be installed, and leaves nothing behind. With `url = "postgres://…"` and
//! `PostgresStore` it is the same; in a policy file it is `outbox = "7days"` below `[stores.main]`, and
//! `registry.outbox("main")`.

#[path = "cluster/server.rs"]
mod server;

use std::{collections::HashSet, error::Error, time::Duration};

use sessions::{
    RedisAddress, RedisStore, SessionEngine, SessionPolicy, SessionPrincipal, SessionStore, SharedStore,
    outbox::OutboxEvent,
};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = server::Server::start()?;
    let address = RedisAddress::parse(&server.url())?;
    let store = SharedStore::new(RedisStore::builder(address).outbox(WEEK).open().await?);
    let engine = SessionEngine::builder(SessionPolicy::user_default()).store(store.clone()).build();
    log_in_and_out(&engine).await?;

    let outbox = store.outbox().ok_or("the store keeps an outbox")?;
    let mut handled = HashSet::new();
    // In a service this loop runs for ever, and `handle` writes what it does together with the id of the event.
    for run in ["a run that is ended", "the next run", "the one after"] {
        let reader = outbox.reader("mail").ok_or("a name of letters")?;
        let batch = reader.read(100).await?;
        println!("{run}: {} events", batch.len());
        for event in batch.iter() {
            handle(&mut handled, event);
        }
        if run != "a run that is ended" {
            // Only now: what is acknowledged before it is handled is lost by an end in between.
            reader.ack(&batch).await?;
        }
    }
    Ok(())
}

/// Handles an event once, however often it comes.
fn handle(handled: &mut HashSet<String>, event: &OutboxEvent) {
    let again = if handled.insert(event.id.clone()) { "" } else { " (had it)" };
    let whose = event.principal.as_ref().and_then(|principal| principal.id.as_deref()).unwrap_or("a visitor");
    println!("  {} of {whose}{again}", event.event);
}

async fn log_in_and_out(engine: &SessionEngine) -> Result<(), Box<dyn Error>> {
    let mut session = engine.resolve(&http::Request::new(())).await?;
    session.mark_authenticated(SessionPrincipal::user("ada"));
    engine.commit(&session, &mut http::Response::new(())).await?;
    engine.revoke_all(&SessionPrincipal::user("ada")).await?;
    Ok(())
}
