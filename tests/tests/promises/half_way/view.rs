//! How things look from outside.

use sessions::{
    SessionStore,
    store::{Owner, SessionId},
};
use sessions_tests::{Visitor, user};

use super::operation::Scene;

/// What clients, lists and the store tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Whom the cookie from before opens a session of, and what it holds.
    pub(super) who: Option<String>,
    pub(super) keys: Vec<String>,
    /// Whether the other session of the person lives.
    pub(super) other: bool,
    /// How many sessions each person has.
    pub(super) ada: usize,
    pub(super) eve: usize,
    /// How many records there are.
    pub(super) stored: u64,
}

impl View {
    /// Looks, without touching or rotating anything.
    pub(super) async fn of(scene: &Scene) -> Self {
        let session = scene.outside.resolve(&scene.visitor.request()).await.unwrap();
        let mut keys = session.keys();
        keys.sort();
        let other = match &scene.other {
            Some(other) => opens(scene, other).await,
            None => false,
        };
        Self {
            who: session.principal().map(|principal| principal.id().to_owned()),
            keys,
            other,
            ada: listed(scene, "ada").await,
            eve: listed(scene, "eve").await,
            stored: scene.store.calm().stats().await.unwrap().sessions,
        }
    }

    /// Whether it is what the visitor had or would have, whatever else there is.
    pub(super) fn is_as_for_the_visitor(&self, whole: &Self) -> bool {
        (&self.who, &self.keys) == (&whole.who, &whole.keys)
    }
}

pub(super) async fn opens(scene: &Scene, visitor: &Visitor) -> bool {
    scene.outside.resolve(&visitor.request()).await.unwrap().is_authenticated()
}

async fn listed(scene: &Scene, id: &str) -> usize {
    scene.outside.sessions_of(&user(id)).await.unwrap().len()
}

/// Whether a session of the person holds a key: of a session whose cookie no one got.
pub(super) async fn is_held_by(scene: &Scene, id: &str, key: &str) -> bool {
    let owner = Owner::of(scene.outside.policy().name(), "user", id);
    let now = sessions::Clock::now(&scene.clock);
    let listed = scene.store.calm().list(owner, None::<SessionId>, 10, now).await.unwrap();
    listed.iter().any(|listed| listed.stored.record.windows(key.len()).any(|part| part == key.as_bytes()))
}
