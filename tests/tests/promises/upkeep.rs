//! What a registry does for its stores by itself: it frees what has expired, and closes them at the end.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sessions::{
    MemoryStore, SessionId, SessionStore, StoreError,
    store::{
        Admit, Admitted, Cas, CasOutcome, End, Ended, Expected, Listed, Loaded, Millis, Owner, StoreStats,
        Touch, Touched,
    },
    testing::ManualClock,
};
use tokio::time::Instant;

sessions::policies! {
    web: { extends: "user_default" },
}

type Registry = policies::Registry;

const FILE: &str = "[stores.main]\nkind = 'custom'\n[stores.second]\nkind = 'custom'\n";
const MINUTE: Duration = Duration::from_secs(60);

/// How a store behaves.
const WELL: u8 = 0;
const DOWN: u8 = 1;
const PANICKING: u8 = 2;
const HANGING: u8 = 3;

/// A memory store that keeps a list of its sweeps, and fails in every way.
#[derive(Clone, Debug)]
struct Watched {
    store: MemoryStore,
    behaves: Arc<AtomicU8>,
    sweeps: Arc<Mutex<Vec<(Instant, usize)>>>,
    closed: Arc<AtomicUsize>,
}

impl Watched {
    fn new() -> Self {
        let (behaves, sweeps, closed) = Default::default();
        Self { store: MemoryStore::new(1_000_000), behaves, sweeps, closed }
    }

    fn set(&self, behaves: u8) {
        self.behaves.store(behaves, Ordering::SeqCst);
    }

    async fn behave(&self) -> Result<(), StoreError> {
        match self.behaves.load(Ordering::SeqCst) {
            DOWN => Err(StoreError::Unavailable(Some("the disk is gone".into()))),
            PANICKING => panic!("on purpose"),
            HANGING => std::future::pending().await,
            _ => Ok(()),
        }
    }

    /// The sweeps since the last look: when, and how many entries could have been freed.
    fn take_sweeps(&self) -> Vec<(Instant, usize)> {
        std::mem::take(&mut self.sweeps.lock().unwrap())
    }

    fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }

    async fn create(&self, number: u16, clock: &ManualClock) {
        let now = sessions::Clock::now(clock);
        let id = SessionId::new(number, [1; 16]);
        let record = [[0, 0, 0, 0, 0, 0, 0, 1], now.to_be_bytes()].concat().into();
        let (expires, deadline) = (now + 1_000, now + 1_000);
        let write = Cas {
            id,
            owner: None,
            expected: Expected::Absent,
            announced: false,
            record,
            expires,
            now,
            deadline,
        };
        assert!(matches!(self.store.cas(write).await.unwrap(), CasOutcome::Stored));
    }

    async fn count(&self) -> u64 {
        self.store.stats().await.unwrap().sessions
    }
}

impl SessionStore for Watched {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.store.load(id, now).await
    }
    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.store.cas(write).await
    }
    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.store.touch(touch).await
    }
    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.store.admit(admit).await
    }
    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        self.store.end(end).await
    }
    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.store.list(owner, after, limit, now).await
    }
    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.sweeps.lock().unwrap().push((Instant::now(), limit));
        self.behave().await?;
        self.store.sweep(now, limit).await
    }
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.store.stats().await
    }
    async fn shutdown(&self) -> Result<(), StoreError> {
        self.closed.fetch_add(1, Ordering::SeqCst);
        self.behave().await
    }
}

async fn registry(clock: &ManualClock) -> (Registry, Watched, Watched) {
    let (first, second) = (Watched::new(), Watched::new());
    let builder = Registry::builder().store("main", first.clone()).store("second", second.clone());
    let registry = builder.clock(clock.shared()).with_settings(Some(FILE), []).load().await.unwrap();
    (registry, first, second)
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_freed_within_a_minute_in_bounded_batches() {
    let clock = ManualClock::default();
    let (_registry, first, second) = registry(&clock).await;
    for number in 0..1_000 {
        first.create(number, &clock).await;
    }
    first.create(5_000, &clock).await;
    clock.advance(Duration::from_millis(999));
    tokio::time::sleep(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(first.count().await, 1_001, "nothing has expired");
    first.take_sweeps();
    clock.advance(Duration::from_millis(1));
    tokio::time::sleep(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(first.count().await, 0);
    let sweeps = first.take_sweeps();
    assert!(sweeps.len() >= 4 && sweeps.iter().all(|(_, limit)| *limit <= 256), "{sweeps:?}");
    let pauses: Vec<_> = sweeps.windows(2).take(3).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(pauses.iter().all(|pause| *pause >= Duration::from_millis(5)), "{pauses:?}");
    assert!(!second.take_sweeps().is_empty(), "each store has its turn");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_left_alone_for_longer_and_longer_and_told_once() {
    let log = log::Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let clock = ManualClock::default();
    let (_registry, first, second) = registry(&clock).await;
    first.create(1, &clock).await;
    clock.advance(MINUTE);
    for behaves in [DOWN, PANICKING, HANGING] {
        log.take();
        first.take_sweeps();
        second.take_sweeps();
        first.set(behaves);
        tokio::time::sleep(MINUTE * 60).await;
        let (failed, well) = (first.take_sweeps().len(), second.take_sweeps().len());
        assert!((4..=10).contains(&failed), "{behaves}: {failed} tries in an hour");
        assert!(well >= 55, "{behaves}: the other store was swept {well} times");
        assert_eq!(log.take(), ["WARN"], "{behaves}");
        first.set(WELL);
        tokio::time::sleep(MINUTE * 20).await;
        assert_eq!(log.take(), ["INFO"], "{behaves}");
        assert!(first.take_sweeps().len() >= 4, "{behaves}: as before");
    }
    assert_eq!(first.count().await, 0);
}

#[tokio::test(start_paused = true)]
async fn sweeping_follows_a_reload_and_ends_with_the_registry() {
    let clock = ManualClock::default();
    let (registry, first, _) = registry(&clock).await;
    registry.reload_with(Some(&format!("{FILE}timeout = '1s'\n")), []).unwrap();
    tokio::time::sleep(MINUTE).await;
    assert!(!first.take_sweeps().is_empty());
    let clone = registry.clone();
    drop(registry);
    tokio::time::sleep(MINUTE).await;
    assert!(!first.take_sweeps().is_empty(), "a clone is the registry too");
    drop(clone);
    let held = Arc::strong_count(&first.closed);
    tokio::time::sleep(MINUTE * 5).await;
    assert!(first.take_sweeps().is_empty());
    assert!(held <= 2 && Arc::strong_count(&first.closed) == 1, "the store is let go");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_the_sweeping_and_closes_every_store_whatever_another_does() {
    for behaves in [WELL, DOWN, PANICKING, HANGING] {
        let clock = ManualClock::default();
        let (registry, first, second) = registry(&clock).await;
        first.set(behaves);
        let began = Instant::now();
        let outcome = registry.shutdown().await;
        assert_eq!(outcome.is_ok(), behaves == WELL);
        assert!(began.elapsed() <= Duration::from_secs(3), "no longer than a store may take");
        assert_eq!((first.closed(), second.closed()), (1, 1), "{behaves}");
        tokio::time::sleep(MINUTE * 5).await;
        assert!(first.take_sweeps().is_empty() && second.take_sweeps().is_empty());
    }
}

/// What the library logs about sweeping.
mod log {
    use std::sync::{Arc, Mutex};

    use tracing::{Event, Level, Metadata, Subscriber, span};

    #[derive(Clone, Default)]
    pub(super) struct Log(Arc<Mutex<Vec<Level>>>);

    impl Log {
        /// The levels of all lines since the last look.
        pub(super) fn take(&self) -> Vec<String> {
            std::mem::take(&mut *self.0.lock().unwrap()).iter().map(Level::to_string).collect()
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target().ends_with("::sweeper") && *metadata.level() <= Level::INFO
        }
        fn event(&self, event: &Event<'_>) {
            self.0.lock().unwrap().push(*event.metadata().level());
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }
}
