//! Sessions to call a handler with, without a server.

use crate::{
    engine::{SessionEngine, waited::Waited},
    principal::SessionPrincipal,
    registry::Registry,
    session::{
        Registered, Session,
        state::{Client, Found, Inner, SessionState},
    },
};

/// An anonymous session to call a handler with. What the handler records stays readable in it and is written nowhere.
///
/// The policy and the guard come from the handler's parameter; a guard is not asked, because the handler is called
/// directly.
///
/// ```
/// # use sessions::{Session, SessionPolicy, testing};
/// fn count(mut session: Session) -> Result<u32, sessions::SessionError> {
///     let n = session.get("n")?.unwrap_or(0) + 1;
///     session.set("n", n)?;
///     Ok(n)
/// }
///
/// assert_eq!(count(testing::session_of(SessionPolicy::user_default()))?, 1);
/// # Ok::<(), sessions::SessionError>(())
/// ```
pub fn session_of<P, G>(policy: sessions_policy::SessionPolicy) -> Session<P, G> {
    let engine = SessionEngine::new(policy, crate::MemoryStore::new(16));
    let inner =
        Inner::new(Found::Nothing, None, Client::default(), engine.shared.time.now(), Waited::default());
    Session::from_state(SessionState::new(engine, inner))
}

/// An anonymous session of a registered policy, with the settings that the build saw.
///
/// # Panics
/// If the policy file that the build checked does not pass the checks of this build.
pub async fn session<P: Registered, G>() -> Session<P, G> {
    let registry = Registry::<P::Declared>::builder().with_settings(None, []).load().await;
    let registry = registry.expect("the build has checked these settings");
    session_of(registry.engine::<P>().policy().clone())
}

/// A session of a registered policy in which a principal has just logged in.
///
/// # Panics
/// As [`session`].
pub async fn authenticated<P: Registered, G>(principal: SessionPrincipal) -> Session<P, G> {
    let mut session = session::<P, G>().await;
    session.mark_authenticated(principal);
    session
}
