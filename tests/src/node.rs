//! A node of a service, and visitors that talk to it as browsers do.

use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use sessions::{
    Entropy, Session, SessionEngine, SessionError, SessionPolicy, SessionPrincipal, SessionStore,
    SharedStore, testing::ManualClock,
};

use crate::Spy;

/// One engine on a store that may be shared with other nodes, under a clock that is moved by hand.
#[derive(Clone, Debug)]
pub struct Node {
    /// The engine.
    pub engine: SessionEngine,
    /// Its store.
    pub store: Spy,
    /// Its clock.
    pub clock: ManualClock,
    /// How long a request of its twins may wait for the store.
    pub limit: Duration,
}

impl Node {
    /// A node on a store of its own.
    pub fn new(policy: SessionPolicy) -> Self {
        Self::on(policy, Spy::default(), ManualClock::default())
    }

    /// The same for more requests of one session at once than a store on a network answers within its time limit, one
    /// after the other.
    pub fn patient(policy: SessionPolicy) -> Self {
        Self::within(policy, Spy::default(), ManualClock::default(), Duration::from_secs(60))
    }

    /// A node on a given store.
    pub fn on(policy: SessionPolicy, store: Spy, clock: ManualClock) -> Self {
        Self::within(policy, store, clock, SharedStore::DEFAULT_LIMIT)
    }

    fn within(policy: SessionPolicy, store: Spy, clock: ManualClock, limit: Duration) -> Self {
        let shared = SharedStore::new(store.clone()).with_limit(limit);
        let engine = SessionEngine::builder(policy).store(shared).clock(clock.shared()).build();
        Self { engine, store, clock, limit }
    }

    /// A node whose generator is given.
    pub fn with_entropy(policy: SessionPolicy, entropy: impl Entropy) -> Self {
        let (store, clock) = (Spy::default(), ManualClock::default());
        let engine = SessionEngine::builder(policy)
            .store(SharedStore::new(store.clone()))
            .clock(clock.shared())
            .entropy(std::sync::Arc::new(entropy))
            .build();
        Self { engine, store, clock, limit: SharedStore::DEFAULT_LIMIT }
    }

    /// Another node on the same store, with this or another policy.
    #[must_use]
    pub fn twin(&self, policy: SessionPolicy) -> Self {
        Self::within(policy, self.store.clone(), self.clock.clone(), self.limit)
    }

    /// How many records are stored.
    pub async fn stored(&self) -> u64 {
        stored(&self.store).await
    }

    /// Waits until nothing calls the store any more: what a client has left goes on without it.
    pub async fn at_rest(&self) {
        let mut idle = 0;
        while idle < 3 {
            tokio::time::sleep(Duration::from_millis(3)).await;
            idle = if self.store.under_way() == 0 { idle + 1 } else { 0 };
        }
    }

    /// One request that answers 200.
    pub async fn visit<R>(
        &self,
        visitor: &mut Visitor,
        handler: impl AsyncFnOnce(&mut Session) -> R,
    ) -> Answer<R> {
        self.visit_answering(visitor, StatusCode::OK, handler).await
    }

    /// One request that answers a given status.
    pub async fn visit_answering<R>(
        &self,
        visitor: &mut Visitor,
        status: StatusCode,
        handler: impl AsyncFnOnce(&mut Session) -> R,
    ) -> Answer<R> {
        let mut session = self.engine.resolve(&visitor.request()).await.unwrap();
        let value = handler(&mut session).await;
        let mut response = Response::new(());
        *response.status_mut() = status;
        let commit = self.engine.commit(&session, &mut response).await;
        let cookies: Vec<String> = response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|cookie| cookie.to_str().unwrap().to_owned())
            .collect();
        visitor.keep(&cookies);
        Answer { value, commit, cookies }
    }

    /// A visitor who has logged in.
    pub async fn logged_in(&self, id: &str) -> Visitor {
        let mut visitor = Visitor::default();
        self.visit(&mut visitor, async |session| session.mark_authenticated(user(id))).await.commit.unwrap();
        visitor
    }

    /// When the visitor's session was last active, as the store has it.
    pub async fn last_seen(&self, visitor: &Visitor) -> chrono::DateTime<chrono::Utc> {
        let session = self.engine.resolve(&visitor.request()).await.unwrap();
        session.last_seen_at().unwrap()
    }

    /// Whom the visitor is logged in as.
    pub async fn who(&self, visitor: &Visitor) -> Option<String> {
        let session = self.engine.resolve(&visitor.request()).await.unwrap();
        session.principal().map(|principal| principal.id().to_owned())
    }
}

/// What a request came to.
#[derive(Debug)]
pub struct Answer<R> {
    /// What the handler returned.
    pub value: R,
    /// What the commit returned.
    pub commit: Result<(), SessionError>,
    /// The `Set-Cookie` lines.
    pub cookies: Vec<String>,
}

/// A client that keeps its cookie.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// `name=value`, if it has one.
    pub cookie: Option<String>,
}

impl Visitor {
    /// A request with the visitor's cookie.
    pub fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        request
    }

    /// Keeps what a response sets.
    pub fn keep(&mut self, cookies: &[String]) {
        for cookie in cookies {
            let pair = cookie.split(';').next().unwrap_or_default();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
    }
}

/// How many records a store holds. The spy doesn't see it.
pub async fn stored(store: &Spy) -> u64 {
    store.inner().stats().await.unwrap().sessions
}

/// A person.
pub fn user(id: &str) -> SessionPrincipal {
    SessionPrincipal::user(id)
}

/// So many seconds.
pub const fn second(count: u64) -> Duration {
    Duration::from_secs(count)
}
