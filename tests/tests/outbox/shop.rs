//! A service on a store that keeps an outbox, and what the tests ask of it.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use http::{Response, header};
use sessions::{
    BehaviorOnLimit, Handle, RedisAddress, RedisStore, Session, SessionEngine, SessionError, SessionPolicy,
    SessionStore, SharedStore, StoreError,
    outbox::{Outbox, OutboxEvent, OutboxReader},
    testing::ManualClock,
};
use sessions_tests::{
    Visitor,
    servers::{
        postgres::{self, Database, Postgres},
        redis::RedisServer,
    },
    user,
};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// A server that one test has for itself, as far as it matters.
pub(crate) enum Server {
    Redis(RedisServer),
    Postgres(Database),
}

impl Server {
    pub(crate) fn redis() -> Self {
        Self::Redis(RedisServer::start())
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(Postgres::shared().database().await)
    }

    pub(crate) async fn store(&self, kept: Duration) -> SharedStore {
        match self {
            Self::Redis(server) => SharedStore::new(on_redis(&server.url(), kept).await),
            Self::Postgres(database) => {
                SharedStore::new(postgres::builder(&database.url()).outbox(kept).open().await.unwrap())
            }
        }
    }

    /// Sweeps until no event is left. PostgreSQL trims none that is younger than the oldest transaction of the whole
    /// server, which may be another test's.
    pub(crate) async fn frees_events_of(&self, shop: &Shop) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            shop.store.sweep(0, 1_000).await.unwrap();
            let Self::Postgres(database) = self else { return };
            let kept = database.client().await.query_one("SELECT count(*) FROM sessions.outbox", &[]).await;
            if kept.unwrap().get::<_, i64>(0) == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "events are kept for too long");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) async fn on_redis(url: &str, kept: Duration) -> RedisStore {
    let builder = RedisStore::builder(RedisAddress::parse(url).unwrap());
    builder.timeout(Duration::from_secs(5)).outbox(kept).open().await.unwrap()
}

pub(crate) struct Shop {
    pub(crate) engine: SessionEngine,
    pub(crate) store: SharedStore,
    pub(crate) clock: ManualClock,
}

impl Shop {
    pub(crate) async fn on(server: &Server) -> Self {
        Self::with(server.store(HOUR).await)
    }

    pub(crate) fn with(store: SharedStore) -> Self {
        let policy = SessionPolicy::for_web_users()
            .no_idle_timeout()
            .max_concurrent(2, BehaviorOnLimit::EvictOldest)
            .rotating_every(HOUR, Duration::from_secs(30))
            .build()
            .unwrap();
        let clock = ManualClock::default();
        let builder = SessionEngine::builder(policy).store(store.clone()).clock(clock.shared());
        Self { engine: builder.build(), store, clock }
    }

    pub(crate) fn outbox(&self) -> Outbox {
        self.store.outbox().unwrap()
    }

    pub(crate) fn reader(&self, name: &str) -> OutboxReader {
        self.outbox().reader(name).unwrap()
    }

    /// One request.
    pub(crate) async fn visit<R>(
        &self,
        visitor: &mut Visitor,
        handler: impl AsyncFnOnce(&mut Session) -> R,
    ) -> Result<R, SessionError> {
        let mut request = visitor.request();
        request.headers_mut().insert("x-request-id", "r-1".parse().unwrap());
        let engine = self.engine.clone();
        let mut session = engine.resolve(&request).await?;
        let value = handler(&mut session).await;
        let mut response = Response::new(());
        let done = engine.commit(&session, &mut response).await;
        let lines = response.headers().get_all(header::SET_COOKIE).iter();
        visitor.keep(&lines.map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>());
        done.map(|()| value)
    }

    pub(crate) async fn log_in(&self, visitor: &mut Visitor, id: &str) {
        self.visit(visitor, async |session| session.mark_authenticated(user(id))).await.unwrap();
    }

    pub(crate) async fn log_out(&self, visitor: &mut Visitor) {
        self.visit(visitor, async |session| session.clear_authentication()).await.unwrap();
    }

    pub(crate) async fn handle(&self, visitor: &mut Visitor) -> Handle {
        self.visit(visitor, async |session| session.handle()).await.unwrap().unwrap()
    }

    /// A session that comes and goes: three events, and its handle.
    pub(crate) async fn come_and_go(&self, id: &str) -> Handle {
        let mut visitor = Visitor::default();
        self.log_in(&mut visitor, id).await;
        let handle = self.handle(&mut visitor).await;
        self.log_out(&mut visitor).await;
        handle
    }
}

/// What there is for a consumer from now on until it has `count` different events, acknowledged batch by batch: in the order in
/// which each came first. What fails is asked again.
pub(crate) async fn take(reader: &OutboxReader, count: usize) -> Vec<OutboxEvent> {
    let (mut taken, mut known) = (Vec::new(), HashSet::new());
    let all = async {
        while known.len() < count {
            let batch = again(|| reader.next(7)).await;
            for event in batch.iter() {
                if known.insert(event.id.clone()) {
                    taken.push(event.clone());
                }
            }
            again(|| reader.ack(&batch)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), all).await;
    assert!(in_time.is_ok(), "of {count} events there were {taken:#?}");
    taken
}

/// Asks until it is answered.
pub(crate) async fn again<T, F: Future<Output = Result<T, StoreError>>>(mut ask: impl FnMut() -> F) -> T {
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Event and reason.
pub(crate) fn told(event: &OutboxEvent) -> String {
    let kind = event.event.trim_start_matches("session_");
    event.reason.as_ref().map_or_else(|| kind.to_owned(), |reason| format!("{kind} {reason}"))
}
