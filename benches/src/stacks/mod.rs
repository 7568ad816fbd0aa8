//! The stacks that are set side by side: the same routes with the same work and the same response headers, each on
//! another session layer or on none. How they are measured stands elsewhere.
//!
//! | route | what it does |
//! |---|---|
//! | `GET /untouched` | asks for no session |
//! | `GET /read` | reads the user's id and the counter; 401 without |
//! | `POST /set` | reads the counter and sets it one higher |
//! | `POST /set-slow` | the same, with 2 ms of work in between |
//! | `POST /update`, `/update-slow` | the same by an atomic update, where the layer has one |
//! | `POST /login` | a new session of a new user: the user's id, three attributes and a counter |
//! | `POST /logout` | ends it |
//! | `GET /count` | tells the counter |

pub(crate) mod actix;
mod axum_session;
mod bare;
mod ours;
mod tower;

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use ::axum::{Router, http::StatusCode};

use crate::Outcome;

/// What every session holds besides the user's id and the counter `n`.
const ATTRIBUTES: [(&str, &str); 3] = [("theme", "dark"), ("lang", "en"), ("tz", "Europe/London")];

/// The bytes of a session's data as JSON, with a user's id of six digits.
pub(crate) const PAYLOAD: f64 = 75.0;

/// The work between reading and writing on the slow routes, as long as one query of a database.
const WORK: Duration = Duration::from_millis(2);

/// A session layer under the routes, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stack {
    /// axum alone: what the others are compared with.
    Bare,
    /// The same once more: what differs from `Bare` is noise.
    BareAgain,
    Ours,
    Tower,
    TowerMoka,
    AxumSession,
    /// actix-web alone.
    BareActix,
    ActixCookie,
}

impl Stack {
    pub(crate) const ALL: [Self; 8] = [
        Self::Bare,
        Self::BareAgain,
        Self::Ours,
        Self::Tower,
        Self::TowerMoka,
        Self::AxumSession,
        Self::BareActix,
        Self::ActixCookie,
    ];

    /// Those that are a tower service and can be called without a socket.
    pub(crate) const IN_PROCESS: [Self; 6] =
        [Self::Bare, Self::BareAgain, Self::Ours, Self::Tower, Self::TowerMoka, Self::AxumSession];

    /// The word for it on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::BareAgain => "bare-again",
            Self::Ours => "sessions",
            Self::Tower => "tower",
            Self::TowerMoka => "tower-moka",
            Self::AxumSession => "axum-session",
            Self::BareActix => "bare-actix",
            Self::ActixCookie => "actix-cookie",
        }
    }

    /// What it is called in the results.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare axum",
            Self::BareAgain => "bare axum once more",
            Self::Ours => "sessions",
            Self::Tower => "tower-sessions 0.15 memory",
            Self::TowerMoka => "tower-sessions 0.14 moka",
            Self::AxumSession => "axum_session 0.22",
            Self::BareActix => "bare actix-web",
            Self::ActixCookie => "actix-session 0.11 cookie",
        }
    }

    pub(crate) fn of_word(word: &str) -> Outcome<Self> {
        let found = Self::ALL.into_iter().find(|stack| stack.word() == word);
        let words = || Self::ALL.map(Self::word).join(", ");
        found.ok_or_else(|| format!("`{word}` is no stack: write one of {}", words()).into())
    }

    /// Whether it has sessions.
    pub(crate) fn is_layer(self) -> bool {
        !matches!(self, Self::Bare | Self::BareAgain | Self::BareActix)
    }

    /// The same server without sessions.
    pub(crate) fn base(self) -> Self {
        match self {
            Self::BareActix | Self::ActixCookie => Self::BareActix,
            _ => Self::Bare,
        }
    }

    pub(crate) fn is_actix(self) -> bool {
        self.base() == Self::BareActix
    }

    /// Whether the layer has an atomic update besides reading and setting.
    pub(crate) fn updates(self) -> bool {
        self == Self::Ours
    }

    /// The routes, with room for so many sessions.
    pub(crate) async fn router(self, sessions: usize) -> Outcome<Router> {
        Ok(match self {
            Self::Bare | Self::BareAgain => bare::router(),
            Self::Ours => ours::router(sessions).await?,
            Self::Tower => tower::memory::router(tower_sessions::MemoryStore::default()),
            Self::TowerMoka => tower::moka::router(tower_sessions_moka_store::MokaStore::new(None)),
            Self::AxumSession => axum_session::router().await?,
            Self::BareActix | Self::ActixCookie => {
                return Err("actix-web is no tower service: measure it over sockets".into());
            }
        })
    }
}

/// The name of a user who was never there before.
fn new_user() -> String {
    static USERS: AtomicU64 = AtomicU64::new(0);
    format!("u{}", USERS.fetch_add(1, Relaxed))
}

/// What a handler answers to an error of its session layer.
fn failed<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_as_long_as_it_is_said_to_be() {
        let mut data = serde_json::json!({ "user_id": "u123456", "n": 0 });
        for (key, value) in ATTRIBUTES {
            data[key] = value.into();
        }
        assert_eq!(format!("{}", data.to_string().len()), format!("{PAYLOAD}"));
    }

    #[test]
    fn each_stack_is_found_by_its_word() {
        for stack in Stack::ALL {
            assert_eq!(Stack::of_word(stack.word()).unwrap(), stack);
        }
        assert!(Stack::of_word("apache").unwrap_err().to_string().contains("bare, bare-again"));
    }
}
