//! One watch as the hub knows it: what is known of its session, whether that is being looked at, and how it ended.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use sessions_policy::SocketActivity;
use tokio::{sync::watch, time::Instant};

use super::SessionEnding;
use crate::{
    engine::SessionEngine,
    record::Record,
    store::{EndReason, Loaded, Millis},
    token::{Owner, SessionId},
};

/// How long a session that was looked at and is still as it was is left alone, where nothing else asks for it.
const REST: Duration = Duration::from_millis(20);
/// How long a look that failed is left alone.
const RETRY: Duration = Duration::from_millis(500);

/// One watch.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(super) id: SessionId,
    pub(super) owner: Option<Owner>,
    facts: Mutex<Facts>,
    /// The last activity that no touch has noted; 0 where there was none.
    seen: AtomicU64,
    ending: watch::Sender<Option<SessionEnding>>,
}

#[derive(Debug)]
struct Facts {
    record: Arc<Record>,
    /// Since when it is being looked at.
    looking: Option<Instant>,
    /// Since when the store doesn't answer.
    failing: Option<Instant>,
    /// Until then only a tick looks again.
    rests: Option<Instant>,
}

impl Facts {
    /// The store did not answer: that is so since the look began.
    fn fail(&mut self, at: Instant) {
        let began = self.looking.take();
        self.failing = self.failing.or(began).or(Some(at));
        self.rests = Some(at + RETRY);
    }
}

/// What the hub has to do for a watch, and when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// It has ended.
    Nothing,
    /// Look at it now.
    Look,
    /// Come back then.
    At(Instant),
}

impl Watched {
    pub(super) fn new(id: SessionId, owner: Option<Owner>, record: Arc<Record>) -> Self {
        let facts = Facts { record, looking: None, failing: None, rests: None };
        Self {
            id,
            owner,
            facts: Mutex::new(facts),
            seen: AtomicU64::new(0),
            ending: watch::Sender::new(None),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session as it was last seen.
    pub(super) fn record(&self) -> Arc<Record> {
        Arc::clone(&self.facts().record)
    }

    pub(super) fn ending(&self) -> Option<SessionEnding> {
        *self.ending.borrow()
    }

    /// Hears of the ending.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<SessionEnding>> {
        self.ending.subscribe()
    }

    /// Ends the watch. The first reason stays.
    pub(super) fn end(&self, ending: SessionEnding) {
        self.ending.send_if_modified(|held| {
            let is_first = held.is_none();
            held.get_or_insert(ending);
            is_first
        });
    }

    /// Keeps an activity, and tells whether it has to be noted in the store now.
    pub(super) fn saw(&self, engine: &SessionEngine, now: Millis) -> bool {
        self.seen.fetch_max(now, Relaxed);
        engine.shared.lifetimes.touch_is_due(&self.facts().record, now)
    }

    /// What has to be done for it, and takes note that it will be, if it is a look.
    pub(super) fn next(&self, engine: &SessionEngine, asked: bool, at: Instant, now: Millis) -> Next {
        if self.ending().is_some() {
            return Next::Nothing;
        }
        let (outage, lifetimes) = (engine.policy().socket().outage(), &engine.shared.lifetimes);
        let mut facts = self.facts();
        if facts.record.deadline.is_some_and(|end| end <= now) {
            // No one could have moved this end: there is nothing to ask.
            let over = lifetimes.over(&facts.record, now).map_or(SessionEnding::Expired, SessionEnding::by);
            drop(facts);
            self.end(over);
            return Next::Nothing;
        }
        let away = facts.failing.or(facts.looking).map(|since| since + outage);
        if away.is_some_and(|until| until <= at) {
            drop(facts);
            self.end(SessionEnding::StoreUnavailable);
            return Next::Nothing;
        }
        let expires = lifetimes.expires(&facts.record);
        let rests = facts.rests.filter(|until| *until > at);
        if facts.looking.is_none()
            && (asked || (rests.is_none() && (facts.failing.is_some() || expires <= now)))
        {
            facts.looking = Some(at);
            return Next::Look;
        }
        let expires = at + Duration::from_millis(expires.saturating_sub(now));
        let look = match facts.looking {
            Some(_) => None,
            None if facts.failing.is_some() => rests,
            None => Some(rests.map_or(expires, |rests| rests.max(expires))),
        };
        let hard = facts.record.deadline.map(|end| at + Duration::from_millis(end - now));
        match [look, away, hard].into_iter().flatten().min() {
            Some(soonest) => Next::At(soonest),
            None => Next::At(at + RETRY),
        }
    }

    /// Whether a look is under way that the hub has begun.
    pub(super) fn is_being_looked_at(&self) -> bool {
        self.facts().looking.is_some()
    }

    /// Takes over what the store says; where an activity has to be noted, the record and when it was.
    pub(super) fn learn(
        &self,
        engine: &SessionEngine,
        loaded: Result<Loaded, ()>,
        now: Millis,
    ) -> Option<(Arc<Record>, Millis)> {
        let at = Instant::now();
        let mut facts = self.facts();
        let Ok(loaded) = loaded else {
            facts.fail(at);
            return None;
        };
        facts.looking = None;
        facts.failing = None;
        facts.rests = Some(at + REST);
        match judge(engine, &facts.record, loaded, now) {
            Ok(record) => {
                facts.record = Arc::clone(&record);
                if engine.policy().socket().activity() == SocketActivity::Connected {
                    self.seen.fetch_max(now, Relaxed);
                }
                let seen = self.seen.load(Relaxed);
                (seen > record.last_seen && engine.shared.lifetimes.touch_is_due(&record, seen))
                    .then_some((record, seen))
            }
            Err(ending) => {
                drop(facts);
                self.end(ending);
                None
            }
        }
    }

    /// A look had no answer.
    pub(super) fn failed(&self) {
        self.facts().fail(Instant::now());
    }

    /// Takes over a record that this process has written or read.
    pub(super) fn adopt(&self, record: &Arc<Record>) {
        let mut facts = self.facts();
        let is_newer = facts.record.version.is_before(record.version)
            || (facts.record.version == record.version && facts.record.last_seen < record.last_seen);
        if is_newer {
            facts.record = Arc::clone(record);
        }
    }
}

/// What the store's answer means for a watch that knows `before`.
///
/// The secret that opened the socket is not compared: time may have changed it often since. What counts is whether a
/// change of privilege came in between.
pub(super) fn judge(
    engine: &SessionEngine,
    before: &Arc<Record>,
    loaded: Loaded,
    now: Millis,
) -> Result<Arc<Record>, SessionEnding> {
    let lifetimes = &engine.shared.lifetimes;
    let over = |record: &Record| lifetimes.over(record, now).map(SessionEnding::by);
    let stored = match loaded {
        Loaded::Live(stored) => stored,
        // The store knows that a lifetime ran out, and the record which.
        Loaded::Ended(EndReason::Expired) => return Err(over(before).unwrap_or(SessionEnding::Expired)),
        Loaded::Ended(reason) => return Err(SessionEnding::of(reason)),
        Loaded::Absent => return Err(over(before).unwrap_or(SessionEnding::Gone)),
    };
    let is_known = stored.version() == before.version && stored.last_seen <= before.last_seen;
    let record = if is_known {
        Arc::clone(before)
    } else {
        Record::decode(&stored, &engine.shared.name).ok_or(SessionEnding::Gone)?
    };
    if record.forward.is_some_and(|forward| forward.until == Millis::MAX) {
        // A logout that keeps data closes it like this, and it never opens again.
        return Err(SessionEnding::LoggedOut);
    }
    if record.has_other_privileges(before) {
        return Err(SessionEnding::Superseded);
    }
    match over(&record) {
        Some(ending) => Err(ending),
        // One that is moving is waited for: its login may yet be refused.
        None => Ok(record),
    }
}
