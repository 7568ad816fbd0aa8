//! Every kind of request that changes a session, and how things stand before it.

use sessions::{
    BehaviorOnLimit::{EvictOldest, Reject},
    Session, SessionEngine, SessionError, SessionPolicy, SharedStore,
    testing::ManualClock,
};
use sessions_tests::{Troubled, Visitor, second, user};

/// Whether requests of one session take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Any,
    Serial,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    FirstSet,
    Set,
    Update,
    EarlyCommit,
    RotateByTime,
    RotateByPrivilege,
    Login,
    LoginCarrying,
    LoginAtTheLimit,
    LoginRefused,
    ChangeOfPrincipal,
    Confirm,
    Logout,
    LogoutKeeping,
    RevokeOthers,
    RevokeAll,
    Touch,
}

use Operation as O;

pub(super) const ALL: [Operation; 17] = [
    O::FirstSet,
    O::Set,
    O::Update,
    O::EarlyCommit,
    O::RotateByTime,
    O::RotateByPrivilege,
    O::Login,
    O::LoginCarrying,
    O::LoginAtTheLimit,
    O::LoginRefused,
    O::ChangeOfPrincipal,
    O::Confirm,
    O::Logout,
    O::LogoutKeeping,
    O::RevokeOthers,
    O::RevokeAll,
    O::Touch,
];

impl Operation {
    pub(super) fn policy(self, order: Order) -> SessionPolicy {
        let policy = SessionPolicy::for_web_users();
        let policy = match order {
            Order::Any => policy,
            Order::Serial => {
                policy.set("on_conflict", "serial").set("serial.lease", "20s").set("serial.wait", "500ms")
            }
        };
        let policy = match self {
            O::RotateByTime => policy.no_idle_timeout().rotating_every(second(3_600), second(30)),
            O::LoginAtTheLimit => policy.max_concurrent(1, EvictOldest),
            O::Login | O::LoginRefused => policy.max_concurrent(1, Reject),
            _ => policy.max_concurrent(3, EvictOldest),
        };
        policy.build().unwrap()
    }

    /// What the handler does.
    pub(super) async fn handle(self, session: &mut Session) -> Result<(), SessionError> {
        match self {
            O::FirstSet | O::Set => session.set("new", 1)?,
            O::Update => session.update("new", |n: &mut u8| *n += 1).await?,
            O::EarlyCommit => {
                session.set("new", 1)?;
                session.commit().await?;
            }
            O::RotateByTime | O::Touch => {}
            O::RotateByPrivilege => session.rotate(),
            O::Login | O::LoginCarrying | O::LoginAtTheLimit | O::LoginRefused => {
                session.mark_authenticated(user("ada"));
            }
            O::ChangeOfPrincipal => session.mark_authenticated(user("eve")),
            O::Confirm => session.mark_authenticated(user("ada").role("admin")),
            O::Logout => {
                session.clear_authentication();
                session.clear_data();
            }
            O::LogoutKeeping => session.clear_authentication(),
            O::RevokeOthers => drop(session.revoke_others().await?),
            O::RevokeAll => drop(session.revoke_all().await?),
        }
        Ok(())
    }

    /// Whether the visitor's own data is meant to go.
    pub(super) fn discards(self) -> bool {
        matches!(self, O::ChangeOfPrincipal | O::Logout | O::RevokeAll)
    }

    /// Whether it takes more than one write, so that a store that fails in between leaves it half done. It is told then,
    /// and what is left of it is safe.
    pub(super) fn takes_steps(self) -> bool {
        matches!(
            self,
            O::LoginCarrying
                | O::LoginAtTheLimit
                | O::LoginRefused
                | O::ChangeOfPrincipal
                | O::LogoutKeeping
                | O::EarlyCommit
        )
    }
}

/// How things stand before the request.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) engine: SessionEngine,
    /// An engine on the same store that looks, and never waits for a turn.
    pub(super) outside: SessionEngine,
    pub(super) store: Troubled,
    pub(super) clock: ManualClock,
    pub(super) visitor: Visitor,
    pub(super) other: Option<Visitor>,
}

impl Scene {
    pub(super) async fn of(operation: Operation, order: Order) -> Self {
        let (store, clock) = (Troubled::default(), ManualClock::default());
        let [engine, outside] = [order, Order::Any].map(|order| {
            SessionEngine::builder(operation.policy(order))
                .store(SharedStore::new(store.clone()))
                .clock(clock.shared())
                .build()
        });
        let mut scene = Self { engine, outside, store, clock, visitor: Visitor::default(), other: None };
        scene.visitor = match operation {
            O::FirstSet | O::Login => Visitor::default(),
            O::LoginCarrying | O::LoginAtTheLimit | O::LoginRefused => {
                scene.arrive(async |session| session.set("kept", 1).unwrap()).await
            }
            _ => {
                let both = async |session: &mut Session| {
                    session.mark_authenticated(user("ada"));
                    session.set("kept", 1).unwrap();
                };
                scene.arrive(both).await
            }
        };
        if matches!(operation, O::LoginAtTheLimit | O::LoginRefused | O::RevokeOthers | O::RevokeAll) {
            scene.other = Some(scene.arrive(async |session| session.mark_authenticated(user("ada"))).await);
        }
        match operation {
            O::RotateByTime => scene.clock.advance(second(3_601)),
            O::Touch => scene.clock.advance(second(600)),
            _ => {}
        }
        scene
    }

    /// A request of someone who was not here before.
    pub(super) async fn arrive(&self, handler: impl AsyncFnOnce(&mut Session)) -> Visitor {
        let mut visitor = Visitor::default();
        let mut session = self.engine.resolve(&visitor.request()).await.unwrap();
        handler(&mut session).await;
        visitor.cookie = self.finish(&session, true).await.unwrap();
        visitor
    }

    /// The end of a request: the cookie that it sends, if it does.
    pub(super) async fn finish(
        &self,
        session: &Session,
        succeeds: bool,
    ) -> Result<Option<String>, SessionError> {
        let mut response = http::Response::new(());
        if !succeeds {
            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        }
        self.engine.commit(session, &mut response).await?;
        let cookie = response.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
        Ok(cookie.map(|cookie| cookie.split(';').next().unwrap().to_owned()))
    }

    /// The request: the cookie that its response carries.
    pub(super) async fn request(&self, operation: Operation) -> Result<Option<String>, SessionError> {
        let mut session = self.engine.resolve(&self.visitor.request()).await?;
        let handled = operation.handle(&mut session).await;
        let cookie = self.finish(&session, handled.is_ok()).await?;
        handled.map(|()| cookie)
    }
}
