//! The store under test with what the cases say to it, and how they complain.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

pub(super) use crate::store::calls::{HOUR, change, creation, login, record, stamp, version};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Limit, Listed, Loaded,
    Millis, Owner, SessionId, SessionStore, StoreError, StoreStats, Stored, Touch, Touched,
};

/// When the cases take place: in January 2026.
pub(super) const NOW: Millis = 1_767_225_600_000;

/// The store that a case is about, and the promise that the case is named after. Clones are the same.
#[derive(Debug)]
pub struct Kit<S> {
    promise: &'static str,
    /// What a complaint adds: how to see it again.
    note: Arc<str>,
    hands: Arc<[S]>,
    calls: Arc<AtomicUsize>,
}

impl<S> Clone for Kit<S> {
    fn clone(&self) -> Self {
        Self {
            promise: self.promise,
            note: Arc::clone(&self.note),
            hands: Arc::clone(&self.hands),
            calls: Arc::clone(&self.calls),
        }
    }
}

impl<S: SessionStore> Kit<S> {
    /// A fresh store for the case of this name.
    pub fn new(store: S, promise: &'static str) -> Self {
        Self::of_handles(vec![store], promise)
    }

    /// Several handles on the data of one fresh store: they take turns, call by call.
    ///
    /// # Panics
    /// If there are none.
    pub fn of_handles(handles: Vec<S>, promise: &'static str) -> Self {
        assert!(!handles.is_empty(), "a case needs a store");
        Self { promise, note: "".into(), hands: handles.into(), calls: Arc::default() }
    }

    /// The same, with something that every complaint adds.
    pub(super) fn noting(self, note: String) -> Self {
        Self { note: note.into(), ..self }
    }

    /// The same case after the store was shut down, dropped and opened again.
    pub(super) async fn restarted(self, reopen: impl AsyncFn() -> S) -> Self {
        let promise = self.promise;
        for store in &*self.hands {
            self.answer("shutdown", store.shutdown()).await;
        }
        drop(self);
        Self::new(reopen().await, promise)
    }

    /// The handle whose turn it is.
    pub(super) fn hand(&self) -> &S {
        &self.hands[self.calls.fetch_add(1, Ordering::Relaxed) % self.hands.len()]
    }

    /// Complains unless something is so.
    #[track_caller]
    pub(super) fn holds(&self, clause: &str, is_so: bool, seen: impl fmt::Display) {
        assert!(
            is_so,
            "the store breaks the promise `{}`\n  contract: {clause}\n      seen: {seen}{}",
            self.promise, self.note
        );
    }

    /// Complains unless an answer is the one that the contract asks for.
    #[allow(clippy::needless_pass_by_value, reason = "each case would have to borrow what it has just made")]
    #[track_caller]
    pub(super) fn same<T: PartialEq + fmt::Debug>(&self, clause: &str, what: &str, got: T, due: T) {
        self.holds(clause, got == due, format_args!("{what}: {got:?}, not {due:?}"));
    }

    async fn answer<T>(&self, call: &str, future: impl Future<Output = Result<T, StoreError>>) -> T {
        match future.await {
            Ok(answer) => answer,
            Err(error) => {
                let cause = std::error::Error::source(&error).map_or_else(String::new, |e| format!(": {e}"));
                let failed = format!("`{call}` failed, though nothing was wrong: {error}{cause}");
                self.holds(super::clause::FOUR, false, failed);
                unreachable!("it has complained")
            }
        }
    }

    pub(super) async fn load(&self, id: SessionId, now: Millis) -> Loaded {
        self.answer("load", self.hand().load(id, now)).await
    }

    pub(super) async fn look(&self, id: SessionId, now: Millis) -> Look {
        Look::from(self.load(id, now).await)
    }

    pub(super) async fn cas(&self, mut write: Cas) -> Wrote {
        write.owner = self.told(write.owner);
        let answer = self.answer("cas", self.hand().cas(write)).await;
        match answer {
            CasOutcome::Stored => Wrote::Stored,
            CasOutcome::Conflict(stored) => Wrote::Conflict(stored.version().as_u64(), stored.last_seen),
            CasOutcome::Gone(reason) => Wrote::Gone(reason),
            CasOutcome::Late => Wrote::Late,
            CasOutcome::Full => Wrote::Full,
        }
    }

    /// The record that a refused write shows.
    pub(super) async fn conflicting(&self, write: Cas) -> Option<Stored> {
        match self.answer("cas", self.hand().cas(write)).await {
            CasOutcome::Conflict(stored) => Some(stored),
            _ => None,
        }
    }

    pub(super) async fn touch(&self, mut touch: Touch) -> Touched {
        touch.owner = self.told(touch.owner);
        self.answer("touch", self.hand().touch(touch)).await
    }

    pub(super) async fn admit(&self, admit: Admit) -> Admitted {
        self.answer("admit", self.hand().admit(admit)).await
    }

    /// The ids that an end answers, in order: the contract gives them none.
    pub(super) async fn end(&self, end: End) -> Vec<SessionId> {
        let mut ids = self.answer("end", self.hand().end(end)).await.ids;
        ids.sort_unstable();
        ids
    }

    pub(super) async fn listed(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Vec<Listed> {
        self.answer("list", self.hand().list(owner, after, limit, now)).await
    }

    pub(super) async fn ids_of(&self, owner: Owner, now: Millis) -> Vec<SessionId> {
        self.listed(owner, None, 10_000, now).await.iter().map(|listed| listed.id).collect()
    }

    pub(super) async fn sweep(&self, now: Millis, limit: usize) -> usize {
        self.answer("sweep", self.hand().sweep(now, limit)).await
    }

    /// Sweeps until there is nothing left to free.
    pub(super) async fn sweep_all(&self, now: Millis) {
        while self.sweep(now, 1_000).await > 0 {}
    }

    pub(super) async fn stats(&self) -> StoreStats {
        self.answer("stats", self.hand().stats()).await
    }

    pub(super) async fn shutdown(&self) {
        for store in &*self.hands {
            self.answer("shutdown", store.shutdown()).await;
        }
    }

    /// What the engine tells a store of an owner.
    fn told(&self, owner: Option<Owner>) -> Option<Owner> {
        if self.hands[0].remembers_owners() { None } else { owner }
    }
}

/// The steps that the cases are made of, where they have to go well.
impl<S: SessionStore> Kit<S> {
    pub(super) async fn create(&self, id: SessionId, now: Millis) {
        let outcome = self.cas(creation(id, now)).await;
        self.same(super::clause::CREATION, "a creation under a new id", outcome, Wrote::Stored);
    }

    pub(super) async fn log_in(&self, id: SessionId, owner: Owner, now: Millis) {
        let admitted = self.admit(login(id, owner, now)).await;
        self.same(super::clause::ADMIT, "a login without a limit", admitted, stored([]));
    }

    pub(super) async fn is_live(&self, id: SessionId, now: Millis) -> bool {
        matches!(self.look(id, now).await, Look::Live(..))
    }

    pub(super) async fn end_one(&self, id: SessionId, reason: EndReason, now: Millis) -> Vec<SessionId> {
        self.end_of(id, None, reason, now).await
    }

    pub(super) async fn end_of(
        &self,
        id: SessionId,
        owner: Option<Owner>,
        reason: EndReason,
        now: Millis,
    ) -> Vec<SessionId> {
        self.end(End { target: EndTarget::Session { id, owner }, reason, now, stamp: stamp(now) }).await
    }

    pub(super) async fn end_all(
        &self,
        owner: Owner,
        except: Option<SessionId>,
        now: Millis,
    ) -> Vec<SessionId> {
        let target = EndTarget::Owner { owner, except };
        self.end(End { target, reason: EndReason::Revoked, now, stamp: stamp(now) }).await
    }
}

/// What [`SessionStore::load`] found, to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Version and last seen.
    Live(u64, Millis),
    Ended(EndReason),
    Absent,
}

impl Look {
    /// Whether this is how a session looks that has expired.
    pub(super) fn is_expired(self) -> bool {
        matches!(self, Self::Ended(EndReason::Expired) | Self::Absent)
    }
}

impl From<Loaded> for Look {
    fn from(loaded: Loaded) -> Self {
        match loaded {
            Loaded::Live(stored) => Self::Live(stored.version().as_u64(), stored.last_seen),
            Loaded::Ended(reason) => Self::Ended(reason),
            Loaded::Absent => Self::Absent,
        }
    }
}

/// What a [`Cas`] came to, to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    Stored,
    /// Version and last seen of what is stored.
    Conflict(u64, Millis),
    Gone(Option<EndReason>),
    Late,
    Full,
}

impl Wrote {
    /// Whether this is how a write finds a session that has expired.
    pub(super) fn is_expired(self) -> bool {
        matches!(self, Self::Gone(Some(EndReason::Expired) | None))
    }
}

pub(super) fn owner(number: usize) -> Owner {
    Owner::of("conformance", "user", &number.to_string())
}

/// The first owner, whom most cases are about.
pub(super) fn ada() -> Owner {
    owner(1)
}

/// Different for each: two owners may share a bucket.
fn sid(whose: &str, number: usize) -> [u8; 16] {
    // The digest of an owner is as good a sid as any: ids in a row would be a gift to a store that sorts them.
    let mut sid = [0; 16];
    sid.copy_from_slice(&Owner::of("sid", whose, &number.to_string()).as_bytes()[..16]);
    sid
}

/// The id of an anonymous session.
pub(super) fn anonymous(number: usize) -> SessionId {
    SessionId::new(u16::try_from(number % 16_384).unwrap_or_default(), sid("", number))
}

/// The id of an owner's session.
pub(super) fn of(owner: Owner, number: usize) -> SessionId {
    SessionId::new(owner.bucket(), sid(&format!("{owner:?}"), number))
}

/// The ids of some sessions of [`ada`].
pub(super) fn adas<const N: usize>(numbers: [usize; N]) -> Vec<SessionId> {
    numbers.map(|number| of(ada(), number)).to_vec()
}

pub(super) fn sorted(mut ids: Vec<SessionId>) -> Vec<SessionId> {
    ids.sort_unstable();
    ids
}

/// A login of [`ada`] within a limit.
pub(super) fn limited(number: usize, max: u32, behavior: BehaviorOnLimit, now: Millis) -> Admit {
    Admit { limit: Some(Limit { max, behavior }), ..login(of(ada(), number), ada(), now) }
}

pub(super) fn seen(id: SessionId, owner: Option<Owner>, at: Millis, expires: Millis) -> Touch {
    Touch { id, owner, seen: at, expires }
}

pub(super) fn stored<const N: usize>(evicted: [SessionId; N]) -> Admitted {
    Admitted::Stored { evicted: evicted.to_vec() }
}
