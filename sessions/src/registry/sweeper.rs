//! Frees what has expired in every store of a registry, a little at a time. Nothing depends on when it runs: what has
//! expired is judged on every load.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    task::AbortHandle,
    time::{Instant, sleep},
};

use super::{Parts, caught::caught};
use crate::{
    clock::{Clock, SystemClock, Time},
    observe,
    store::{SessionStore, SharedStore, StoreError},
};

/// How long a round waits for the next one, at most; at least half of it, by chance, so that processes that were started
/// together don't sweep a shared store together.
const ROUND: Duration = Duration::from_secs(60);
/// How many entries a store frees in one operation.
const BATCH: usize = 256;
/// How long a store is left to its requests between two batches.
const PAUSE: Duration = Duration::from_millis(10);
/// How many batches a store gets in one round: the others have their turn too.
const BATCHES: usize = 4096;
/// The longest time for which a store that fails is left alone.
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);

/// The task that sweeps. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sweeper(Option<AbortHandle>);

impl Sweeper {
    /// Starts to sweep the stores of a registry on the runtime of the caller. Where there is none, nothing sweeps.
    pub(super) fn start(parts: Weak<Parts>, clock: Option<Arc<dyn Clock>>) -> Self {
        let time = Time::new(clock.unwrap_or_else(|| Arc::new(SystemClock::new())));
        let Ok(runtime) = Handle::try_current() else {
            tracing::debug!("no runtime: expired sessions are freed by other operations alone");
            return Self(None);
        };
        Self(Some(runtime.spawn(run(parts, time)).abort_handle()))
    }

    /// Stops it for good: at the latest after the batch that is under way.
    pub(super) fn stop(&self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A store that has failed since it was last swept.
#[derive(Debug)]
struct Outage {
    failures: u32,
    /// Until then it is left alone.
    rests_until: Instant,
}

async fn run(parts: Weak<Parts>, time: Time) {
    let mut outages = HashMap::new();
    loop {
        sleep(ROUND.mul_f64(rand::random_range(0.5..=1.0))).await;
        let Some(names) = parts.upgrade().map(|parts| names(&parts)) else { return };
        for name in names {
            let rests = |outage: &Outage| outage.rests_until > Instant::now();
            if !outages.get(&name).is_some_and(rests) {
                let swept = sweep(&parts, &name, &time).await;
                observe::swept(&name, swept.as_ref().ok().copied());
                note(&mut outages, &name, swept.map(drop));
            }
        }
    }
}

/// Sweeps a store until less comes back than could have. The registry is not held in between: it may end.
async fn sweep(parts: &Weak<Parts>, name: &str, time: &Time) -> Result<usize, StoreError> {
    let mut swept = 0;
    for _ in 0..BATCHES {
        // As the settings in force have it: a reload may have given it another time limit.
        let Some(store) = parts.upgrade().and_then(|parts| store(&parts, name)) else { return Ok(swept) };
        let panicked = || StoreError::Unknown(Some("it panicked".into()));
        let freed = caught(store.sweep(time.now(), BATCH)).await.unwrap_or_else(|| Err(panicked()))?;
        drop(store);
        swept += freed;
        tracing::trace!(store = name, freed, "expired sessions were freed");
        if freed < BATCH {
            break;
        }
        sleep(PAUSE).await;
    }
    Ok(swept)
}

/// Tells an outage when it begins and when it ends.
fn note(outages: &mut HashMap<String, Outage>, name: &str, swept: Result<(), StoreError>) {
    let Err(error) = swept else {
        if let Some(outage) = outages.remove(name) {
            tracing::info!(store = name, failures = outage.failures, "expired sessions are freed again");
        }
        return;
    };
    let failures = outages.get(name).map_or(0, |outage| outage.failures).saturating_add(1);
    if failures == 1 {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        tracing::warn!(
            store = name,
            %error,
            cause,
            "expired sessions can't be freed: it is tried again, and told when it works"
        );
    }
    let rest = ROUND.saturating_mul((1 << failures.min(10)) - 1).min(LONGEST_REST);
    outages.insert(name.to_owned(), Outage { failures, rests_until: Instant::now() + rest });
}

fn names(parts: &Parts) -> Vec<String> {
    parts.settings.load().stores.iter().map(|(name, _)| name.clone()).collect()
}

fn store(parts: &Parts, name: &str) -> Option<SharedStore> {
    let settings = parts.settings.load();
    settings.stores.iter().find(|(other, _)| other == name).map(|(_, store)| store.clone())
}
