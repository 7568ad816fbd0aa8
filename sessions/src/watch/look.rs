//! The task that looks after the watches of a policy: one check for all of them at each tick, a look at those whose time
//! is up, and at those of whom something was heard.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{
    hub::{Hub, Pass},
    watched::Watched,
};
use crate::{
    engine::SessionEngine,
    fault::{Fault, SessionError},
    record::Record,
    soon::all,
    store::{Millis, SessionStore, SharedStore, StoreError, Touch, Touched},
    token::SessionId,
};

/// The longest time between two looks where the store tells nothing: an ending anywhere is seen within a second.
const PROMPT: Duration = Duration::from_millis(750);
/// The longest time between two looks in any case.
const LONGEST: Duration = Duration::from_secs(60);
/// The shortest.
const SHORTEST: Duration = Duration::from_millis(20);
/// How many sessions are asked for in one call of the store.
const BATCH: usize = 1_024;
/// How many calls of the store are under way at once.
const CALLS: usize = 4;
/// How many activities are noted at once.
const TOUCHES: usize = 64;

/// Starts the task on the runtime of the caller.
pub(super) fn start(hub: &Arc<Hub>, engine: &SessionEngine) -> Result<(), SessionError> {
    let runtime = Handle::try_current().map_err(|error| {
        SessionError::new(Fault::Unusable, "a watch needs a tokio runtime, which looks after it")
            .because(error)
    })?;
    runtime.spawn(drive(Arc::clone(hub), engine.clone()));
    Ok(())
}

/// Tells the hub when the task is gone, whatever ended it.
struct Driver {
    hub: Arc<Hub>,
    is_done: bool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.is_done {
            self.hub.is_left_alone();
        }
    }
}

async fn drive(hub: Arc<Hub>, engine: SessionEngine) {
    let mut driver = Driver { hub, is_done: false };
    let calls = Arc::new(Semaphore::new(CALLS));
    let mut tick = Instant::now() + jittered(interval(&engine, driver.hub.is_told()));
    let mut pass_at = tick;
    loop {
        let _ = timeout_at(pass_at, driver.hub.wake.notified()).await;
        let engine = engine.in_force();
        let (at, now) = (Instant::now(), engine.shared.time.now());
        let every = interval(&engine, driver.hub.is_told());
        // Where the store has stopped to tell, a long wait would be too long.
        tick = tick.min(at + every);
        let pass = if at >= tick {
            tick = at + jittered(every);
            Pass::All
        } else if at >= pass_at || driver.hub.has_learned() {
            Pass::Due
        } else {
            Pass::Asked
        };
        let Some(plan) = driver.hub.plan(&engine, pass, at, now) else {
            driver.is_done = true;
            return;
        };
        for batch in plan.due.chunks(BATCH) {
            driver.hub.look_begins();
            let look = Look { hub: Arc::clone(&driver.hub), batch: batch.to_vec() };
            tokio::spawn(look.at(engine.clone(), Arc::clone(&calls)));
        }
        pass_at = match pass {
            // Nothing was gone through: what was due then is due still.
            Pass::Asked => pass_at.min(tick),
            Pass::Due | Pass::All => plan.soonest.map_or(tick, |soonest| soonest.min(tick)),
        };
        if !plan.due.is_empty() {
            // A store that hangs answers nothing that would wake this task.
            pass_at = pass_at.min(at + engine.policy().socket().outage());
        }
    }
}

/// How often all sessions are looked at.
fn interval(engine: &SessionEngine, is_told: bool) -> Duration {
    let policy = engine.policy();
    let longest = policy.socket().check_every().unwrap_or(if is_told { LONGEST } else { PROMPT });
    let third = policy.idle_timeout().map_or(longest, |idle| idle / 3);
    longest.min(third).max(SHORTEST)
}

/// A little earlier, by chance, so that processes that were started together don't ask together.
fn jittered(every: Duration) -> Duration {
    every.mul_f64(rand::random_range(0.8..=1.0))
}

/// One call of the store for many watches.
struct Look {
    hub: Arc<Hub>,
    /// Those whose answer is waited for.
    batch: Vec<Arc<Watched>>,
}

/// What a look that had no answer learns, also where the store panicked or the runtime stops.
impl Drop for Look {
    fn drop(&mut self) {
        for watched in self.batch.drain(..) {
            watched.failed();
        }
        self.hub.look_is_done();
    }
}

impl Look {
    async fn at(mut self, engine: SessionEngine, calls: Arc<Semaphore>) {
        let Some(store) = engine.store() else { return };
        let Ok(_call) = calls.acquire().await else { return };
        let now = engine.shared.time.now();
        let ids: Vec<SessionId> = self.batch.iter().map(|watched| watched.id).collect();
        let mut answers = store.load_many(&ids, now).await.into_iter();
        let (mut active, mut failure) = (Vec::new(), None);
        for watched in self.batch.drain(..) {
            let answer = answers.next().unwrap_or(Err(StoreError::Unknown(None)));
            let answer = answer.map_err(|error| {
                failure.get_or_insert(error);
            });
            if let Some((record, seen)) = watched.learn(&engine, answer, now) {
                active.push((watched, record, seen));
            } else if watched.ending().is_some() {
                self.hub.near.ended(watched.id);
            }
        }
        if let Some(error) = failure {
            engine.store_failed(error);
        }
        for some in active.chunks(TOUCHES) {
            all(some.iter().map(|(watched, record, seen)| note(&engine, store, watched, record, *seen)))
                .await;
        }
    }
}

/// Notes an activity in the store. A failure only ever shortens idle.
async fn note(engine: &SessionEngine, store: &SharedStore, watched: &Watched, record: &Record, seen: Millis) {
    let record = Record { last_seen: seen, ..record.clone() };
    let expires = engine.shared.lifetimes.expires(&record);
    let touch = Touch { id: watched.id, owner: engine.owner_for(store, &record), seen, expires };
    if let Ok(Touched::Noted) = store.touch(touch).await {
        watched.adopt(&Arc::new(record));
    }
}
