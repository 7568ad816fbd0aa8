//! What holds for a process that keeps copies of sessions, on any store that tells of endings: one node writes and ends, the
//! other reads.

use std::time::{Duration, Instant};

use http::Response;
use sessions::{
    EventKind, Fault, Session, SessionEngine, SessionPolicy, SessionPolicyBuilder, SessionStore, SharedStore,
    testing::{Operation, SpyStore},
};
use tokio::time::sleep;

use crate::{Visitor, proxy::Proxy, user};

/// What is waited for on a slow machine at most. It is shorter than the longest bound.
const SOON: Duration = Duration::from_secs(20);
/// Longer than any test waits: what is seen earlier was told.
const BOUND: Duration = Duration::from_secs(30);

/// Two nodes on one server. The other one keeps copies, and its store counts what it is asked.
#[derive(Debug)]
pub struct Copies<S> {
    /// The node that writes and ends.
    pub here: SessionEngine,
    /// The node that reads.
    pub there: SessionEngine,
    /// What the other node's store is asked.
    pub asked: SpyStore<S>,
}

impl<S: SessionStore + Clone> Copies<S> {
    /// Two nodes, each with a store of its own on the same server.
    pub fn of(here: S, there: S, policy: impl Fn(SessionPolicyBuilder) -> SessionPolicyBuilder) -> Self {
        let policy = policy(SessionPolicy::for_web_users()).build().unwrap();
        let asked = SpyStore::new(there);
        let engine = |store| SessionEngine::builder(policy.clone()).store(store).build();
        let there = engine(SharedStore::new(asked.clone()));
        Self { here: engine(SharedStore::new(here)), there, asked }
    }

    /// Two nodes with copies that are good for as long as a test takes.
    pub fn near(here: S, there: S) -> Self {
        Self::of(here, there, |policy| policy.near_cache(BOUND))
    }

    /// A visitor who logs in where sessions are written.
    pub async fn logged_in(&self, id: &str) -> Visitor {
        let mut visitor = Visitor::default();
        visit(&self.here, &mut visitor, async |session| session.mark_authenticated(user(id))).await;
        visitor
    }

    /// Logs a visitor out where sessions are written.
    pub async fn log_out(&self, visitor: &Visitor) {
        let log_out = async |session: &mut Session| {
            session.clear_authentication();
            session.clear_data();
        };
        visit(&self.here, &mut visitor.clone(), log_out).await;
    }

    /// Whether the visitor is logged in where sessions are read.
    pub async fn knows(&self, visitor: &Visitor) -> bool {
        self.there.resolve(&visitor.request()).await.unwrap().is_authenticated()
    }

    /// Reads until no read asks the store any more.
    pub async fn until_copied(&self, visitor: &Visitor) {
        let begin = Instant::now();
        loop {
            self.asked.take_counts();
            assert!(self.knows(visitor).await);
            if self.asked.take_counts().of(Operation::Load) == 0 {
                return;
            }
            assert!(begin.elapsed() < SOON, "no copy answers");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Reads until the visitor is not known any more: how long that took.
    pub async fn until_forgotten(&self, visitor: &Visitor) -> Duration {
        let begin = Instant::now();
        while self.knows(visitor).await {
            assert!(begin.elapsed() < SOON, "the ending was not heard of");
            tokio::task::yield_now().await;
        }
        begin.elapsed()
    }

    /// Copies answer reads until something else is heard.
    pub async fn answer_until_something_is_heard(&self) {
        let mut visitor = self.logged_in("ada").await;
        self.until_copied(&visitor).await;
        for _ in 0..100 {
            assert!(self.knows(&visitor).await);
        }
        assert_eq!(self.asked.take_counts().of(Operation::Load), 0);

        visit(&self.here, &mut visitor, async |session| session.set("cart", 3).unwrap()).await;
        let begin = Instant::now();
        while read(&self.there, &visitor).await != Some(3) {
            assert!(begin.elapsed() < SOON, "the change was not heard of");
            tokio::task::yield_now().await;
        }
        self.until_copied(&visitor).await;
        for number in 0..20 {
            visit(&self.there, &mut visitor, async |session| session.set("cart", number).unwrap()).await;
            assert_eq!(read(&self.there, &visitor).await, Some(number), "it reads what it has written");
        }
        self.until_copied(&visitor).await;
        self.log_out(&visitor).await;
        self.until_forgotten(&visitor).await;

        let visitor = self.logged_in("bob").await;
        self.until_copied(&visitor).await;
        self.here.revoke_all(&user("bob")).await.unwrap();
        self.until_forgotten(&visitor).await;
    }

    /// While nothing is heard, the store is asked, and what has ended is not served.
    pub async fn are_not_used_while_nothing_is_heard(&self, deafen: impl AsyncFnOnce()) {
        let (visitor, other) = (self.logged_in("ada").await, self.logged_in("bob").await);
        self.until_copied(&visitor).await;
        self.until_copied(&other).await;
        deafen().await;
        let begin = Instant::now();
        self.asked.take_counts();
        while self.asked.take_counts().of(Operation::Load) == 0 {
            assert!(self.knows(&other).await);
            assert!(begin.elapsed() < SOON, "copies are used although nothing is heard");
            sleep(Duration::from_millis(5)).await;
        }
        self.log_out(&visitor).await;
        assert!(!self.knows(&visitor).await, "a session that has ended is served");
    }

    /// What asks for the stored session does not get a copy.
    pub async fn are_not_used_where_the_store_is_asked_for(&self) {
        let visitor = self.logged_in("ada").await;
        self.until_copied(&visitor).await;
        let loads = || self.asked.take_counts().of(Operation::Load);
        loads();
        let session = self.there.resolve(&visitor.request()).await.unwrap();
        assert_eq!(loads(), 0);
        assert_eq!(session.revoke_others().await.unwrap(), 0);
        assert_eq!(loads(), 1);
        let session = self.there.resolve_stored(&visitor.request()).await.unwrap();
        assert!(session.is_authenticated());
        assert_eq!(loads(), 1);
    }

    /// Many logouts, and how long each was served after it was acknowledged; the shortest first.
    pub async fn lags(&self, many: usize) -> Vec<Duration> {
        let mut lags = Vec::new();
        for number in 0..many {
            let visitor = self.logged_in(&format!("user{number}")).await;
            self.until_copied(&visitor).await;
            self.log_out(&visitor).await;
            lags.push(self.until_forgotten(&visitor).await);
        }
        lags.sort_unstable();
        lags
    }
}

/// In an outage, what a node knows is served to be read, and nothing else.
pub async fn serve_reads_in_an_outage<S: SessionStore + Clone>(here: S, there: S, proxy: &Proxy) {
    let nodes = Copies::of(here, there, |policy| policy.outage_grace(BOUND));
    let (mut known, unknown) = (nodes.logged_in("ada").await, nodes.logged_in("bob").await);
    let ended = nodes.logged_in("cy").await;
    visit(&nodes.here, &mut known, async |session| session.set("cart", 3).unwrap()).await;
    assert!(nodes.knows(&known).await && nodes.knows(&ended).await);
    let watch = nodes.there.resolve(&ended.request()).await.unwrap().watch().await.unwrap();
    nodes.log_out(&ended).await;
    crate::pair::ending_of(&watch).await;

    let mut events = nodes.there.subscribe(64, |kind| kind == EventKind::ServedInOutage);
    proxy.refuse(true);
    proxy.cut();
    let refused = async |visitor: &Visitor| {
        let error = nodes.there.resolve(&visitor.request()).await.unwrap_err();
        assert_eq!(error.fault(), Fault::StoreUnavailable);
    };
    assert_eq!(read(&nodes.there, &known).await, Some(3));
    assert_eq!(events.recv().await.unwrap().kind, EventKind::ServedInOutage);
    refused(&unknown).await;
    refused(&ended).await;
    let strict = nodes.there.resolve_stored(&known.request()).await.unwrap_err();
    assert_eq!(strict.fault(), Fault::StoreUnavailable);

    let mut session = nodes.there.resolve(&known.request()).await.unwrap();
    session.set("cart", 4).unwrap();
    let written = nodes.there.commit(&session, &mut Response::new(())).await.unwrap_err();
    assert_eq!(written.fault(), Fault::StoreUnavailable);
    let session = nodes.there.resolve(&known.request()).await.unwrap();
    let revoked = session.revoke_others().await.unwrap_err();
    assert_eq!(revoked.fault(), Fault::StoreUnavailable);

    proxy.refuse(false);
    let begin = Instant::now();
    while nodes.there.resolve_stored(&known.request()).await.is_err() {
        assert!(begin.elapsed() < SOON, "it does not recover");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(read(&nodes.there, &known).await, Some(3), "nothing was written");
}

/// A grace is over some time.
pub async fn are_too_old_after_the_grace<S: SessionStore + Clone>(here: S, there: S, proxy: &Proxy) {
    let nodes = Copies::of(here, there, |policy| policy.outage_grace(Duration::from_secs(1)));
    let visitor = nodes.logged_in("ada").await;
    assert!(nodes.knows(&visitor).await);
    proxy.refuse(true);
    proxy.cut();
    sleep(Duration::from_millis(1_100)).await;
    let error = nodes.there.resolve(&visitor.request()).await.unwrap_err();
    assert_eq!(error.fault(), Fault::StoreUnavailable);
}

async fn read(engine: &SessionEngine, visitor: &Visitor) -> Option<u32> {
    let session = engine.resolve(&visitor.request()).await.unwrap();
    let value = session.get("cart").unwrap();
    engine.commit(&session, &mut Response::new(())).await.unwrap();
    value
}

async fn visit(engine: &SessionEngine, visitor: &mut Visitor, handler: impl AsyncFnOnce(&mut Session)) {
    let mut session = engine.resolve(&visitor.request()).await.unwrap();
    handler(&mut session).await;
    let mut response = Response::new(());
    engine.commit(&session, &mut response).await.unwrap();
    let cookies = response.headers().get_all("set-cookie").iter();
    let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    visitor.keep(&cookies);
}
