//! How many sessions one principal may have, where the application says it beside the policy: plans, shared accounts.

use std::{fmt, num::NonZeroU32, sync::Arc};

use sessions_policy::SessionPolicy;

use crate::principal::SessionPrincipal;

/// How many sessions a principal may have under a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrincipalLimit {
    /// As many as the policy says.
    #[default]
    OfPolicy,
    /// At most so many.
    AtMost(NonZeroU32),
    /// Any number.
    Unlimited,
}

/// What an application says of each principal.
#[derive(Clone)]
pub(crate) struct LimitOf(Arc<dyn Fn(&SessionPrincipal) -> PrincipalLimit + Send + Sync>);

impl LimitOf {
    pub(crate) fn new(limit: impl Fn(&SessionPrincipal) -> PrincipalLimit + Send + Sync + 'static) -> Self {
        Self(Arc::new(limit))
    }
}

impl fmt::Debug for LimitOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LimitOf")
    }
}

/// The most sessions that a principal may have now.
pub(super) fn most(
    policy: &SessionPolicy,
    limit: Option<&LimitOf>,
    principal: &SessionPrincipal,
) -> Option<u32> {
    match limit.map_or(PrincipalLimit::OfPolicy, |limit| (limit.0)(principal)) {
        PrincipalLimit::OfPolicy => policy.concurrency().max_sessions_per_principal(),
        PrincipalLimit::AtMost(most) => Some(most.get()),
        PrincipalLimit::Unlimited => None,
    }
}
