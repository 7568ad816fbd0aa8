//! What goes wrong with a server, told with its address and with what to do, and whether the operation can have been
//! applied. No key, value or password is ever part of it.

use std::{error::Error, fmt, sync::Arc};

use redis::{RedisError, ServerError};

use crate::store::StoreError;

/// Why an operation failed. Cheap to clone: one failed connection is everyone's.
#[derive(Clone, Debug)]
pub(super) struct Failure(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    certainty: Certainty,
    code: Option<String>,
}

/// Whether the operation can have been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certainty {
    NotApplied,
    PerhapsApplied,
}

impl Failure {
    fn new(text: String, certainty: Certainty) -> Self {
        Self(Arc::new(Inner { text, certainty, code: None }))
    }

    /// There is no connection: nothing was sent.
    pub(super) fn unreachable(at: &dyn fmt::Display, why: &dyn fmt::Display) -> Self {
        let text =
            format!("the Redis server {at} can't be reached ({}): start it, or check `url`", plain(why));
        Self::new(text, Certainty::NotApplied)
    }

    /// No connection came about in time: nothing was sent.
    pub(super) fn slow(at: &dyn fmt::Display) -> Self {
        let text = format!(
            "no connection to the Redis server {at} in time: look at the network between, and at its load"
        );
        Self::new(text, Certainty::NotApplied)
    }

    /// Something was sent, and its answer was lost or did not come in time.
    pub(super) fn lost(at: &dyn fmt::Display, why: &dyn fmt::Display) -> Self {
        let text = format!("the Redis server {at} did not answer ({})", plain(why));
        Self::new(text, Certainty::PerhapsApplied)
    }

    /// A write is on the server that was asked and on no replica: a failover may undo it.
    pub(super) fn not_replicated(at: &dyn fmt::Display, how: &dyn fmt::Display) -> Self {
        let text = format!(
            "no replica of the Redis server {at} has the write {how}: see `INFO replication`, and that the user may WAIT; or \
             write `durability = \"primary\"`"
        );
        Self::new(text, Certainty::PerhapsApplied)
    }

    /// The server refused.
    pub(super) fn refused(at: &dyn fmt::Display, error: &ServerError) -> Self {
        let code = code(error);
        let text = format!("the Redis server {at} refused with {}: {}", told(error), advice(code));
        // What is refused with another code may have been refused in the middle of a script.
        let certainty =
            if BEFORE.contains(&code) { Certainty::NotApplied } else { Certainty::PerhapsApplied };
        Self(Arc::new(Inner { text, certainty, code: Some(code.to_owned()) }))
    }

    /// The server's answer is none that there can be.
    pub(super) fn unreadable(at: &dyn fmt::Display) -> Self {
        let text = format!(
            "the Redis server {at} answered with what can't be read: see that no other program has keys with this \
             `key_prefix`, and that nothing between changes answers"
        );
        Self::new(text, Certainty::PerhapsApplied)
    }

    /// The server is too old, or another kind of one.
    pub(super) fn unfit(at: &dyn fmt::Display, why: &str) -> Self {
        Self::new(format!("the Redis server {at} {why}"), Certainty::NotApplied)
    }

    /// What a connection is made with is wrong.
    pub(super) fn setup(why: String) -> Self {
        Self::new(why, Certainty::NotApplied)
    }

    /// The store is shut down.
    pub(super) fn closed() -> Self {
        Self::new("the Redis store is shut down: open it again".to_owned(), Certainty::NotApplied)
    }

    /// Others were always faster.
    pub(super) fn contended() -> Self {
        Self::new("too many logins of one principal at once".to_owned(), Certainty::NotApplied)
    }

    /// The same, of an operation that had other steps before.
    pub(super) fn after_others(self) -> Self {
        Self::new(self.0.text.clone(), Certainty::PerhapsApplied)
    }

    /// Whether it is certain that nothing was applied.
    pub(super) fn is_certain(&self) -> bool {
        self.0.certainty == Certainty::NotApplied
    }

    /// The server's code, if it was the server that refused.
    pub(super) fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// As the error of an operation that changes nothing.
    pub(super) fn of_read(self) -> StoreError {
        StoreError::Unavailable(Some(Box::new(self)))
    }

    /// As the error of an operation that changes something.
    pub(super) fn of_write(self) -> StoreError {
        match self.0.certainty {
            Certainty::NotApplied => StoreError::Unavailable(Some(Box::new(self))),
            Certainty::PerhapsApplied => StoreError::Unknown(Some(Box::new(self))),
        }
    }
}

/// Refusals that come before a script has changed anything.
const BEFORE: &[&str] = &[
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
];

/// The code of a refusal. Where a script was refused, older servers tell it in the text alone.
fn code(error: &ServerError) -> &str {
    let told = |code: &&&str| error.details().is_some_and(|details| details.contains(&format!(" -{code} ")));
    match error.code() {
        "ERR" if error.details().is_some_and(|details| details.contains("NOSESSION")) => "NOSESSION",
        "ERR" => BEFORE.iter().find(told).copied().unwrap_or("ERR"),
        code => code,
    }
}

/// A server's refusal without what was sent to it.
fn told(error: &ServerError) -> String {
    let details = error.details().unwrap_or_default();
    let details = details.split(", with args").next().unwrap_or_default();
    plain(&format_args!("{} {}", error.code(), details.chars().take(160).collect::<String>()))
}

/// On one line.
fn plain(text: &dyn fmt::Display) -> String {
    let text: String = text.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim_end().to_owned()
}

/// What to do about a refusal.
fn advice(code: &str) -> &'static str {
    match code {
        "LOADING" => "it reads its data, and will answer when it has",
        "READONLY" => "it is a replica; name the primary in `url`, or the Sentinels that know it",
        "MASTERDOWN" => "it is a replica that has lost its primary",
        "CLUSTERDOWN" => "a part of the cluster has no primary: see `CLUSTER INFO`",
        "TRYAGAIN" | "MOVED" | "ASK" => "its slots are being moved, and it settles by itself",
        "OOM" => "raise its `maxmemory`, or free some",
        "MISCONF" => "it can't save to its disk: see its log",
        "NOREPLICAS" => "fewer replicas than `min-replicas-to-write` follow it",
        "NOAUTH" | "WRONGPASS" => "check user and password in `url`",
        "NOPERM" => "give the user of `url` the rights that the store needs (docs/REDIS.md)",
        "BUSY" => "a script of another program holds it up",
        "WRONGTYPE" | "NOSESSION" => "another program has keys with this `key_prefix`: choose another",
        _ => "see its log",
    }
}

/// What an error of the driver is, if the server has refused.
pub(super) fn server_error(error: &RedisError) -> Option<ServerError> {
    error.clone().into_server_errors().and_then(|errors| errors.first().map(|(_, error)| error.clone()))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl Error for Failure {}
