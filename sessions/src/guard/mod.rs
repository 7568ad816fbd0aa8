//! What a handler, or a router, asks of a session before its body runs.
//!
//! On a handler it is an argument of the attribute, as in `#[session(policy = "admin", role = "admin")]`. Before a whole
//! router the same is a value, made by a function of this module and asked by [`require`](crate::require). In a type it
//! is one of this module's types: `Session<policies::Admin, guard::Fresh>`.

mod asks;
mod name;

use std::time::Duration;

use crate::{engine::copies::Freshness, session::names::is_same};

pub use self::{
    asks::{Authenticated, Fresh, FreshWithin, IfStored, Kind, Role, Strict},
    name::{End, Name, Word},
};

/// How many roles one handler may ask for.
const ROLES: usize = 4;

/// What is asked of a session. All of it has to hold.
///
/// ```
/// use sessions::{Requirements, guard};
/// const ADMIN: Requirements = guard::role("admin").fresh();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Requirements {
    authenticated: bool,
    kind: Option<&'static str>,
    roles: [&'static str; ROLES],
    role_count: usize,
    /// Within the policy's `fresh_for`.
    fresh: bool,
    /// At most so long ago.
    within: Option<Duration>,
    /// As it is stored now.
    strict: bool,
}

impl Requirements {
    /// Asks nothing.
    pub const fn none() -> Self {
        let (roles, role_count) = ([""; ROLES], 0);
        Self {
            authenticated: false,
            kind: None,
            roles,
            role_count,
            fresh: false,
            within: None,
            strict: false,
        }
    }

    /// Asks for an authenticated session.
    #[must_use]
    pub const fn authenticated(mut self) -> Self {
        self.authenticated = true;
        self
    }

    /// Asks for a principal of a kind.
    ///
    /// # Panics
    /// At compile time, where it is used in a constant: on an empty name, or a second kind.
    #[must_use]
    pub const fn kind(mut self, kind: &'static str) -> Self {
        assert!(!kind.is_empty(), "an empty name is nobody's: write the kind that is asked for");
        if let Some(other) = self.kind {
            assert!(is_same(other, kind), "no principal is of two kinds: ask for one of them");
        }
        self.kind = Some(kind);
        self.authenticated()
    }

    /// Asks for a role. Several roles are all asked for.
    ///
    /// # Panics
    /// At compile time, where it is used in a constant: on a fifth role, or an empty name.
    #[must_use]
    pub const fn role(mut self, role: &'static str) -> Self {
        assert!(!role.is_empty(), "an empty name is nobody's: write the role that is asked for");
        assert!(self.role_count < ROLES, "a guard asks for at most four roles");
        self.roles[self.role_count] = role;
        self.role_count += 1;
        self.authenticated()
    }

    /// Asks for a login within the policy's `fresh_for`.
    #[must_use]
    pub const fn fresh(mut self) -> Self {
        self.fresh = true;
        self.authenticated()
    }

    /// Asks for a login at most so long ago. Of several ages the shortest holds.
    #[must_use]
    pub const fn fresh_within(mut self, within: Duration) -> Self {
        self.within = match self.within {
            Some(other) if other.as_nanos() < within.as_nanos() => Some(other),
            _ => Some(within),
        };
        self.authenticated()
    }

    /// Asks for the session as it is stored now, not for a copy of it (`near_cache`, `outage_grace`). What asks for a recent
    /// login does so by itself.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Asks for what another one asks too.
    ///
    /// # Panics
    /// As [`role`](Self::role) and [`kind`](Self::kind).
    #[must_use]
    pub const fn and(mut self, other: Self) -> Self {
        self.authenticated = self.authenticated || other.authenticated;
        self.fresh = self.fresh || other.fresh;
        self.strict = self.strict || other.strict;
        if let Some(kind) = other.kind {
            self = self.kind(kind);
        }
        if let Some(within) = other.within {
            self = self.fresh_within(within);
        }
        let mut index = 0;
        while index < other.role_count {
            self = self.role(other.roles[index]);
            index += 1;
        }
        self
    }

    /// What the session has to be read from.
    pub(crate) const fn reads(&self) -> Freshness {
        if self.strict || self.fresh || self.within.is_some() { Freshness::Stored } else { Freshness::Copied }
    }

    pub(crate) fn asks_anything(&self) -> bool {
        self.authenticated
    }

    pub(crate) fn principal_kind(&self) -> Option<&'static str> {
        self.kind
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = &'static str> {
        self.roles.into_iter().take(self.role_count)
    }

    /// How old the login may be at most, where a policy has this `fresh_for`; `None` where its age does not matter.
    pub(crate) fn freshness(&self, fresh_for: Duration) -> Option<Duration> {
        self.fresh.then_some(fresh_for).into_iter().chain(self.within).min()
    }
}

/// Asks for an authenticated session.
pub const fn authenticated() -> Requirements {
    Requirements::none().authenticated()
}

/// Asks for a principal of a kind.
///
/// # Panics
/// As [`Requirements::kind`].
pub const fn kind(kind: &'static str) -> Requirements {
    Requirements::none().kind(kind)
}

/// Asks for a role.
///
/// # Panics
/// As [`Requirements::role`].
pub const fn role(role: &'static str) -> Requirements {
    Requirements::none().role(role)
}

/// Asks for a login within the policy's `fresh_for`.
pub const fn fresh() -> Requirements {
    Requirements::none().fresh()
}

/// Asks for a login at most so long ago.
pub const fn fresh_within(within: Duration) -> Requirements {
    Requirements::none().fresh_within(within)
}

/// Asks for the session as it is stored now, not for a copy of it.
pub const fn strict() -> Requirements {
    Requirements::none().strict()
}

/// The guard in a [`Session`](crate::Session)'s type: what has to hold before a handler gets it.
///
/// The types of this module are guards, and so is a tuple of guards, which asks for all of them. One of your own is any
/// type that says what it asks:
///
/// ```
/// use sessions::{Guard, Requirements, guard};
///
/// enum Boss {}
///
/// impl Guard for Boss {
///     const REQUIREMENTS: Requirements = guard::role("admin").kind("user");
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard",
    label = "not a guard",
    note = "use a type of `sessions::guard`, such as `guard::Authenticated`, or implement `sessions::Guard` for your own"
)]
pub trait Guard: Send + Sync + 'static {
    /// What it asks.
    const REQUIREMENTS: Requirements;
    /// Whether the session stands in an `Option`.
    #[doc(hidden)]
    const IS_OPTIONAL: bool = false;
}

/// No guard.
impl Guard for () {
    const REQUIREMENTS: Requirements = Requirements::none();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "an empty name is nobody's")]
    fn a_role_has_a_name() {
        let _ = role("");
    }

    #[test]
    #[should_panic(expected = "an empty name is nobody's")]
    fn a_kind_has_a_name() {
        let _ = kind("");
    }

    #[test]
    #[should_panic(expected = "no principal is of two kinds")]
    fn no_kind_gives_way_to_another() {
        let _ = kind("user").and(kind("user")).and(kind("service"));
    }
}
