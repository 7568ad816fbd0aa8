//! Who asks Sentinels, where they want to know: their users are not those of the servers that they watch.

use std::fmt;

use zeroize::Zeroizing;

/// A user of Sentinels with its password. Neither is ever printed.
///
/// ```
/// use sessions_policy::SentinelUser;
///
/// let user = SentinelUser::new("s3cret").named("watcher");
/// assert_eq!(user.username(), Some("watcher"));
/// assert_eq!(format!("{user:?}"), "SentinelUser(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SentinelUser {
    username: Option<String>,
    password: Zeroizing<String>,
}

impl SentinelUser {
    /// The default user, with the password that `requirepass` of the Sentinels asks for.
    pub fn new(password: impl Into<String>) -> Self {
        Self { username: None, password: Zeroizing::new(password.into()) }
    }

    /// A user of the Sentinels' access control list.
    #[must_use]
    pub fn named(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The user's name, if it is not the default one.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for SentinelUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentinelUser(…)")
    }
}
