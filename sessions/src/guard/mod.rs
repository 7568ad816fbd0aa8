//! What a handler, or a router, asks of a session before its body runs.
//!
//! On a handler it is an argument of the attribute, as in `#[session(policy = "admin", role = "admin")]`. Before a whole
//! router the same is a value, made by a function of this module and asked by [`require`](crate::require). In a type it
//! is one of this module's types: `Session<policies::Admin, guard::Fresh>`.

mod asks;
mod name;

use std::time::Duration;

pub use self::{
    asks::{Authenticated, Fresh, FreshWithin, Kind, Role},
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
    fresh: Freshness,
}

/// How recent a login has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Any,
    Policy,
    Within(Duration),
}

impl Requirements {
    /// Asks nothing.
    pub const fn none() -> Self {
        Self { authenticated: false, kind: None, roles: [""; ROLES], role_count: 0, fresh: Freshness::Any }
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
    /// At compile time, where it is used in a constant: on an empty name.
    #[must_use]
    pub const fn kind(mut self, kind: &'static str) -> Self {
        assert!(!kind.is_empty(), "an empty name is nobody's: write the kind that is asked for");
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
        self.fresh = Freshness::Policy;
        self.authenticated()
    }

    /// Asks for a login at most so long ago.
    #[must_use]
    pub const fn fresh_within(mut self, within: Duration) -> Self {
        self.fresh = Freshness::Within(within);
        self.authenticated()
    }

    /// Asks for what another one asks too. Where both name a kind or an age, the other one's holds.
    ///
    /// # Panics
    /// As [`role`](Self::role).
    #[must_use]
    pub const fn and(mut self, other: Self) -> Self {
        self.authenticated = self.authenticated || other.authenticated;
        if other.kind.is_some() {
            self.kind = other.kind;
        }
        if !matches!(other.fresh, Freshness::Any) {
            self.fresh = other.fresh;
        }
        let mut index = 0;
        while index < other.role_count {
            self = self.role(other.roles[index]);
            index += 1;
        }
        self
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

    pub(crate) fn freshness(&self) -> Freshness {
        self.fresh
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
}
