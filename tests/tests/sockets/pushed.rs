//! Stores that tell of endings by themselves: sockets are closed by the word, and not looked for every second.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sessions::{
    MemoryStore, SessionEnding, SessionEngine, SessionId, SessionPolicy, SessionPrincipal, SessionStore,
    SharedStore, StoreError,
    store::{
        Admit, Admitted, Cas, CasOutcome, End, Ended, Endings, Listed, Loaded, Millis, Owner, StoreStats,
        Touch, Touched,
    },
    testing::{Operation, SpyStore},
};
use tokio::time::{sleep, timeout};

/// A store of several processes, of which each hears what the others end.
#[derive(Clone, Debug)]
struct Telling {
    store: MemoryStore,
    listeners: Arc<Mutex<Vec<Endings>>>,
}

impl Telling {
    fn tell(&self, word: impl Fn(&Endings)) {
        let mut listeners = self.listeners.lock().unwrap();
        listeners.retain(Endings::is_open);
        listeners.iter().for_each(word);
    }
}

impl SessionStore for Telling {
    async fn load(&self, id: SessionId, now: Millis) -> Result<Loaded, StoreError> {
        self.store.load(id, now).await
    }
    async fn cas(&self, write: Cas) -> Result<CasOutcome, StoreError> {
        self.store.cas(write).await
    }
    async fn touch(&self, touch: Touch) -> Result<Touched, StoreError> {
        self.store.touch(touch).await
    }
    async fn admit(&self, admit: Admit) -> Result<Admitted, StoreError> {
        self.store.admit(admit).await
    }
    async fn end(&self, end: End) -> Result<Ended, StoreError> {
        let ended = self.store.end(end).await?;
        ended.ids.iter().for_each(|id| self.tell(|to| to.ended(*id)));
        Ok(ended)
    }
    async fn list(
        &self,
        owner: Owner,
        after: Option<SessionId>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Listed>, StoreError> {
        self.store.list(owner, after, limit, now).await
    }
    async fn sweep(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        self.store.sweep(now, limit).await
    }
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.store.stats().await
    }
    fn tell_endings(&self, to: Endings) -> bool {
        self.listeners.lock().unwrap().push(to);
        true
    }
}

fn engine(store: &SpyStore<Telling>) -> SessionEngine {
    SessionEngine::new(SessionPolicy::user_default(), SharedStore::new(store.clone()))
}

#[tokio::test]
async fn a_store_that_tells_is_asked_when_it_has_something_to_tell() {
    let store = SpyStore::new(Telling { store: MemoryStore::new(100), listeners: Arc::default() });
    let (here, there) = (engine(&store), engine(&store));
    let ada = SessionPrincipal::user("ada");
    let mut session = here.resolve(&http::Request::new(())).await.unwrap();
    session.mark_authenticated(ada.clone());
    session.commit().await.unwrap();
    let watch = session.watch().await.unwrap();
    sleep(Duration::from_millis(50)).await;

    store.take_counts();
    sleep(Duration::from_millis(2_200)).await;
    assert_eq!(store.take_counts().of(Operation::LoadMany), 0, "no word, no look");

    store.inner().tell(Endings::lost);
    sleep(Duration::from_millis(2_200)).await;
    assert!(store.take_counts().of(Operation::LoadMany) >= 2, "deaf, it is looked for again");
    store.inner().tell(Endings::restored);
    sleep(Duration::from_millis(900)).await;
    store.take_counts();
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(store.take_counts().of(Operation::LoadMany), 0);

    there.revoke_all(&ada).await.unwrap();
    assert_eq!(timeout(Duration::from_millis(200), watch.ended()).await, Ok(SessionEnding::Revoked));
    drop(watch);
    drop(session);
    drop(here);
    sleep(Duration::from_millis(100)).await;
    store.inner().tell(|_| panic!("no one listens any more"));
}
