//! What gives a request the session to itself, and how it is given back.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::runtime::Handle;

use super::patience::Patience;
use crate::{
    engine::{SessionEngine, queue::Turn},
    record::{Lease, Record, Version},
    store::{CasOutcome, Loaded, Millis, SessionStore},
    token::SessionId,
};

/// How often a lease is given back in vain before it is left to run out.
const TRIES: u32 = 8;

/// What gives a request the session to itself. It is given back when the last that knows it lets go: at the end of the
/// commit, or because the request was dropped or has panicked.
pub(crate) struct Hold {
    claim: Claim,
    turn: Option<Turn>,
    /// The store may have the lease.
    stored: AtomicBool,
    /// The next write is the last of the request, and takes the lease away.
    ending: AtomicBool,
}

/// A lease by its holder's name.
#[derive(Clone)]
struct Claim {
    engine: SessionEngine,
    id: SessionId,
    holder: [u8; 16],
    /// The version that the lease was to be written over, while it isn't known whether it was.
    unsure: Option<Version>,
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("stored", &self.stored).finish_non_exhaustive()
    }
}

impl Hold {
    /// A hold whose lease is about to be written over this version: until its fate is known, whatever drops it makes sure
    /// that no lease is left.
    pub(super) fn claiming(engine: SessionEngine, id: SessionId, over: Version, turn: Turn) -> Self {
        let claim = Claim { engine, id, holder: rand::random(), unsure: Some(over) };
        Self { claim, turn: Some(turn), stored: AtomicBool::new(true), ending: AtomicBool::new(false) }
    }

    /// The lease was written.
    pub(super) fn has_begun(mut self) -> Arc<Self> {
        self.claim.unsure = None;
        Arc::new(self)
    }

    /// The lease was certainly not written: the turn in the line stays.
    pub(super) fn has_missed(mut self) -> Option<Turn> {
        self.has_ended();
        self.turn.take()
    }

    /// Takes the lease away, from this record or a newer one.
    pub(super) async fn give_back(&self, record: Arc<Record>) {
        if self.is_stored() && self.claim.free(Some(record)).await {
            self.has_ended();
        }
    }

    /// The lease after a write: as long again, or none if it is the request's last.
    pub(in crate::engine) fn goes_on(&self, now: Millis) -> Option<Box<Lease>> {
        let lease = self.claim.engine.shared.turns.as_ref()?.lease;
        let holder = self.claim.holder;
        (!self.ending.load(SeqCst)).then(|| Box::new(Lease { holder, until: now.saturating_add(lease) }))
    }

    /// Whether a newer record is still this request's to change. After its last write only while no one has followed: an
    /// update that the handler left running takes no one's lease away.
    pub(in crate::engine) fn allows(&self, record: &Record) -> bool {
        if self.is_stored() { record.is_leased_to(&self.claim.holder) } else { record.lease.is_none() }
    }

    pub(in crate::engine) fn comes_to_its_end(&self) {
        self.ending.store(true, SeqCst);
    }

    /// A write of the request is stored.
    pub(in crate::engine) fn was_written(&self) {
        if self.ending.load(SeqCst) {
            self.has_ended();
        }
    }

    /// The store has no lease any more.
    pub(in crate::engine) fn has_ended(&self) {
        self.stored.store(false, SeqCst);
    }

    fn is_stored(&self) -> bool {
        self.stored.load(SeqCst)
    }
}

/// A request that is dropped, or panics, gives the session back. Without a runtime, the lease runs out.
impl Drop for Hold {
    fn drop(&mut self) {
        if self.is_stored() && Handle::try_current().is_ok() {
            let (claim, turn) = (self.claim.clone(), self.turn.take());
            let family = Arc::clone(&claim.engine.shared.family);
            family.go_on(async move {
                claim.free(None).await;
                // Who is next in line meets no lease.
                drop(turn);
            });
        }
    }
}

impl Claim {
    /// Takes the lease out of the record, if it is there; false if the store would not say so.
    async fn free(&self, mut known: Option<Arc<Record>>) -> bool {
        let engine = &self.engine;
        let Some(store) = &engine.shared.store else { return true };
        let mut patience = Patience::of(Duration::from_secs(1));
        for _ in 0..TRIES {
            let now = engine.shared.time.now();
            let current = match known.take() {
                Some(record) => record,
                None => match store.load(self.id, now).await {
                    Ok(Loaded::Live(stored)) => match engine.decode(&stored) {
                        Some(record) => record,
                        None => return true,
                    },
                    Ok(_) => return true,
                    Err(_) if patience.pause().await => continue,
                    Err(_) => return false,
                },
            };
            if !current.is_leased_to(&self.holder) && self.unsure != Some(current.version) {
                return true;
            }
            let next = Record { version: current.version.next(), lease: None, ..(*current).clone() };
            match store.cas(engine.cas_of(self.id, current.version, &next, now)).await {
                Ok(CasOutcome::Stored | CasOutcome::Gone(_)) => return true,
                Ok(CasOutcome::Conflict(stored)) => known = engine.decode(&stored),
                _ if patience.pause().await => {}
                _ => return false,
            }
        }
        false
    }
}
