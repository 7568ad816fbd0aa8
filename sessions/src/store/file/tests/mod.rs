//! Tests of the store in files: the contract over restarts, crashes between any two steps, and the folders that it
//! refuses.

mod conformance;
mod crashes;
#[cfg(unix)]
mod folders;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::FileStore;
use crate::store::*;

const NOW: Millis = 1_767_225_600_000;
const HOUR: Millis = 3_600_000;

/// A folder of one test, which goes with it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::Builder::new().prefix("sessions-").tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("store")
    }

    async fn open(&self) -> FileStore {
        FileStore::open(self.path()).await.unwrap()
    }

    /// The names of all files, sorted.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn path_of(&self, ending: &str) -> PathBuf {
        let names = self.names();
        self.path().join(names.iter().find(|name| name.ends_with(ending)).unwrap())
    }
}

fn owner(number: u32) -> Owner {
    Owner::of("shop", "user", &number.to_string())
}

fn id(owner: Owner, number: u8) -> SessionId {
    SessionId::new(owner.bucket(), [number; 16])
}

fn record(version: u64) -> Arc<[u8]> {
    [version.to_be_bytes().as_slice(), &NOW.to_be_bytes(), b"what the session holds"].concat().into()
}

fn login(owner: Owner, number: u8) -> Admit {
    Admit {
        id: id(owner, number),
        owner,
        record: record(u64::from(number)),
        expires: NOW + HOUR,
        limit: None,
        replaces: None,
        began: NOW << 16,
        now: NOW,
        deadline: NOW + 2_000,
    }
}

fn limited(owner: Owner, number: u8, max: u32) -> Admit {
    let limit = Some(Limit { max, behavior: BehaviorOnLimit::EvictOldest });
    Admit { limit, ..login(owner, number) }
}

async fn is_live(store: &FileStore, id: SessionId) -> bool {
    matches!(store.load(id, NOW).await.unwrap(), Loaded::Live(_))
}

async fn end(store: &FileStore, id: SessionId) {
    let target = EndTarget::Session { id, owner: None };
    let ended = store.end(End { target, reason: EndReason::LoggedOut, now: NOW, stamp: 0 }).await.unwrap();
    assert_eq!(ended.ids, [id]);
}

/// What is behind an error, in words.
fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    for number in 1..=3 {
        store.admit(login(user, number)).await.unwrap();
    }
    end(&store, id(user, 2)).await;
    let touch = Touch { id: id(user, 1), owner: None, seen: NOW + 5, expires: NOW + 2 * HOUR };
    assert_eq!(store.touch(touch).await.unwrap(), Touched::Noted);
    let target = EndTarget::Owner { owner: owner(2), except: None };
    let stamp = (NOW + 1) << 16;
    store.end(End { target, reason: EndReason::Revoked, now: NOW, stamp }).await.unwrap();
    drop(store);

    let store = place.open().await;
    let ended = store.load(id(user, 2), NOW).await.unwrap();
    assert!(matches!(ended, Loaded::Ended(EndReason::LoggedOut)), "{ended:?}");
    let listed = store.list(user, None, 10, NOW).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|listed| listed.id).collect();
    assert_eq!(ids, [id(user, 1), id(user, 3)], "in the order of their logins");
    assert_eq!(listed[0].stored.last_seen, NOW + 5);
    assert_eq!(listed[0].stored.record, record(1));
    assert!(is_live(&store, id(user, 1)).await);
    assert_eq!(store.admit(login(owner(2), 9)).await.unwrap(), Admitted::Revoked);
    let evicted = vec![id(user, 1)];
    assert_eq!(store.admit(limited(user, 4, 2)).await.unwrap(), Admitted::Stored { evicted });
}

#[tokio::test]
async fn no_name_of_a_file_tells_an_id_and_no_one_else_reads_one() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    store.admit(login(user, 0xab)).await.unwrap();
    let [name, lock] = place.names().try_into().unwrap();
    assert!(name.ends_with(".session") && !name.contains("abab"), "{name}");
    assert_eq!(lock, "sessions.lock");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place.path()), 0o700);
        for name in place.names() {
            assert_eq!(mode(&place.path().join(&name)), 0o600, "{name}");
        }
    }
}

#[tokio::test]
async fn one_store_holds_a_folder_and_gives_it_up() {
    let place = Place::new();
    let store = place.open().await;
    let error = FileStore::open(place.path()).await.unwrap_err();
    assert!(cause(&error).contains("is held by another store or process"), "{error:?}");
    store.shutdown().await.unwrap();
    store.shutdown().await.unwrap();
    let next = place.open().await;
    let error = store.load(id(owner(1), 1), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    drop(next);
    place.open().await;
}

#[tokio::test]
async fn an_opening_waits_for_a_process_that_ends() {
    let place = Place::new();
    let store = place.open().await;
    let opening = tokio::spawn(FileStore::open(place.path()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(store);
    opening.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_sweep_leaves_no_file_behind() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    for number in 1..=9 {
        store.admit(login(user, number)).await.unwrap();
    }
    let target = EndTarget::Owner { owner: user, except: None };
    store.end(End { target, reason: EndReason::Revoked, now: NOW, stamp: NOW << 16 }).await.unwrap();
    assert_eq!(place.names().len(), 11, "tombstones, the owner and the lock");
    let later = NOW + TOMBSTONE_MS;
    assert_eq!(store.sweep(later - 1, 100).await.unwrap(), 0);
    assert_eq!(store.sweep(later, 4).await.unwrap(), 4);
    assert_eq!(store.sweep(later, 100).await.unwrap(), 5);
    assert_eq!(
        store.sweep(later + TOMBSTONE_MS - 2, 100).await.unwrap(),
        0,
        "the revocation stands for a while"
    );
    assert_eq!(store.sweep(later + TOMBSTONE_MS, 100).await.unwrap(), 1);
    assert_eq!(place.names(), ["sessions.lock"]);
}

#[tokio::test]
async fn what_no_one_waits_for_any_more_and_has_not_begun_is_not_done() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    let (go, waits) = std::sync::mpsc::channel::<()>();
    let blocked = tokio::spawn({
        let store = store.clone();
        async move { store.ask(move |_| Ok(waits.recv().is_ok())).await }
    });
    tokio::task::yield_now().await;
    let login = tokio::time::timeout(Duration::from_millis(20), store.admit(login(user, 1))).await;
    assert!(login.is_err(), "it waits for its turn");
    go.send(()).unwrap();
    assert!(blocked.await.unwrap().unwrap());
    assert!(!is_live(&store, id(user, 1)).await);
}

#[tokio::test]
async fn a_write_whose_turn_comes_after_its_deadline_is_late() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    let slow = store.ask(|_| {
        std::thread::sleep(Duration::from_millis(200));
        Ok(())
    });
    let hasty = Admit { deadline: NOW + 20, ..login(user, 1) };
    let (slow, late) = tokio::join!(slow, store.admit(hasty));
    slow.unwrap();
    assert_eq!(late.unwrap(), Admitted::Late);
    assert!(!is_live(&store, id(user, 1)).await);
    assert_eq!(place.names(), ["sessions.lock"]);
}

#[tokio::test]
async fn a_panic_loses_nothing() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    store.admit(login(user, 1)).await.unwrap();
    let fell = store.change::<()>(|_| std::panic::panic_any("on purpose")).await;
    assert!(matches!(fell, Err(StoreError::Unknown(_))), "{fell:?}");
    assert!(is_live(&store, id(user, 1)).await);
}
