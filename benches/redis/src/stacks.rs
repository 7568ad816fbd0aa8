//! The stacks that are set side by side: the same routes with the same work and the same response headers, each on
//! another session layer, all of them on one Redis server.
//!
//! | route | what it does |
//! |---|---|
//! | `GET /read` | reads the user's id and the counter; 401 without |
//! | `POST /set` | reads the counter and sets it one higher |
//! | `POST /login` | a new session of a new user: the user's id, three attributes and a counter |
//! | `GET /cpu` | nanoseconds of processor that the process has used |

mod actix;
mod bare;
mod ours;
mod tower;

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use axum::{Router, routing::get};

use crate::{Outcome, machine};

/// What every session holds besides the user's id and the counter `n`.
const ATTRIBUTES: [(&str, &str); 3] = [("theme", "dark"), ("lang", "en"), ("tz", "Europe/London")];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stack {
    /// axum with a handler that sends one GET, or a GET and a SET: what the others are compared with.
    Bare,
    Ours,
    Tower,
    Actix,
    Express,
}

impl Stack {
    pub(crate) const ALL: [Self; 5] = [Self::Bare, Self::Ours, Self::Tower, Self::Actix, Self::Express];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Ours => "sessions",
            Self::Tower => "tower",
            Self::Actix => "actix",
            Self::Express => "express",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "axum, bare GET (+ SET)",
            Self::Ours => "sessions",
            Self::Tower => "tower-sessions 0.14, redis-store 0.16",
            Self::Actix => "actix-session 0.11",
            Self::Express => "express-session, connect-redis",
        }
    }

    pub(crate) fn of_word(word: &str) -> Outcome<Self> {
        let found = Self::ALL.into_iter().find(|stack| stack.word() == word);
        let words = || Self::ALL.map(Self::word).join(", ");
        found.ok_or_else(|| format!("`{word}` is no stack: write one of {}", words()).into())
    }
}

/// Serves a stack on a port of its own, which it tells, until it is killed.
pub(crate) fn serve(stack: Stack, redis: u16) -> Outcome<()> {
    machine::pin_to(0);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?.port());
    let url = format!("redis://127.0.0.1:{redis}");
    if stack == Stack::Actix {
        return actix::serve(listener, &url);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let router: Router = match stack {
            Stack::Bare => bare::router(&url).await?,
            Stack::Ours => ours::router(&url).await?,
            Stack::Tower => tower::router(&url).await?,
            Stack::Actix | Stack::Express => return Err("it is no tower service".into()),
        };
        let router = router.route("/cpu", get(async || machine::processor_time().to_string()));
        axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await?;
        Ok(())
    })
}

/// The name of a user who was never there before.
fn new_user() -> String {
    static USERS: AtomicU64 = AtomicU64::new(0);
    format!("u{}", USERS.fetch_add(1, Relaxed))
}
