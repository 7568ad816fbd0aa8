//! What the memory store promises, by topic: the contract, and what is its own. Time is an argument here too: no test waits.

mod concurrency;
mod conformance;
mod limits;
mod records;
mod space;
mod whole;

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::*;
use crate::store::calls::{HOUR, change, creation, login, stamp};
use crate::store::{EndReason, Limit};

/// A late enough beginning that subtracting from it is safe.
const NOW: Millis = 1_000_000_000;

/// The answer of a future that has it at once, as those of this store do.
fn at_once<T>(future: impl Future<Output = Result<T, StoreError>>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("the memory store never waits"),
    }
}

fn owner(number: usize) -> Owner {
    Owner::of("test", "user", &number.to_string())
}

fn sid(number: usize) -> [u8; 16] {
    (number as u128).to_be_bytes()
}

fn anonymous(number: usize) -> SessionId {
    SessionId::new(u16::try_from(number % 16_384).unwrap(), sid(number))
}

fn of(owner: Owner, number: usize) -> SessionId {
    SessionId::new(owner.bucket(), sid(1_000_000_000 + number))
}

impl MemoryStore {
    fn write(&self, write: Cas) -> CasOutcome {
        at_once(self.cas(write))
    }

    fn create(&self, id: SessionId, now: Millis) {
        let outcome = self.write(creation(id, now));
        assert!(matches!(outcome, CasOutcome::Stored), "{outcome:?}");
    }

    fn log_in(&self, id: SessionId, owner: Owner, now: Millis) -> Vec<SessionId> {
        match at_once(self.admit(login(id, owner, now))) {
            Admitted::Stored { evicted } => evicted,
            other => panic!("{other:?}"),
        }
    }

    fn look(&self, id: SessionId, now: Millis) -> Look {
        match at_once(self.load(id, now)) {
            Loaded::Live(stored) => Look::Live(stored.version().as_u64(), stored.last_seen),
            Loaded::Ended(reason) => Look::Ended(reason),
            Loaded::Absent => Look::Absent,
        }
    }

    fn is_live(&self, id: SessionId, now: Millis) -> bool {
        matches!(self.look(id, now), Look::Live(..))
    }

    fn end_one(&self, id: SessionId, reason: EndReason, now: Millis) -> Vec<SessionId> {
        let target = EndTarget::Session { id, owner: None };
        at_once(SessionStore::end(self, End { target, reason, now, stamp: stamp(now) })).ids
    }

    fn end_all(&self, owner: Owner, except: Option<SessionId>, now: Millis) -> Vec<SessionId> {
        let target = EndTarget::Owner { owner, except };
        let end = End { target, reason: EndReason::Revoked, now, stamp: stamp(now) };
        at_once(SessionStore::end(self, end)).ids
    }

    fn ids_of(&self, owner: Owner, now: Millis) -> Vec<SessionId> {
        at_once(self.list(owner, None, usize::MAX, now)).iter().map(|listed| listed.id).collect()
    }

    fn counts(&self) -> StoreStats {
        at_once(self.stats())
    }
}

/// What [`SessionStore::load`] found, to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Version and last seen.
    Live(u64, Millis),
    Ended(EndReason),
    Absent,
}
