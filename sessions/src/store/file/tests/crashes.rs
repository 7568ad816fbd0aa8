//! A crash between any two steps on disk: the folder as it is there, opened again.

use std::fs;

use super::{
    super::{
        book::Change,
        entry::{Content, Key},
        folder::Folder,
    },
    *,
};

/// Two live sessions of a user, and the folder as it was before and after a third login that evicts the first.
async fn before_and_after() -> (Place, PathBuf, PathBuf) {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    for number in [1, 2] {
        store.admit(login(user, number)).await.unwrap();
    }
    let (before, after) = (place.0.path().join("before"), place.0.path().join("after"));
    copy(&place.path(), &before);
    store.admit(limited(user, 3, 2)).await.unwrap();
    copy(&place.path(), &after);
    drop(store);
    (place, before, after)
}

/// Every folder that a crash in the middle of that login may leave: how many of its files have got their names.
fn crashes(place: &Place, before: &Path, after: &Path) -> Vec<(PathBuf, bool)> {
    let names: Vec<_> = fs::read_dir(after)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| fs::read(before.join(name)).ok() != fs::read(after.join(name)).ok())
        .collect();
    assert_eq!(names.len(), 2, "a tombstone and a session");
    let changes: Vec<Change> = names
        .iter()
        .map(|name| Change::Put(Content::decode(&fs::read(after.join(name)).unwrap()).unwrap()))
        .collect();
    let mut folders = Vec::new();
    for named in 0..=names.len() {
        for has_happened in [false, true] {
            if !has_happened && named > 0 {
                continue;
            }
            let crashed = place.0.path().join(format!("crashed-{named}-{has_happened}"));
            copy(before, &crashed);
            if has_happened {
                fs::write(crashed.join("sessions.intent"), super::super::folder::intent_of(&changes))
                    .unwrap();
            }
            fs::write(crashed.join("sessions.tmp"), b"half of some").unwrap();
            for name in &names[..named] {
                fs::copy(after.join(name), crashed.join(name)).unwrap();
            }
            folders.push((crashed, has_happened));
        }
    }
    folders
}

#[tokio::test]
async fn a_crash_in_a_login_breaks_no_limit_and_loses_nothing() {
    let (place, before, after) = before_and_after().await;
    let user = owner(1);
    for (crashed, has_happened) in crashes(&place, &before, &after) {
        let store = FileStore::open(&crashed).await.unwrap();
        let mut live = Vec::new();
        for number in 1..=3 {
            if is_live(&store, id(user, number)).await {
                live.push(number);
            }
        }
        let expected = if has_happened { [2, 3] } else { [1, 2] };
        assert_eq!(live, expected, "{}", crashed.display());
        let left: Vec<_> = fs::read_dir(&crashed).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name == "sessions.tmp" || name == "sessions.intent"), "{left:?}");
    }
}

#[tokio::test]
async fn a_disk_that_fails_in_the_middle_is_finished_by_the_next_operation() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    for number in [1, 2] {
        store.admit(login(user, number)).await.unwrap();
    }
    // A folder that is not empty takes the place of the new session's file: nothing can be renamed over it.
    let name = Key::Session(id(user, 3)).file_name();
    fs::create_dir(place.path().join(&name)).unwrap();
    fs::write(place.path().join(&name).join("x"), "").unwrap();
    let unknown = store.admit(limited(user, 3, 2)).await.unwrap_err();
    assert!(matches!(unknown, StoreError::Unknown(_)), "{unknown:?}");
    let unavailable = store.load(id(user, 1), NOW).await.unwrap_err();
    assert!(matches!(unavailable, StoreError::Unavailable(_)), "{unavailable:?}");
    fs::remove_dir_all(place.path().join(&name)).unwrap();
    assert!(is_live(&store, id(user, 3)).await);
    assert!(!is_live(&store, id(user, 1)).await);
    assert!(is_live(&store, id(user, 2)).await);
}

#[tokio::test]
async fn a_write_that_fails_before_it_has_happened_changes_nothing() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    store.admit(login(user, 1)).await.unwrap();
    // A folder in the place of the draft: it can't be written.
    fs::create_dir(place.path().join("sessions.tmp")).unwrap();
    for failing in [login(user, 2), limited(user, 2, 1)] {
        let error = store.admit(failing).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(is_live(&store, id(user, 1)).await && !is_live(&store, id(user, 2)).await);
    }
    fs::remove_dir(place.path().join("sessions.tmp")).unwrap();
    store.admit(limited(user, 2, 1)).await.unwrap();
    assert!(!is_live(&store, id(user, 1)).await && is_live(&store, id(user, 2)).await);
}

#[tokio::test]
async fn a_damaged_intent_names_no_file_outside_and_is_kept_aside() {
    let place = Place::new();
    drop(place.open().await);
    fs::write(place.path().join("sessions.intent"), b"SESSINT1 and nothing else").unwrap();
    let folder = Folder::open(&place.path()).unwrap();
    assert!(folder.read().unwrap().is_empty());
    assert_eq!(place.names(), ["sessions.intent.damaged-1", "sessions.lock"]);
}
