//! Several processes on one file.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use super::*;
use crate::store::{BehaviorOnLimit, Limit};

/// Names the file to a process that this test starts.
const FILE: &str = "SESSIONS_TEST_SQLITE_FILE";
const PROCESSES: usize = 3;
const WRITES: usize = 40;

/// What each process does: raise a session's version, begin and end one of its own, and log in where three may.
#[tokio::test]
async fn one_of_several_processes() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let store = SqliteStore::open(file).await.unwrap();
    let limit = Some(Limit { max: 3, behavior: BehaviorOnLimit::Reject });
    for round in 0..WRITES {
        loop {
            let Loaded::Live(stored) = store.load(anonymous(1), NOW).await.unwrap() else {
                panic!("it is live")
            };
            match store.cas(change(anonymous(1), stored.version().as_u64(), NOW)).await.unwrap() {
                CasOutcome::Stored => break,
                CasOutcome::Conflict(_) => {}
                other => panic!("{other:?}"),
            }
        }
        let number = std::process::id() as usize * 1_000 + round;
        // These look before they write: what they saw must still be so.
        store.create(anonymous(number), NOW).await;
        let ended = store.end(end_one(anonymous(number), EndReason::LoggedOut, NOW)).await.unwrap();
        assert_eq!(ended.ids, [anonymous(number)]);
        let id = of(owner(1), number);
        let admitted = store.admit(Admit { limit, ..login(id, owner(1), NOW) }).await.unwrap();
        if admitted != (Admitted::LimitReached { live: 3 }) {
            println!("admitted: {admitted:?}");
        }
    }
}

#[tokio::test]
async fn versions_and_limits_hold_among_processes() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "store::sqlite::tests::processes::one_of_several_processes", "--nocapture"])
                .env(FILE, directory.file())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut admitted = 0;
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        admitted += String::from_utf8(output.stdout).unwrap().matches("admitted: Stored").count();
    }
    assert_eq!((admitted, store.ids_of(owner(1), NOW).await.len()), (3, 3));
    let version = 1 + (PROCESSES * WRITES) as u64;
    assert_eq!(store.look(anonymous(1), NOW).await, Look::Live(version, NOW), "no write was lost");
}

#[tokio::test]
async fn a_lock_that_is_held_for_too_long_is_unavailable_and_delays_no_read() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let shell = directory.shell();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writer = store.clone();
    let write = tokio::spawn(async move { writer.cas(change(anonymous(1), 1, NOW)).await });
    tokio::task::yield_now().await;
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(store.look(anonymous(1), NOW).await, Look::Live(1, NOW));
    }
    assert!(start.elapsed() < Duration::from_secs(1), "reads do not wait for a write: {:?}", start.elapsed());
    let outcome = write.await.unwrap();
    assert!(is_unavailable(&outcome), "{outcome:?}");
    assert!(told(&outcome.unwrap_err()).contains("is locked by another process"));
    shell.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(store.cas(change(anonymous(1), 1, NOW)).await, Ok(CasOutcome::Stored)));
}

#[tokio::test]
async fn a_write_that_has_waited_beyond_its_deadline_is_not_applied() {
    let directory = Directory::new();
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    let shell = directory.shell();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (writer, second) = (store.clone(), store.clone());
    let soon = NOW + 100;
    let write = tokio::spawn(async move {
        writer.cas(Cas { deadline: soon, ..change(anonymous(1), 1, NOW) }).await.unwrap()
    });
    let login = Admit { deadline: soon, ..login(of(owner(1), 1), owner(1), NOW) };
    let admit = tokio::spawn(async move { second.admit(login).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    shell.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(write.await.unwrap(), CasOutcome::Late));
    assert_eq!(admit.await.unwrap(), Admitted::Late);
    assert_eq!(store.look(anonymous(1), NOW).await, Look::Live(1, NOW));
}
