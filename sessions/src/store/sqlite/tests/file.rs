//! Files that can't be used, and files that go wrong while they are open: errors, and never a guess.

use super::*;

async fn refused(path: impl AsRef<Path>) -> String {
    let outcome = SqliteStore::open(path).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    told(&outcome.unwrap_err())
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(directory.beside(suffix)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_told_with_what_to_do() {
    let directory = Directory::new();
    let text = refused(directory.0.join("missing/sessions.db")).await;
    assert!(text.contains("missing/sessions.db") && text.contains("make its directory first"), "{text}");
    let text = refused(&directory.0).await;
    assert!(text.contains("can't be"), "{text}");
    std::fs::write(directory.file(), "no database, but long enough to be looked at ".repeat(50)).unwrap();
    let text = refused(directory.file()).await;
    assert!(text.contains("is not a database: name another path"), "{text}");
}

#[tokio::test]
async fn a_database_of_something_else_is_left_alone() {
    let directory = Directory::new();
    directory.shell().execute_batch("CREATE TABLE customer (name TEXT)").unwrap();
    let before = std::fs::read(directory.file()).unwrap();
    let text = refused(directory.file()).await;
    assert!(text.contains("not one of sessions"), "{text}");
    assert_eq!(std::fs::read(directory.file()).unwrap(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_deleted_or_replaced_takes_no_write_and_gives_no_answer() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let kept = directory.0.join("kept.db");
    std::fs::rename(directory.file(), &kept).unwrap();
    assert!(is_unavailable(&store.load(anonymous(1), NOW).await));
    let outcome = store.cas(change(anonymous(1), 1, NOW)).await;
    assert!(is_unavailable(&outcome));
    assert!(told(&outcome.unwrap_err()).contains("was moved, deleted or replaced"));
    std::fs::write(directory.file(), "").unwrap();
    assert!(is_unavailable(&store.cas(change(anonymous(1), 1, NOW)).await), "another file is there now");
    std::fs::rename(&kept, directory.file()).unwrap();
    assert!(matches!(store.cas(change(anonymous(1), 1, NOW)).await, Ok(CasOutcome::Stored)), "it came back");
}

#[tokio::test]
async fn a_full_disk_refuses_what_has_no_room_and_keeps_the_rest() {
    let directory = Directory::new();
    let few = |shell: &Connection| shell.query_one("PRAGMA max_page_count = 40", [], |_| Ok(()));
    let store = SqliteStore::open_with(&directory.file(), few).await.unwrap();
    let large = |number| {
        let record = [&record(1, NOW)[..], &[b'x'; 3_000]].concat().into();
        Cas { record, ..creation(anonymous(number), NOW) }
    };
    let mut stored = 0;
    let full = loop {
        match store.cas(large(stored)).await {
            Ok(CasOutcome::Stored) => stored += 1,
            other => break other,
        }
    };
    assert!(is_unavailable(&full) && stored > 5, "{stored}: {full:?}");
    assert!(told(&full.unwrap_err()).contains("can't grow: make room on its disk"));
    assert_eq!(store.stats().await.unwrap().sessions, stored as u64);
    assert!(matches!(store.look(anonymous(0), NOW).await, Look::Live(1, NOW)));
    // Ending needs no room, and what is swept makes some.
    for number in 0..stored {
        let ended = store.end(end_one(anonymous(number), EndReason::LoggedOut, NOW)).await.unwrap();
        assert_eq!(ended.ids, [anonymous(number)]);
    }
    let later = NOW + crate::store::TOMBSTONE_MS;
    assert_eq!(store.sweep(later, usize::MAX).await.unwrap(), stored);
    assert!(matches!(store.cas(large(stored)).await, Ok(CasOutcome::Stored)));
}

#[tokio::test]
async fn a_file_that_can_only_be_read_is_read_and_refuses_writes() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    store.shutdown().await.unwrap();
    let read_only = |shell: &Connection| shell.pragma_update(None, "query_only", true);
    let store = SqliteStore::open_with(&directory.file(), read_only).await.unwrap();
    assert_eq!(store.look(anonymous(1), NOW).await, Look::Live(1, NOW));
    let outcome = store.cas(change(anonymous(1), 1, NOW)).await;
    assert!(is_unavailable(&outcome));
    assert!(told(&outcome.unwrap_err()).contains("can't be written: give this process the right"));
    let at = NOW + HOUR;
    assert_eq!(
        store.look(anonymous(1), at).await,
        Look::Ended(EndReason::Expired),
        "it is judged all the same"
    );
}

#[tokio::test]
async fn a_damaged_file_gives_errors() {
    let directory = Directory::new();
    let store = directory.open().await;
    for number in 0..200 {
        store.log_in(of(owner(number), number), owner(number), NOW).await;
    }
    store.shutdown().await.unwrap();
    let mut bytes = std::fs::read(directory.file()).unwrap();
    // The first page, which holds the schema, stays; everything else is noise.
    for (index, byte) in bytes.iter_mut().enumerate().skip(4_096) {
        *byte = u8::try_from(index * 7 % 251).unwrap();
    }
    std::fs::write(directory.file(), bytes).unwrap();
    let Ok(store) = SqliteStore::open(directory.file()).await else { return };
    let id = of(owner(1), 1);
    assert!(store.load(id, NOW).await.is_err());
    assert!(store.cas(change(id, 1, NOW)).await.is_err());
    assert!(store.admit(login(of(owner(1), 500), owner(1), NOW)).await.is_err());
    assert!(store.end(end_all(owner(1), NOW)).await.is_err());
    assert!(store.list(owner(1), None, 10, NOW).await.is_err());
}

#[tokio::test]
async fn debug_and_errors_show_the_path_and_no_session() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let text = format!("{store:?}");
    assert!(text.contains("sessions.db") && !text.contains("SessionId"), "{text}");
    directory.shell().execute_batch("DROP TABLE session").unwrap();
    let error = store.cas(creation(anonymous(1), NOW)).await.unwrap_err();
    let text = format!("{error:?} {}", told(&error));
    assert!(text.contains("sessions.db") && !text.contains("payload"), "{text}");
}
