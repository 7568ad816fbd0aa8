//! Rows that are due, the index that finds them, and plans that use it.

use super::*;

fn one(directory: &Directory, sql: &str) -> i64 {
    directory.shell().query_one(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_touch_leaves_the_index_of_what_is_due_alone() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let before = one(&directory, "SELECT due FROM session");
    let touch = Touch { id: anonymous(1), owner: None, seen: NOW + 1, expires: NOW + 2 * HOUR };
    assert_eq!(store.touch(touch).await.unwrap(), Touched::Noted);
    assert_eq!(one(&directory, "SELECT due FROM session"), before);
    // The sweep that comes by finds it alive, and comes again when it is dead.
    assert_eq!(store.sweep(NOW + HOUR, 10).await.unwrap(), 0);
    assert_eq!(one(&directory, "SELECT due FROM session"), before + i64::try_from(HOUR).unwrap());
    assert_eq!(store.look(anonymous(1), NOW + HOUR).await, Look::Live(1, NOW + 1));
    assert_eq!(store.sweep(NOW + 2 * HOUR, 10).await.unwrap(), 1);
}

#[tokio::test]
async fn a_write_that_shortens_is_swept_in_time() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let sooner = Cas { expires: NOW + 10, ..change(anonymous(1), 1, NOW) };
    assert!(matches!(store.cas(sooner).await, Ok(CasOutcome::Stored)));
    assert_eq!(store.sweep(NOW + 10 + crate::store::TOMBSTONE_MS, 10).await.unwrap(), 1);
    assert_eq!(one(&directory, "SELECT count(*) FROM session"), 0);
}

#[tokio::test]
async fn a_sweep_of_many_is_many_transactions() {
    let directory = Directory::new();
    let store = directory.open().await;
    let writes: Vec<_> = (0..1_000)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.create(anonymous(number), NOW).await })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    let later = NOW + HOUR + crate::store::TOMBSTONE_MS;
    assert_eq!(store.sweep(later, 700).await.unwrap(), 700);
    assert_eq!(store.sweep(later, 700).await.unwrap(), 300);
    assert_eq!(store.stats().await.unwrap().sessions, 0);
}

#[tokio::test]
async fn the_census_is_what_a_scan_counts() {
    let directory = Directory::new();
    let store = directory.open().await;
    for number in 0..30 {
        store.log_in(of(owner(number % 7), number), owner(number % 7), NOW).await;
        store.create(anonymous(number), NOW + number as u64).await;
    }
    store.end(end_all(owner(3), NOW)).await.unwrap();
    store.end(end_one(of(owner(1), 1), EndReason::LoggedOut, NOW)).await.unwrap();
    store.sweep(NOW + HOUR + 10, 12).await.unwrap();
    let stats = store.stats().await.unwrap();
    let count = |sql| u64::try_from(one(&directory, sql)).unwrap();
    assert_eq!(stats.sessions, count("SELECT count(*) FROM session WHERE ended IS NULL"));
    assert_eq!(stats.principals, count("SELECT count(DISTINCT owner) FROM session WHERE ended IS NULL"));
}

#[tokio::test]
async fn what_has_ended_is_no_longer_in_the_file() {
    let directory = Directory::new();
    let store = directory.open().await;
    for number in 0..40 {
        store.create(anonymous(number), NOW).await;
    }
    for number in 0..40 {
        store.end(end_one(anonymous(number), EndReason::LoggedOut, NOW)).await.unwrap();
    }
    store.shutdown().await.unwrap();
    let bytes = std::fs::read(directory.file()).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"payload!"), "the record is wiped");
}

#[tokio::test]
async fn no_statement_scans_or_sorts() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let shell = directory.shell();
    for sql in [
        reader::PAGE,
        "SELECT id, expires, seq FROM session WHERE owner = ?1 AND ended IS NULL ORDER BY seq",
        "SELECT 1 FROM session WHERE owner = ?1 AND ended IS NULL LIMIT 1",
        "SELECT seq, owner, expires, ended IS NULL FROM session WHERE due <= ?1 ORDER BY due LIMIT ?2",
        "UPDATE session SET version = 1 WHERE id = ?1 AND version = ?2 AND ended IS NULL AND due <= ?3",
    ] {
        let mut plan = shell.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut steps = plan.raw_query();
        while let Some(step) = steps.next().unwrap() {
            let step: String = step.get(3).unwrap();
            assert!(!step.contains("SCAN s") && !step.contains("TEMP B-TREE"), "{sql}: {step}");
        }
    }
}
