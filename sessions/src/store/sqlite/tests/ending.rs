//! How a store is closed.

use super::*;

#[tokio::test]
async fn a_shutdown_finishes_what_waits_and_leaves_one_file() {
    let directory = Directory::new();
    let store = directory.open().await;
    let writes: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.cas(creation(anonymous(number), NOW)).await })
        })
        .collect();
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    store.shutdown().await.unwrap();
    let mut stored = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(CasOutcome::Stored) => stored += 1,
            outcome => assert!(is_unavailable(&outcome), "it came after the shutdown: {outcome:?}"),
        }
    }
    assert!(stored > 0);
    assert!(!directory.beside("-wal").exists(), "the log is in the file");
    let store = directory.open().await;
    assert_eq!(store.stats().await.unwrap().sessions, stored);
}

#[tokio::test]
async fn a_store_that_is_shut_down_is_unavailable() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let clone = store.clone();
    store.shutdown().await.unwrap();
    store.shutdown().await.unwrap();
    assert!(is_unavailable(&clone.cas(change(anonymous(1), 1, NOW)).await));
    assert!(is_unavailable(&clone.end(end_one(anonymous(1), EndReason::LoggedOut, NOW)).await));
    let load = clone.load(anonymous(1), NOW).await;
    assert!(is_unavailable(&load));
    assert!(told(&load.unwrap_err()).contains("is shut down: open it again"));
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_reader_of_another_process() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let shell = directory.shell();
    shell.execute_batch("BEGIN; SELECT count(*) FROM session").unwrap();
    store.create(anonymous(2), NOW).await;
    store.shutdown().await.unwrap();
    drop(shell);
    assert_eq!(directory.open().await.stats().await.unwrap().sessions, 2);
}

#[tokio::test]
async fn the_last_clone_takes_the_threads_along() {
    let directory = Directory::new();
    let store = directory.open().await;
    let clone = store.clone();
    drop(store);
    clone.create(anonymous(1), NOW).await;
    drop(clone);
    // Who closes the file last removes its log.
    for _ in 0..500 {
        if !directory.beside("-wal").exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the file is still open");
}
