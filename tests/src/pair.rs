//! Two nodes of a service on one store, of which one hears what the other ends. Sockets are looked for once a minute here:
//! what is told within seconds was heard.

use std::time::Duration;

use http::Response;
use sessions::{
    BehaviorOnLimit, Session, SessionEnding, SessionEngine, SessionPolicy, SessionStore, SessionWatch,
    SharedStore,
};
use tokio::time::timeout;

use crate::{Visitor, user};

/// What is heard is heard within this time, on a slow machine too; and it is shorter than the time between two looks.
const HEARD: Duration = Duration::from_secs(20);

/// Two nodes: what one does, the other hears.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Where requests are served.
    pub here: SessionEngine,
    /// Where sockets are open.
    pub there: SessionEngine,
}

impl Pair {
    /// Two nodes, each with a store of its own on the same server.
    pub fn of(here: impl SessionStore, there: impl SessionStore) -> Self {
        let policy = SessionPolicy::for_web_users()
            .max_concurrent(1, BehaviorOnLimit::EvictOldest)
            .set("socket.check_every", "60s")
            .socket_outage(Duration::from_secs(30))
            .build()
            .unwrap();
        let engine = |store: SharedStore| SessionEngine::builder(policy.clone()).store(store).build();
        Self { here: engine(SharedStore::new(here)), there: engine(SharedStore::new(there)) }
    }

    /// A request of a visitor where requests are served.
    pub async fn visit(&self, visitor: &mut Visitor, handler: impl AsyncFnOnce(&mut Session)) {
        let mut session = self.here.resolve(&visitor.request()).await.unwrap();
        handler(&mut session).await;
        let mut response = Response::new(());
        self.here.commit(&session, &mut response).await.unwrap();
        let cookies = response.headers().get_all("set-cookie").iter();
        let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
        visitor.keep(&cookies);
    }

    /// A visitor who logs in where requests are served and opens a socket at the other node.
    pub async fn watched(&self, id: &str) -> (Visitor, SessionWatch) {
        let mut visitor = Visitor::default();
        self.visit(&mut visitor, async |session| session.mark_authenticated(user(id))).await;
        let session = self.there.resolve(&visitor.request()).await.unwrap();
        assert!(session.is_authenticated());
        (visitor, session.watch().await.unwrap())
    }

    /// Logs a visitor out.
    pub async fn log_out(&self, visitor: &mut Visitor) {
        let log_out = async |session: &mut Session| {
            session.clear_authentication();
            session.clear_data();
        };
        self.visit(visitor, log_out).await;
    }

    /// Every way in which a session can end, or change hands, is heard.
    pub async fn hears_of_every_ending(&self, id: &str) {
        // The first may have been looked for: the store had just begun to listen.
        for _ in 0..2 {
            let (mut visitor, watch) = self.watched(id).await;
            self.log_out(&mut visitor).await;
            assert_eq!(ending_of(&watch).await, SessionEnding::LoggedOut);
        }
        let (_, watch) = self.watched(id).await;
        self.here.revoke_all(&user(id)).await.unwrap();
        assert_eq!(ending_of(&watch).await, SessionEnding::Revoked);

        let (_, watch) = self.watched(id).await;
        let (mut visitor, newer) = self.watched(id).await;
        assert_eq!(ending_of(&watch).await, SessionEnding::Evicted);

        self.visit(&mut visitor, async |session| session.rotate()).await;
        assert_eq!(ending_of(&newer).await, SessionEnding::Superseded);

        let (mut visitor, watch) = self.watched(id).await;
        self.visit(&mut visitor, async |session| session.mark_authenticated(user("another"))).await;
        assert_eq!(ending_of(&watch).await, SessionEnding::Superseded);
    }
}

/// How a watch ended, which it has to within the time in which something is heard.
pub async fn ending_of(watch: &SessionWatch) -> SessionEnding {
    timeout(HEARD, watch.ended()).await.expect("the ending was not heard of")
}
