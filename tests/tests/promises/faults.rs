//! Whatever a store does that it may do: fail before or after, take its time, apply twice, answer out of order.
//!
//! What was acknowledged is true, and what failed did no more than was asked.

use std::{collections::BTreeSet, time::Duration};

use sessions::{
    BehaviorOnLimit, Session, SessionEngine, SessionError, SessionPolicy, SharedStore, testing::FaultStore,
};
use sessions_tests::{Place, Visitor, user};

type Faults = FaultStore<Place>;

/// Every kind of fault, each in one call of twenty.
fn faults(seed: u64) -> Faults {
    let store = FaultStore::new(Place::default(), seed).before(0.05).after(0.05);
    store.delay(0.05, Duration::from_millis(4)).duplicate(0.05).hold(0.05)
}

fn engine(policy: SessionPolicy, store: &Faults) -> SessionEngine {
    SessionEngine::builder(policy).store(SharedStore::new(store.clone())).build()
}

/// One request.
async fn visit<R>(
    engine: &SessionEngine,
    visitor: &mut Visitor,
    handler: impl AsyncFnOnce(&mut Session) -> R,
) -> Result<R, SessionError> {
    let mut session = engine.resolve(&visitor.request()).await?;
    let value = handler(&mut session).await;
    let mut response = http::Response::new(());
    engine.commit(&session, &mut response).await?;
    if let Some(cookie) = response.headers().get("set-cookie") {
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap_or_default();
        visitor.cookie = (!cookie.ends_with('=')).then(|| cookie.to_owned());
    }
    Ok(value)
}

/// A visitor who logs in while the store is calm.
async fn logged_in(engine: &SessionEngine, store: &Faults) -> Visitor {
    let mut visitor = Visitor::default();
    store.set_calm(true);
    visit(engine, &mut visitor, async |session| session.mark_authenticated(user("ada"))).await.unwrap();
    store.set_calm(false);
    visitor
}

async fn count(engine: &SessionEngine, visitor: &Visitor) -> Result<u64, SessionError> {
    let session = engine.resolve(&visitor.request()).await?;
    let counted = session.update("n", |n: &mut u64| {
        *n += 1;
        *n
    });
    counted.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_update_is_never_lost_whatever_the_store_does() {
    for seed in 0..6 {
        let store = faults(seed);
        let nodes = [0; 2].map(|_| engine(SessionPolicy::user_default(), &store));
        let visitor = logged_in(&nodes[0], &store).await;
        let requests: Vec<_> = (0..60)
            .map(|n| {
                let (engine, visitor) = (nodes[n % 2].clone(), visitor.clone());
                tokio::spawn(async move { count(&engine, &visitor).await })
            })
            .collect();
        let (mut counted, mut failed) = (BTreeSet::new(), 0);
        for request in requests {
            match request.await.unwrap() {
                Ok(n) => assert!(counted.insert(n), "seed {seed}: {n} was given twice"),
                Err(_) => failed += 1,
            }
        }
        store.set_calm(true);
        let session = nodes[0].resolve(&visitor.request()).await.unwrap();
        let stored = session.get::<u64>("n").unwrap().unwrap_or_default();
        let acknowledged = counted.len() as u64;
        assert!(counted.last().is_none_or(|most| *most <= stored), "seed {seed}: an update was lost");
        let possible = acknowledged..=acknowledged + failed;
        assert!(possible.contains(&stored), "seed {seed}: {stored} is none of {possible:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_logout_stands_whatever_the_store_does() {
    for seed in 0..12 {
        let store = faults(seed);
        let engine = engine(SessionPolicy::user_default(), &store);
        let visitor = logged_in(&engine, &store).await;
        let writers: Vec<_> = (0..20)
            .map(|_| {
                let (engine, visitor) = (engine.clone(), visitor.clone());
                tokio::spawn(async move { drop(count(&engine, &visitor).await) })
            })
            .collect();
        let leave = async |session: &mut Session| {
            session.clear_authentication();
            session.clear_data();
        };
        while visit(&engine, &mut visitor.clone(), leave).await.is_err() {}
        for writer in writers {
            writer.await.unwrap();
        }
        // What was held back may still come.
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.set_calm(true);
        let session = engine.resolve(&visitor.request()).await.unwrap();
        assert!(!session.is_authenticated() && session.keys().is_empty(), "seed {seed}");
        assert!(engine.sessions_of(&user("ada")).await.unwrap().is_empty(), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_whatever_the_store_does() {
    for (seed, behavior) in
        (0..6).zip([BehaviorOnLimit::Reject, BehaviorOnLimit::EvictOldest].into_iter().cycle())
    {
        let store = faults(seed);
        let policy = SessionPolicy::for_web_users().max_concurrent(2, behavior).build().unwrap();
        let engine = engine(policy, &store);
        let logins: Vec<_> = (0..30)
            .map(|_| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    let log_in = async |session: &mut Session| session.mark_authenticated(user("ada"));
                    visit(&engine, &mut Visitor::default(), log_in).await.is_ok()
                })
            })
            .collect();
        let mut succeeded = 0;
        for login in logins {
            succeeded += usize::from(login.await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        store.set_calm(true);
        let live = engine.sessions_of(&user("ada")).await.unwrap().len();
        assert!(live <= 2 && succeeded >= live.min(1), "seed {seed}: {live} live, {succeeded} succeeded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_writer_starves_on_a_store_that_takes_its_time() {
    let store = FaultStore::new(Place::default(), 0).delay(1.0, Duration::from_millis(2));
    // All stand in one queue: the last waits for longer than a request may.
    let patient = SharedStore::new(store.clone()).with_limit(Duration::from_secs(60));
    let nodes =
        [0; 2].map(|_| SessionEngine::builder(SessionPolicy::user_default()).store(patient.clone()).build());
    let visitor = logged_in(&nodes[0], &store).await;
    let requests: Vec<_> = (0..300)
        .map(|n| {
            let (engine, visitor) = (nodes[n % 2].clone(), visitor.clone());
            tokio::spawn(async move { count(&engine, &visitor).await })
        })
        .collect();
    let mut counted = BTreeSet::new();
    for request in requests {
        counted.insert(request.await.unwrap().unwrap());
    }
    assert!(counted.into_iter().eq(1..=300));
}
