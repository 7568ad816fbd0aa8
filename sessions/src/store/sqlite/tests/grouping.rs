//! Writes that come together share a transaction, and are answered after its commit, each for itself.

use super::*;

/// How many transactions the write-ahead log holds: frames that say how large the file is after a commit.
fn commits(directory: &Directory) -> usize {
    let log = std::fs::read(directory.beside("-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salts) = (number(8) as usize, [number(16), number(20)]);
    let frames = (32..log.len()).step_by(page + 24).take_while(|at| at + 24 + page <= log.len());
    frames.filter(|&at| [number(at + 8), number(at + 12)] == salts && number(at + 4) > 0).count()
}

#[tokio::test]
async fn writes_that_wait_share_a_transaction() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(0), NOW).await;
    let before = commits(&directory);
    let shell = directory.shell();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writes: Vec<_> = (1..=64)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.create(anonymous(number), NOW).await })
        })
        .collect();
    // Until all of them wait: they are in the queue after their first poll.
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    shell.execute_batch("ROLLBACK").unwrap();
    for write in writes {
        write.await.unwrap();
    }
    let transactions = commits(&directory) - before;
    assert!((1..=4).contains(&transactions), "{transactions} transactions for 64 writes");
    assert_eq!(store.stats().await.unwrap().sessions, 65);
}

#[tokio::test]
async fn an_operation_that_fails_hurts_no_other_of_its_transaction() {
    let directory = Directory::new();
    let store = directory.open().await;
    let shell = directory.shell();
    shell
        .execute_batch(
            "CREATE TRIGGER refuse AFTER INSERT ON session WHEN new.version = 666 \
             BEGIN SELECT raise(FAIL, 'refused'); END; BEGIN IMMEDIATE",
        )
        .unwrap();
    let writes: Vec<_> = (0..20)
        .map(|number| {
            let (store, bad) = (store.clone(), number == 7);
            let version = if bad { 666 } else { 1 };
            let write = Cas { record: record(version, NOW), ..creation(anonymous(number), NOW) };
            tokio::spawn(async move { (bad, store.cas(write).await) })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    shell.execute_batch("ROLLBACK").unwrap();
    for write in writes {
        let (bad, outcome) = write.await.unwrap();
        assert!(if bad { is_unavailable(&outcome) } else { matches!(outcome, Ok(CasOutcome::Stored)) });
    }
    assert_eq!(store.look(anonymous(7), NOW).await, Look::Absent);
    assert_eq!(store.stats().await.unwrap().sessions, 19, "what was rolled back does not count");
}

#[tokio::test]
async fn no_one_is_answered_before_the_commit() {
    let directory = Directory::new();
    let store = directory.open().await;
    // What a foreign key that is deferred refuses is refused by the commit.
    directory
        .shell()
        .execute_batch(
            "CREATE TABLE target (id INTEGER PRIMARY KEY); \
             CREATE TABLE pointer (id INTEGER REFERENCES target DEFERRABLE INITIALLY DEFERRED); \
             CREATE TRIGGER point AFTER INSERT ON session BEGIN INSERT INTO pointer VALUES (1); END",
        )
        .unwrap();
    let outcome = store.cas(creation(anonymous(1), NOW)).await;
    assert!(matches!(outcome, Err(StoreError::Unknown(_))), "{outcome:?}");
    assert_eq!(store.look(anonymous(1), NOW).await, Look::Absent);
    directory.shell().execute_batch("DROP TRIGGER point").unwrap();
    store.create(anonymous(1), NOW).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_whole_operation() {
    let directory = Directory::new();
    let store = directory.open().await;
    for number in 0..100 {
        let login = store.admit(login(of(owner(1), number), owner(1), NOW));
        // Polled once, so that it is in the queue; then dropped.
        tokio::select! {
            biased;
            _ = login => {}
            () = std::future::ready(()) => {}
        }
    }
    // Writes are in order: when this one is answered, those before it are done.
    store.create(anonymous(1), NOW).await;
    assert_eq!(store.ids_of(owner(1), NOW).await.len(), 100);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.sessions, stats.principals), (101, 1));
}
