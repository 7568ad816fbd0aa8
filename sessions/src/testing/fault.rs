//! A store that disturbs another by chance: every fault that the contract allows, and none that it doesn't.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::conformance::dice::Dice;
use crate::{
    clock::millis,
    store::{
        Admit, Admitted, Bookmark, Cas, CasOutcome, End, Ended, Listed, Loaded, Millis, Owner, Scan,
        SessionId, SessionStore, StoreError, StoreStats, Touch, Touched,
    },
};

/// Disturbs a store by chance. Clones disturb together.
///
/// What a call meets depends on the seed and on how many calls came before it, and on nothing else: with one caller at a
/// time the same seed gives the same faults. A test that panics prints the seed.
///
/// - *Before*: the call fails with [`StoreError::Unavailable`] and is not applied.
/// - *After*: the call is applied, and fails with [`StoreError::Unknown`].
/// - *Delay*: the call takes a while.
/// - *Duplicate*: the call is applied twice in a row, as where a client sends again; the answer is that of the first.
/// - *Hold*: the call is held back until others that came later are done. If no one comes, it goes on after a while.
///
/// What is delayed or held back is applied even if its caller has given up, unless its deadline is over by then. It needs a
/// tokio runtime with time.
///
/// ```
/// use std::time::Duration;
/// use sessions::{MemoryStore, SessionStore, testing::FaultStore};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let store = FaultStore::new(MemoryStore::new(100), 7).before(0.2).after(0.2).delay(0.1, Duration::from_millis(5));
/// let mut failed = 0;
/// for _ in 0..100 {
///     failed += usize::from(store.stats().await.is_err());
/// }
/// assert_eq!(failed as u64, store.injected().before + store.injected().after);
/// assert_eq!(store.seed(), 7);
/// # });
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct FaultStore<S> {
    store: Arc<S>,
    rates: Rates,
    shared: Arc<Shared>,
}

/// Chances in 1 of 2^32.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    before: u64,
    after: u64,
    delay: u64,
    duplicate: u64,
    hold: u64,
    longest: Duration,
}

#[derive(Debug)]
struct Shared {
    seed: u64,
    calm: AtomicBool,
    calls: AtomicU64,
    /// How many calls are done that were not held back.
    done: watch::Sender<u64>,
    injected: [AtomicU64; 5],
}

/// How many faults a [`FaultStore`] has injected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Injected {
    /// Calls that failed and were not applied.
    pub before: u64,
    /// Calls that were applied and failed.
    pub after: u64,
    /// Calls that took a while.
    pub delayed: u64,
    /// Calls that were applied twice.
    pub duplicated: u64,
    /// Calls that were held back behind later ones.
    pub held: u64,
}

/// What one call meets.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    before: bool,
    after: bool,
    duplicate: bool,
    delay: Option<Duration>,
    /// Behind so many later calls, for at most so long.
    hold: Option<(u64, Duration)>,
}

/// When a write was called, until when it may be applied, and its answer if it comes too late.
type Deadline<T> = Option<(Millis, Millis, T)>;

impl<S> FaultStore<S> {
    /// Disturbs a store, not yet: every rate is 0 at first. What is held back or delayed waits at most 20 ms.
    pub fn new(store: S, seed: u64) -> Self {
        let shared = Shared {
            seed,
            calm: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            done: watch::Sender::new(0),
            injected: Default::default(),
        };
        let rates = Rates { longest: Duration::from_millis(20), ..Rates::default() };
        Self { store: Arc::new(store), rates, shared: Arc::new(shared) }
    }

    /// How often a call fails before it is applied: from 0.0, never, to 1.0, always.
    #[must_use]
    pub fn before(mut self, rate: f64) -> Self {
        self.rates.before = chance(rate);
        self
    }

    /// How often a call fails after it was applied.
    #[must_use]
    pub fn after(mut self, rate: f64) -> Self {
        self.rates.after = chance(rate);
        self
    }

    /// How often a call takes a while, and how long at most. The longest also bounds how long a call is held back.
    #[must_use]
    pub fn delay(mut self, rate: f64, longest: Duration) -> Self {
        (self.rates.delay, self.rates.longest) = (chance(rate), longest);
        self
    }

    /// How often a call is applied twice.
    #[must_use]
    pub fn duplicate(mut self, rate: f64) -> Self {
        self.rates.duplicate = chance(rate);
        self
    }

    /// How often a call is held back behind one to three later ones.
    #[must_use]
    pub fn hold(mut self, rate: f64) -> Self {
        self.rates.hold = chance(rate);
        self
    }

    /// From now on no call meets a fault, or calls do again: for the parts of a test that look at what came of it.
    pub fn set_calm(&self, calm: bool) {
        self.shared.calm.store(calm, Ordering::SeqCst);
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// The disturbed store, to call it without faults.
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// How many faults there were.
    pub fn injected(&self) -> Injected {
        let [before, after, delayed, duplicated, held] =
            [0, 1, 2, 3, 4].map(|kind: usize| self.shared.injected[kind].load(Ordering::SeqCst));
        Injected { before, after, delayed, duplicated, held }
    }

    /// Rolls what the next call meets.
    fn fate(&self) -> Fate {
        let call = self.shared.calls.fetch_add(1, Ordering::SeqCst);
        if self.shared.calm.load(Ordering::SeqCst) {
            return Fate::default();
        }
        // A generator a call: what a call meets is its own, whichever task gets to it first.
        let mut dice = Dice(self.shared.seed.wrapping_mul(0xa076_1d64_78bd_642f) ^ call);
        let longest = millis(self.rates.longest).max(1);
        let mut comes = |rate| dice.roll(1 << 32) < rate;
        let (before, after) = (comes(self.rates.before), comes(self.rates.after));
        let (duplicate, delay, hold) =
            (comes(self.rates.duplicate), comes(self.rates.delay), comes(self.rates.hold));
        let fate = Fate {
            before,
            after: after && !before,
            duplicate: duplicate && !before,
            delay: delay.then(|| Duration::from_millis(dice.roll(longest) + 1)),
            hold: hold.then(|| (dice.roll(3) + 1, self.rates.longest)),
        };
        let kinds = [fate.before, fate.after, fate.delay.is_some(), fate.duplicate, fate.hold.is_some()];
        for (count, _) in self.shared.injected.iter().zip(kinds).filter(|(_, comes)| *comes) {
            count.fetch_add(1, Ordering::SeqCst);
        }
        fate
    }
}

impl<S: SessionStore> FaultStore<S> {
    async fn call<T, F>(
        &self,
        deadline: Deadline<T>,
        operate: impl Fn(Arc<S>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (fate, begin) = (self.fate(), Instant::now());
        let (store, shared) = (Arc::clone(&self.store), Arc::clone(&self.shared));
        let (is_held, waits) = (fate.hold.is_some(), fate.hold.is_some() || fate.delay.is_some());
        let operation = async move {
            wait(&shared, fate).await;
            if fate.before {
                return Err(StoreError::Unavailable(Some("a fault: not applied".into())));
            }
            if let Some((now, deadline, late)) = deadline
                && now.saturating_add(millis(begin.elapsed())) > deadline
            {
                return Ok(late);
            }
            let answer = operate(Arc::clone(&store)).await;
            if fate.duplicate {
                drop(operate(store).await);
            }
            if !is_held {
                shared.done.send_modify(|done| *done += 1);
            }
            if fate.after { Err(StoreError::Unknown(Some("a fault: applied".into()))) } else { answer }
        };
        if !waits {
            return operation.await;
        }
        match tokio::spawn(operation).await {
            Ok(answer) => answer,
            Err(failed) => Err(StoreError::Unknown(Some(Box::new(failed)))),
        }
    }
}

async fn wait(shared: &Shared, fate: Fate) {
    if let Some(delay) = fate.delay {
        tokio::time::sleep(delay).await;
    }
    if let Some((later, longest)) = fate.hold {
        let mut done = shared.done.subscribe();
        let target = *done.borrow() + later;
        // If no one comes, it goes on alone.
        drop(tokio::time::timeout(longest, done.wait_for(|done| *done >= target)).await);
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
fn chance(rate: f64) -> u64 {
    (rate.clamp(0.0, 1.0) * f64::from(u32::MAX)).ceil() as u64 + u64::from(rate >= 1.0)
}

impl<S> Clone for FaultStore<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), rates: self.rates, shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug> fmt::Debug for FaultStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStore")
            .field("seed", &self.shared.seed)
            .field("injected", &self.injected())
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the faults were those of the seed {} after {} calls", self.seed, self.calls.get_mut());
        }
    }
}

impl<S: SessionStore> SessionStore for FaultStore<S> {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.call(None, move |store| async move { store.load(id, now).await }).await
    }

    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        let deadline = Some((write.now, write.deadline, CasOutcome::Late));
        self.call(deadline, move |store| {
            let write = write.clone();
            async move { store.cas(write).await }
        })
        .await
    }

    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.call(None, move |store| async move { store.touch(touch).await }).await
    }

    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        let deadline = Some((admit.now, admit.deadline, Admitted::Late));
        self.call(deadline, move |store| {
            let admit = admit.clone();
            async move { store.admit(admit).await }
        })
        .await
    }

    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.call(None, move |store| async move { store.end(end).await }).await
    }

    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.call(None, move |store| async move { store.list(owner, after, limit, now).await }).await
    }

    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.call(None, move |store| async move { store.sweep(now, limit).await }).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.call(None, |store| async move { store.stats().await }).await
    }

    async fn scan(&self, from: Option<&Bookmark>, limit: usize, now: Millis) -> Result<Scan, StoreError> {
        let from = from.cloned();
        let scan = move |store: Arc<S>| {
            let from = from.clone();
            async move { store.scan(from.as_ref(), limit, now).await }
        };
        self.call(None, scan).await
    }

    fn remembers_owners(&self) -> bool {
        self.store.remembers_owners()
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.store.shutdown().await
    }
}
