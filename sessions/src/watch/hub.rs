//! The watches of one policy in this process, by session: who registers, who is told of an ending, who is due for a look.
//! Looking itself is not done here.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{sync::Notify, time::Instant};

use super::{
    SessionEnding, look,
    watched::{Next, Watched},
};
use crate::{
    engine::SessionEngine,
    fault::{Fault, SessionError},
    near::Near,
    record::{Record, Version},
    store::{Endings, Millis, SessionStore},
    token::{Owner, SessionId},
};

/// The watches of one policy. It stays over a reload.
#[derive(Default)]
pub(crate) struct Hub {
    /// How many watches there are: all that an ending looks at where there is none.
    open: AtomicUsize,
    watches: Mutex<Watches>,
    /// Something has to be looked at now.
    pub(super) wake: Notify,
    /// The last watch has gone.
    emptied: Notify,
    /// The store tells of endings by itself.
    told: AtomicBool,
    /// How many looks are under way.
    looks: AtomicUsize,
    /// All looks that were under way are done: what they learned changes what is due.
    learned: AtomicBool,
    /// The store was asked to tell of endings.
    asked_store: AtomicBool,
    /// Copies of sessions, which hear of endings as watches do.
    pub(crate) near: Near,
}

#[derive(Default)]
struct Watches {
    by_id: HashMap<SessionId, Vec<Arc<Watched>>>,
    asked: Vec<Arc<Watched>>,
    /// The process is about to stop: no watch begins any more.
    closing: bool,
    /// A task looks at them.
    driven: bool,
}

/// What is due.
pub(super) struct Plan {
    pub(super) due: Vec<Arc<Watched>>,
    /// When something is due next, if nothing happens.
    pub(super) soonest: Option<Instant>,
}

impl Hub {
    fn held(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_any(&self) -> bool {
        self.open.load(SeqCst) > 0
    }

    /// Begins a watch. From here on it hears of every ending in this process.
    pub(super) fn register(
        self: &Arc<Self>,
        engine: &SessionEngine,
        (id, owner): (SessionId, Option<Owner>),
        record: Arc<Record>,
    ) -> Result<Arc<Watched>, SessionError> {
        let most = engine.policy().socket().max_per_session();
        let watched = Arc::new(Watched::new(id, owner, record));
        {
            let mut held = self.held();
            if held.closing {
                return Err(SessionError::new(Fault::StoreUnavailable, "the process is about to stop"));
            }
            if !held.driven {
                look::start(self, engine)?;
                held.driven = true;
            }
            let others = held.by_id.entry(id).or_default();
            if others.iter().filter(|other| other.ending().is_none()).count() >= most {
                let detail =
                    format!("the session has {most} sockets here, and `socket.max_per_session` is {most}");
                return Err(SessionError::new(Fault::ConcurrencyViolation, detail));
            }
            others.push(Arc::clone(&watched));
            self.open.fetch_add(1, SeqCst);
        }
        self.listen(engine);
        Ok(watched)
    }

    /// Asks the store to tell of endings, once.
    pub(crate) fn listen(self: &Arc<Self>, engine: &SessionEngine) {
        if !self.asked_store.load(SeqCst)
            && !self.asked_store.swap(true, SeqCst)
            && let Some(store) = engine.store()
        {
            // Said before, so that a store that loses its connection meanwhile has the last word.
            self.told.store(true, SeqCst);
            if !store.tell_endings(Endings::new(Arc::downgrade(self))) {
                self.told.store(false, SeqCst);
            }
        }
    }

    /// Ends a watch whose socket is gone.
    pub(super) fn leave(&self, watched: &Arc<Watched>) {
        let mut held = self.held();
        let Some(others) = held.by_id.get_mut(&watched.id) else { return };
        let before = others.len();
        others.retain(|other| !Arc::ptr_eq(other, watched));
        let left = before - others.len();
        if others.is_empty() {
            held.by_id.remove(&watched.id);
        }
        let are_gone = self.open.fetch_sub(left, SeqCst) == left;
        drop(held);
        if are_gone {
            self.emptied.notify_waiters();
            self.wake.notify_one();
        }
    }

    /// Ends the watches of sessions that have ended in this process.
    pub(crate) fn end(&self, ids: &[SessionId], ending: SessionEnding) {
        for id in ids {
            self.near.ended(*id);
        }
        if self.has_any() {
            let held = self.held();
            let ended = ids.iter().filter_map(|id| held.by_id.get(id)).flatten();
            ended.for_each(|watched| watched.end(ending));
        }
    }

    /// Looks at a session that may have ended.
    pub(crate) fn look_at(&self, id: SessionId) {
        self.near.ended(id);
        if self.has_any() {
            let mut held = self.held();
            let asked = held.by_id.get(&id).cloned().unwrap_or_default();
            held.asked.extend(asked);
            drop(held);
            self.wake.notify_one();
        }
    }

    /// Looks at a session of which a record of this version was written, unless that is known.
    pub(crate) fn hear_of(&self, id: SessionId, version: Version) {
        self.near.written(id, version);
        if self.has_any() {
            let mut held = self.held();
            let watches = held.by_id.get(&id).into_iter().flatten();
            let asked: Vec<_> =
                watches.filter(|watched| watched.record().version != version).cloned().collect();
            held.asked.extend(asked);
            drop(held);
            self.wake.notify_one();
        }
    }

    /// Looks at the sessions of a principal, of which some may have ended.
    pub(crate) fn look_at_those_of(&self, owner: Owner) {
        self.near.forget_all();
        if self.has_any() {
            let mut held = self.held();
            let all = held.by_id.values().flatten();
            let asked: Vec<_> = all.filter(|watched| watched.owner == Some(owner)).cloned().collect();
            held.asked.extend(asked);
            drop(held);
            self.wake.notify_one();
        }
    }

    /// Whether the store tells of endings from now on. What was told before, or missed, is looked for.
    pub(crate) fn set_told(&self, told: bool) {
        self.near.has_gap();
        self.told.store(told, SeqCst);
        let mut held = self.held();
        let all: Vec<_> = held.by_id.values().flatten().cloned().collect();
        held.asked.extend(all);
        drop(held);
        self.wake.notify_one();
    }

    pub(super) fn is_told(&self) -> bool {
        self.told.load(SeqCst)
    }

    /// Ends all watches, and begins none any more.
    pub(crate) fn close(&self) {
        let mut held = self.held();
        held.closing = true;
        held.by_id.values().flatten().for_each(|watched| watched.end(SessionEnding::ShuttingDown));
    }

    /// Waits until no watch is left.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if !self.has_any() {
                return;
            }
            emptied.await;
        }
    }

    /// How many watches there are.
    pub(crate) fn count(&self) -> usize {
        self.open.load(SeqCst)
    }

    /// What was asked for; and if `all` are to be gone through, what time has made due. `None` where no watch is left: then
    /// no task looks any more.
    pub(super) fn plan(&self, engine: &SessionEngine, pass: Pass, at: Instant, now: Millis) -> Option<Plan> {
        let mut held = self.held();
        if held.by_id.is_empty() {
            held.driven = false;
            held.asked.clear();
            return None;
        }
        let mut plan = Plan { due: Vec::new(), soonest: None };
        for watched in std::mem::take(&mut held.asked) {
            if watched.is_being_looked_at() {
                // What it is about may have come after the store was asked: once more.
                held.asked.push(watched);
            } else if let Next::Look = watched.next(engine, true, at, now) {
                plan.due.push(watched);
            }
        }
        if pass != Pass::Asked {
            for watched in held.by_id.values().flatten() {
                match watched.next(engine, pass == Pass::All, at, now) {
                    Next::Nothing => {}
                    Next::Look => plan.due.push(Arc::clone(watched)),
                    Next::At(then) => {
                        plan.soonest = Some(plan.soonest.map_or(then, |soonest| soonest.min(then)));
                    }
                }
            }
        }
        Some(plan)
    }

    pub(super) fn look_begins(&self) {
        self.looks.fetch_add(1, SeqCst);
    }

    pub(super) fn look_is_done(&self) {
        if self.looks.fetch_sub(1, SeqCst) == 1 {
            self.learned.store(true, SeqCst);
        }
        self.wake.notify_one();
    }

    /// Whether something was learned since it was asked last.
    pub(super) fn has_learned(&self) -> bool {
        self.learned.swap(false, SeqCst)
    }

    /// The task that looked is gone.
    pub(super) fn is_left_alone(&self) {
        let mut held = self.held();
        held.driven = false;
        // Without it no one would hear of an ending elsewhere.
        held.by_id.values().flatten().for_each(|watched| watched.end(SessionEnding::ShuttingDown));
    }

    /// Asks for one watch.
    pub(super) fn ask(&self, watched: &Arc<Watched>) {
        self.held().asked.push(Arc::clone(watched));
        self.wake.notify_one();
    }
}

/// How much of the watches is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Those that were asked for.
    Asked,
    /// Those that time has made due, too.
    Due,
    /// All are due.
    All,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("open", &self.count()).finish_non_exhaustive()
    }
}
