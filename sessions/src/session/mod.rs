//! What a handler holds: a typed view of one session of its request.

mod access;
mod carrier;
mod data;
mod evolution;
pub(crate) mod names;
pub(crate) mod namespaces;
mod principal;
pub(crate) mod state;

use std::{fmt, marker::PhantomData, sync::Arc};

pub use self::data::SessionData;
use self::state::SessionState;

/// A policy as a type: a marker that [`policies!`](crate::policies) generates, or a struct with
/// [`#[session_policy]`](crate::session_policy).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session policy",
    label = "not a policy",
    note = "name a type of the module `policies`, or put `#[session_policy(…)]` on the struct"
)]
pub trait Policy: Send + Sync + 'static {
    /// The policy's name, as in `sessions.toml`.
    const NAME: &'static str;
    /// The namespace of its typed data: never the type's name, so that renaming a type loses nothing.
    const NAMESPACE: &'static str = Self::NAME;
    /// What Rust code says about the policy, where it is declared there.
    const DECLARATION: Option<sessions_policy::Declaration> = None;
    /// Its typed data; `()` where it has none.
    type Data: SessionData;
}

/// A policy that a registry runs.
#[diagnostic::on_unimplemented(
    message = "the policy `{Self}` is in no registry",
    label = "no registry runs this policy",
    note = "a handler's `Session` gets its policy from `#[session(policy = \"…\")]` above the function",
    note = "list a struct with `#[session_policy]` in `policies!(\"sessions.toml\", …)`"
)]
pub trait Registered: Policy {
    /// The declarations of its registry.
    type Declared: crate::Declared;
}

/// The policy of a [`Session`] whose policy is not in its type: of an engine that is used by hand.
#[derive(Clone, Copy, Debug)]
pub enum Untyped {}

impl Policy for Untyped {
    const NAME: &'static str = "";
    type Data = ();
}

/// One session of a request, under the policy `P`, for a handler that the guard `G` protects.
///
/// In a handler it is written plainly, and `#[session(policy = "…")]` fills in the rest. All extractors of one policy in
/// one request share one session. Reading costs nothing beyond the one load; changes are recorded, and written once when
/// the response is ready. A session that nothing was written to leaves no record and no cookie.
///
/// ```
/// use sessions::{SessionEngine, MemoryStore, SessionPolicy, SessionPrincipal};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sessions::SessionError> {
/// # let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(100));
/// let mut session = engine.resolve(&http::Request::new(())).await?;
/// session.set("colour", "blue")?;
/// assert_eq!(session.get::<String>("colour")?.as_deref(), Some("blue"));
/// session.mark_authenticated(SessionPrincipal::user("u1").with("name", "Ada"));
/// assert!(session.is_authenticated());
/// # Ok(())
/// # }
/// ```
#[must_use = "a session that nothing is done with need not be asked for"]
pub struct Session<P = Untyped, G = ()> {
    state: Arc<SessionState>,
    bound: PhantomData<fn() -> (P, G)>,
}

impl<P, G> Session<P, G> {
    pub(crate) fn from_state(state: Arc<SessionState>) -> Self {
        Self { state, bound: PhantomData }
    }

    pub(crate) fn state(&self) -> &Arc<SessionState> {
        &self.state
    }

    /// The same session without its policy in the type, for functions that take any.
    pub fn untyped(&self) -> Session {
        Session::from_state(Arc::clone(&self.state))
    }

    /// The settings that it is under.
    pub fn policy(&self) -> &sessions_policy::SessionPolicy {
        self.state.engine.policy()
    }
}

impl<P, G> fmt::Debug for Session<P, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.state.lock();
        f.debug_struct("Session")
            .field("policy", &self.state.engine.policy().name())
            .field("handle", &inner.record().map(|record| record.handle))
            .field("authenticated", &inner.is_authenticated())
            .finish_non_exhaustive()
    }
}
