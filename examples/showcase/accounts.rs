//! Who may log in: two constants in the place of a user table. How a login is kept is the session's part, not this one's.

use serde::Deserialize;
use sessions::SessionPrincipal;

use crate::refusal::Reason;

/// Someone who may log in.
#[derive(Debug)]
pub(crate) struct Account {
    id: &'static str,
    name: &'static str,
    email: &'static str,
    /// In the clear, for a demo alone: a real table holds a slow, salted hash.
    password: &'static str,
    roles: &'static [&'static str],
}

const ACCOUNTS: &[Account] = &[
    Account {
        id: "u1",
        name: "Ada",
        email: "ada@example.com",
        password: "analytical-engine",
        roles: &["customer"],
    },
    Account {
        id: "u2",
        name: "Grace",
        email: "grace@example.com",
        password: "nanoseconds",
        roles: &["customer", "admin"],
    },
];

impl Account {
    /// The account that a session's principal stands for.
    pub(crate) fn of(principal: &SessionPrincipal) -> Option<&'static Self> {
        ACCOUNTS.iter().find(|account| account.id == principal.id())
    }

    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }

    /// What a session keeps of the account.
    pub(crate) fn principal(&self) -> SessionPrincipal {
        SessionPrincipal::user(self.id).with("name", self.name).roles(self.roles.iter().copied())
    }

    /// Refuses a wrong password.
    pub(crate) fn check(&self, password: &str) -> Result<(), Reason> {
        if self.password == password { Ok(()) } else { Err(Reason::Credentials) }
    }
}

/// What a login form holds.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    email: String,
    password: String,
}

impl Credentials {
    /// The account that they belong to. An unknown address and a wrong password get one answer.
    pub(crate) fn account(&self) -> Result<&'static Account, Reason> {
        let account =
            ACCOUNTS.iter().find(|account| account.email == self.email).ok_or(Reason::Credentials)?;
        account.check(&self.password)?;
        Ok(account)
    }
}
