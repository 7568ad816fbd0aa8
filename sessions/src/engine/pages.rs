//! The sessions of a principal a page at a time, for principals that have many: services, shared accounts.

use std::{fmt, str::FromStr};

use serde::Serialize;

use super::{SessionEngine, SessionInfo, principals::PAGE};
use crate::{
    fault::SessionError,
    principal::SessionPrincipal,
    store::SessionStore,
    token::{Handle, SessionId},
};

/// The most sessions of one page.
const MOST: usize = 1_000;

/// Some of a principal's sessions, and where the rest begins.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions, oldest login of a policy first.
    pub sessions: Vec<SessionInfo>,
    /// What the next page is asked for with; `None` on the last one.
    pub next: Option<SessionCursor>,
}

/// A place in the list of a principal's sessions. Its text may travel through a client: it is no credential, and what a
/// client makes of it shows it nothing but its own sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCursor {
    policy: String,
    /// The last session of that policy that was listed.
    after: Option<SessionId>,
}

impl fmt::Display for SessionCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.policy)?;
        self.after.map_or(Ok(()), |id| write!(f, ".{}.{}", id.bucket(), id.handle()))
    }
}

impl Serialize for SessionCursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not a [`SessionCursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is what a page of sessions gave as `next`")]
pub struct ParseCursorError;

impl FromStr for SessionCursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let policy = parts.next().filter(|policy| sessions_policy::is_policy_name(policy));
        let policy = policy.ok_or(ParseCursorError)?.to_owned();
        let after = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => None,
            (Some(bucket), Some(sid), None) => {
                let bucket = bucket.parse().map_err(|_| ParseCursorError)?;
                let sid: Handle = sid.parse().map_err(|_| ParseCursorError)?;
                Some(SessionId::new(bucket, *sid.as_bytes()))
            }
            _ => return Err(ParseCursorError),
        };
        Ok(Self { policy, after })
    }
}

impl SessionEngine {
    /// Lists the live sessions of a principal in all policies of the registry, at most `limit` (1 to 1,000) at a time:
    /// from the beginning, or on from the `next` of the page before.
    ///
    /// A session that began or ended between two pages may be there or not. Where the very session that a page ended with
    /// has ended meanwhile, sessions may be listed once more; none is left out.
    ///
    /// ```
    /// # use sessions::{MemoryStore, SessionEngine, SessionPolicy, SessionPrincipal};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::SessionError> {
    /// # let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(100));
    /// let billing = SessionPrincipal::service("billing");
    /// let mut after = None;
    /// loop {
    ///     let page = engine.sessions_page(&billing, after.as_ref(), 50).await?;
    ///     for session in &page.sessions {
    ///         println!("{} since {}", session.handle, session.created_at);
    ///     }
    ///     after = page.next;
    ///     if after.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`](crate::Fault::StoreUnavailable) if a store can't tell.
    pub async fn sessions_page(
        &self,
        principal: &SessionPrincipal,
        after: Option<&SessionCursor>,
        limit: usize,
    ) -> Result<SessionPage, SessionError> {
        self.in_time(self.page_seen_from(principal, None, after, limit)).await
    }

    pub(crate) async fn page_seen_from(
        &self,
        principal: &SessionPrincipal,
        current: Option<Handle>,
        after: Option<&SessionCursor>,
        limit: usize,
    ) -> Result<SessionPage, SessionError> {
        self.page_of(&self.family(), principal, current, (after, limit)).await
    }

    /// A page of the sessions under one policy, as far as that is asked for; under all else.
    #[cfg(feature = "dashboard")]
    pub(crate) async fn page_under(
        &self,
        policy: Option<&str>,
        principal: &SessionPrincipal,
        page: (Option<&SessionCursor>, usize),
    ) -> Result<SessionPage, SessionError> {
        let mut family = self.family();
        family.retain(|engine| policy.is_none_or(|policy| &*engine.shared.name == policy));
        self.in_time(self.page_of(&family, principal, None, page)).await
    }

    async fn page_of(
        &self,
        family: &[Self],
        principal: &SessionPrincipal,
        current: Option<Handle>,
        (after, limit): (Option<&SessionCursor>, usize),
    ) -> Result<SessionPage, SessionError> {
        let limit = limit.clamp(1, MOST);
        let name = |engine: &Self| engine.shared.name.to_string();
        let begin = after.and_then(|after| family.iter().position(|engine| name(engine) == after.policy));
        let mut last = after.filter(|_| begin.is_some()).and_then(|after| after.after);
        let mut sessions = Vec::new();
        let mut engines = family.iter().skip(begin.unwrap_or_default()).peekable();
        while let Some(engine) = engines.next() {
            let Some(store) = &engine.shared.store else { continue };
            let (owner, now) = (engine.owner(principal), engine.shared.time.now());
            let mut more = true;
            while more && sessions.len() < limit {
                let wanted = (limit - sessions.len()).min(PAGE);
                let listed = store.list(owner, last, wanted, now).await;
                let listed = listed.map_err(|error| engine.store_failed(error))?;
                more = listed.len() == wanted;
                last = listed.last().map(|listed| listed.id).or(last);
                let live = listed.iter().filter_map(|listed| engine.live(listed, now));
                let of_self = current.filter(|_| engine.is_of(self));
                sessions.extend(live.map(|record| engine.info(&record, of_self)));
            }
            if more {
                let next = Some(SessionCursor { policy: name(engine), after: last });
                return Ok(SessionPage { sessions, next });
            }
            last = None;
            if sessions.len() == limit {
                let next = engines.peek().map(|engine| SessionCursor { policy: name(engine), after: None });
                return Ok(SessionPage { sessions, next });
            }
        }
        Ok(SessionPage { sessions, next: None })
    }
}
