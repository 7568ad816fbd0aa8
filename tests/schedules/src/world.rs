//! Runs a test under many schedules; nodes and visitors as the tests see them.
//!
//! - `SESSIONS_SCHEDULES=10` takes ten times as many schedules as usual.
//! - `SHUTTLE_RANDOM_SEED=…` takes the same schedules again: a failed test prints it.
//! - `SESSIONS_SCHEDULE=…` runs the one schedule that a failed test printed, and no other.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{Request, Response, header};
use sessions::{
    Entropy, EntropyError, Fault, MemoryStore, Session, SessionEngine, SessionPolicy, SessionPrincipal,
    SharedStore, testing::ManualClock,
};
use shuttle::{
    Config, Runner,
    future::{JoinHandle, block_on, spawn_local},
    scheduler::{PctScheduler, RandomScheduler},
};

/// How many switches between threads a bug may need so that the second scheduler is made to find it.
const DEPTH: usize = 3;

/// Runs a test under so many schedules: half of them by chance, half by priorities that change a few times.
pub(crate) fn explore<F: Future<Output = ()> + 'static>(schedules: usize, test: fn() -> F) {
    let mut config = Config::new();
    config.stack_size = 1 << 19;
    config.silence_warnings = true;
    let run = move || block_on(test());
    if let Ok(schedule) = env::var("SESSIONS_SCHEDULE") {
        return shuttle::replay(run, &schedule);
    }
    let more = env::var("SESSIONS_SCHEDULES").map_or(1, |more| more.parse().unwrap());
    let seed = env::var("SHUTTLE_RANDOM_SEED").map_or_else(|_| rand_seed(), |seed| seed.parse().unwrap());
    eprintln!("again with SHUTTLE_RANDOM_SEED={seed}");
    let each = schedules * more / 2;
    let random = Runner::new(RandomScheduler::new_from_seed(seed, each), config.clone()).run(run);
    let by_priority = Runner::new(PctScheduler::new_from_seed(seed, DEPTH, each), config).run(run);
    assert_eq!(random + by_priority, each * 2);
}

fn rand_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

/// Starts a request, or anything else that happens at the same time.
pub(crate) fn at_once<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    spawn_local(future)
}

/// What all of them came to.
pub(crate) async fn all<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// Secrets that are the same in each run of a schedule.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for part in buffer.chunks_mut(8) {
            // SplitMix64.
            let mut z = self.0.fetch_add(1, SeqCst).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            part.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..part.len()]);
        }
        Ok(())
    }
}

/// An engine on a store that other nodes share.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) engine: SessionEngine,
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
    entropy: Arc<Counted>,
    policy: SessionPolicy,
}

impl Node {
    pub(crate) fn new(policy: SessionPolicy) -> Self {
        Self::on(policy, MemoryStore::new(1_000), ManualClock::default(), Arc::default())
    }

    fn on(policy: SessionPolicy, store: MemoryStore, clock: ManualClock, entropy: Arc<Counted>) -> Self {
        let engine = SessionEngine::builder(policy.clone())
            .store(SharedStore::new(store.clone()))
            .clock(clock.shared())
            .entropy(Arc::clone(&entropy) as _)
            .build();
        Self { engine, store, clock, entropy, policy }
    }

    /// Another node on the same store: what they share is the store alone.
    pub(crate) fn twin(&self) -> Self {
        Self::on(self.policy.clone(), self.store.clone(), self.clock.clone(), Arc::clone(&self.entropy))
    }

    /// One of two nodes.
    pub(crate) fn either(&self, twin: &Self, number: usize) -> Self {
        if number.is_multiple_of(2) { self.clone() } else { twin.clone() }
    }

    /// One request; the fault that its commit was refused with.
    pub(crate) async fn visit<R>(
        &self,
        visitor: &mut Visitor,
        handler: impl AsyncFnOnce(&mut Session) -> R,
    ) -> (R, Option<Fault>) {
        let mut session = self.engine.resolve(&visitor.request()).await.unwrap();
        let value = handler(&mut session).await;
        (value, self.finish(&session, visitor).await)
    }

    /// The end of a request.
    pub(crate) async fn finish(&self, session: &Session, visitor: &mut Visitor) -> Option<Fault> {
        let mut response = Response::new(());
        let committed = self.engine.commit(session, &mut response).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            visitor.0 = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        committed.err().map(|error| error.fault())
    }

    /// A visitor who has logged in.
    pub(crate) async fn logged_in(&self, id: &str) -> Visitor {
        let mut visitor = Visitor::default();
        self.log_in(&mut visitor, id).await;
        visitor
    }

    pub(crate) async fn log_in(&self, visitor: &mut Visitor, id: &str) -> Option<Fault> {
        self.visit(visitor, async |session| session.mark_authenticated(user(id))).await.1
    }

    pub(crate) async fn log_out(&self, visitor: &mut Visitor) -> Option<Fault> {
        let logout = async |session: &mut Session| {
            session.clear_authentication();
            session.clear_data();
        };
        self.visit(visitor, logout).await.1
    }

    /// Whether a cookie opens an authenticated session; looks, and writes nothing.
    pub(crate) async fn knows(&self, visitor: &Visitor) -> bool {
        self.engine.resolve(&visitor.request()).await.unwrap().is_authenticated()
    }

    /// What a cookie opens holds under a key; looks, and writes nothing.
    pub(crate) async fn value(&self, visitor: &Visitor, key: &str) -> Option<u64> {
        self.engine.resolve(&visitor.request()).await.unwrap().get(key).unwrap()
    }

    /// How many sessions the index of a person names.
    pub(crate) async fn listed(&self, id: &str) -> usize {
        self.engine.sessions_of(&user(id)).await.unwrap().len()
    }
}

/// A client's cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Visitor(Option<String>);

impl Visitor {
    pub(crate) fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        if let Some(cookie) = &self.0 {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        request
    }
}

pub(crate) fn user(id: &str) -> SessionPrincipal {
    SessionPrincipal::user(id)
}

/// A policy that changes the id each hour, with half a minute of grace.
pub(crate) fn hourly() -> SessionPolicy {
    let (hour, grace) = (Duration::from_secs(3_600), Duration::from_secs(30));
    SessionPolicy::for_web_users().no_idle_timeout().rotating_every(hour, grace).build().unwrap()
}

/// Longer than an hour.
pub(crate) const OVER_AN_HOUR: Duration = Duration::from_secs(3_601);
