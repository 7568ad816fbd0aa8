//! The folders that are refused, and what is never followed or lost in one.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use super::*;

async fn refusal(path: PathBuf) -> String {
    let error = FileStore::open(path).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    cause(&error)
}

#[tokio::test]
async fn a_folder_that_others_can_write_to_is_refused() {
    for mode in [0o777, 0o770, 0o720, 0o702, 0o1777] {
        let place = Place::new();
        fs::create_dir(place.path()).unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
        let cause = refusal(place.path()).await;
        assert!(cause.contains("can be written to by others"), "{mode:o}: {cause}");
        assert!(place.names().iter().all(|name| name == "sessions.lock"), "{:?}", place.names());
    }
}

#[tokio::test]
async fn a_link_a_file_and_a_missing_parent_are_refused_with_the_fix() {
    let place = Place::new();
    let folder = place.0.path().join("elsewhere");
    fs::create_dir(&folder).unwrap();
    symlink(&folder, place.path()).unwrap();
    assert!(refusal(place.path()).await.contains("is a link"));
    let file = place.0.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(refusal(file).await.contains("is a file"));
    assert!(refusal(place.0.path().join("missing/store")).await.contains("make that one first"));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

#[tokio::test]
async fn links_in_the_folder_lead_nowhere() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    store.admit(login(user, 1)).await.unwrap();
    drop(store);
    let outside = place.0.path().join("outside");
    let own = place.path_of(".session");
    fs::rename(&own, &outside).unwrap();
    let kept = fs::read(&outside).unwrap();
    symlink(&outside, &own).unwrap();
    // A draft that is left over may be a link as well.
    symlink(&outside, place.path().join("sessions.tmp")).unwrap();
    let store = place.open().await;
    assert!(!is_live(&store, id(user, 1)).await, "what it leads to is not read");
    store.admit(login(user, 1)).await.unwrap();
    assert!(is_live(&store, id(user, 1)).await);
    assert_eq!(fs::read(&outside).unwrap(), kept, "what it leads to is not written");
    drop(store);
    let lock = place.path().join("sessions.lock");
    fs::remove_file(&lock).unwrap();
    symlink(place.0.path().join("made"), &lock).unwrap();
    assert!(refusal(place.path()).await.contains("is a link"));
    assert!(!place.0.path().join("made").exists());
}

#[tokio::test]
async fn what_is_damaged_counts_as_absent_and_is_kept_aside() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    store.admit(login(user, 1)).await.unwrap();
    drop(store);
    let file = place.path_of(".session");
    let damages: [fn(&mut Vec<u8>); 3] = [|bytes| bytes[60] ^= 1, |bytes| bytes.truncate(30), Vec::clear];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        fs::write(&file, &bytes).unwrap();
        let store = place.open().await;
        assert!(!is_live(&store, id(user, 1)).await);
        let aside = place.path_of(&format!(".damaged-{}", number + 1));
        assert_eq!(fs::read(aside).unwrap(), bytes);
        store.admit(login(user, 1)).await.unwrap();
        assert!(is_live(&store, id(user, 1)).await);
    }
}

#[tokio::test]
async fn a_copy_under_another_name_is_no_session() {
    let (place, user) = (Place::new(), owner(1));
    let store = place.open().await;
    store.admit(login(user, 1)).await.unwrap();
    end(&store, id(user, 1)).await;
    let before = fs::read(place.path_of(".session")).unwrap();
    store.admit(login(user, 2)).await.unwrap();
    drop(store);
    let names = place.names();
    let other = names.iter().find(|name| fs::read(place.path().join(name)).unwrap() != before).unwrap();
    fs::write(place.path().join(other), before).unwrap();
    let store = place.open().await;
    assert!(!is_live(&store, id(user, 1)).await && !is_live(&store, id(user, 2)).await);
}

#[tokio::test]
async fn what_others_have_put_there_stays() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["notes.txt", ".gitignore", "x.session"] {
        fs::write(place.path().join(name), "mine").unwrap();
    }
    drop(place.open().await);
    assert_eq!(place.names(), [".gitignore", "notes.txt", "sessions.lock", "x.session"]);
}
