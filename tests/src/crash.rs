//! What the crash tests and the process that they kill say to each other, and the engine that both use.
//!
//! The parent writes a [`Start`] as one line of JSON to the worker's standard input. The worker writes a [`Line`] before
//! each operation and another after its answer, and goes on until it is killed.

use std::path::Path;

use http::{Request, Response, header};
use serde::{Deserialize, Serialize};
use sessions::{
    BehaviorOnLimit, Session, SessionEngine, SessionError, SessionPolicy, SharedStore, StoreError,
    store::{FileStore, SqliteStore},
};

/// How many sessions a person may have.
pub const LIMIT: usize = 2;

/// How many operations on a counter are remembered in it; a worker does fewer in its life.
pub const REMEMBERED: usize = 600;

/// What a client does all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Updates a value that others update too.
    Counter,
    /// Sets a key of its own session to one more each time.
    Setter,
    /// Logs in and out, and has more sessions than it may.
    Member,
    /// The same, together with another of the same principal.
    Racer,
    /// Changes the id of its session.
    Rotator,
    /// Logs in twice, and revokes one or both.
    Revoker,
}

/// A client as it begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// What it does.
    pub role: Role,
    /// Whose sessions it has.
    pub principal: String,
    /// The cookies that it holds, oldest first.
    pub cookies: Vec<String>,
    /// What it counts on from.
    pub from: u64,
}

/// What a worker is told at its start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// What its dice roll.
    pub seed: u64,
    /// Its clients.
    pub clients: Vec<Begin>,
}

/// One operation of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// An update that leaves this number in the counter's list.
    Count(u64),
    /// A set of the key to this number.
    Set(u64),
    /// A login.
    Login,
    /// A logout with this cookie.
    Logout(String),
    /// A change of the id.
    Rotate,
    /// The end of all sessions of the principal but the one with this cookie.
    RevokeOthers(String),
    /// The end of all sessions of the principal.
    RevokeAll,
}

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Line {
    /// The store is open.
    Ready,
    /// A client begins an operation.
    Try(usize, Step),
    /// The operation was acknowledged, with this new cookie if there is one.
    Did(usize, Step, Option<String>),
    /// The operation was refused, or its outcome is unknown: the text says why.
    Failed(usize, Step, String),
}

/// A value that many update.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Work {
    /// How often.
    pub count: u64,
    /// The last operations, oldest first.
    pub operations: Vec<u64>,
}

/// How long an operation may take.
const LIMIT_OF_TIME: std::time::Duration = std::time::Duration::from_secs(10);

/// The file that tells where a store is that is no file.
pub const ADDRESS: &str = "address";

/// Opens a store of a kind, `file`, `sqlite` or `postgres`, in a folder, or where the file [`ADDRESS`] in it says.
///
/// # Errors
/// Those of the store.
pub async fn open(kind: &str, folder: &Path) -> Result<SharedStore, StoreError> {
    Ok(match kind {
        "file" => SharedStore::new(FileStore::open(folder.join("sessions")).await?),
        "sqlite" => SharedStore::new(SqliteStore::open(folder.join("sessions.db")).await?),
        "postgres" => {
            let url = std::fs::read_to_string(folder.join(ADDRESS)).unwrap();
            SharedStore::new(crate::servers::postgres::builder(&url).timeout(LIMIT_OF_TIME).open().await?)
        }
        other => panic!("no crash test knows a store of the kind `{other}`"),
    })
}

/// The engine of parent and worker.
pub fn engine(store: SharedStore) -> SessionEngine {
    let most = u32::try_from(LIMIT).unwrap();
    let policy = SessionPolicy::for_web_users().max_concurrent(most, BehaviorOnLimit::EvictOldest);
    let store = store.with_limit(LIMIT_OF_TIME);
    SessionEngine::builder(policy.build().unwrap()).store(store).build()
}

/// Opens the session of a cookie.
///
/// # Errors
/// Those of [`SessionEngine::resolve`].
pub async fn resolve(engine: &SessionEngine, cookie: Option<&str>) -> Result<Session, SessionError> {
    let mut request = Request::new(());
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
    }
    engine.resolve(&request).await
}

/// Commits, and gives the new cookie if there is one.
///
/// # Errors
/// Those of [`SessionEngine::commit`].
pub async fn finish(engine: &SessionEngine, session: &Session) -> Result<Option<String>, SessionError> {
    let mut response = Response::new(());
    engine.commit(session, &mut response).await?;
    let cookie = response.headers().get(header::SET_COOKIE);
    Ok(cookie.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()))
}

/// A generator for tests: the same numbers for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}
