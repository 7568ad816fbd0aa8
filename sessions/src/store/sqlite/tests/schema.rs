//! The schema: what is opened, what is refused, and how it moves on.

use super::{super::schema::migrate_by, *};

/// A database as version 1 of the schema left it.
const FIXTURE: &str = include_str!("fixture/1.sql");

/// Every table and index, without the comments of its text.
fn tables(shell: &Connection) -> Vec<String> {
    let mut statement = shell
        .prepare("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name")
        .unwrap();
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let words = |text: String| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    };
    texts.map(|text| words(text.unwrap())).collect()
}

#[tokio::test]
async fn a_database_of_version_1_is_opened_with_all_that_it_knows() {
    let directory = Directory::new();
    directory.shell().execute_batch(FIXTURE).unwrap();
    let store = directory.open().await;
    assert_eq!(store.look(anonymous(1), NOW).await, Look::Live(2, NOW + 1));
    assert_eq!(store.ids_of(owner(1), NOW).await, [of(owner(1), 2), of(owner(1), 1)]);
    assert_eq!(store.look(of(owner(1), 3), NOW).await, Look::Ended(EndReason::Evicted));
    let began = Admit { began: stamp(NOW - 1), ..login(of(owner(2), 1), owner(2), NOW) };
    assert_eq!(store.admit(began).await.unwrap(), Admitted::Revoked);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.sessions, stats.principals), (3, 1));
    let fresh = Directory::new();
    fresh.open().await;
    assert_eq!(tables(&directory.shell()), tables(&fresh.shell()), "it has become what a new file is");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let directory = Directory::new();
    directory.open().await.shutdown().await.unwrap();
    directory.shell().execute_batch("INSERT INTO schema_version VALUES (99, 0)").unwrap();
    let outcome = SqliteStore::open(directory.file()).await;
    assert!(is_unavailable(&outcome));
    let text = told(&outcome.unwrap_err());
    assert!(text.contains("has schema 99") && text.contains("run the newer version"), "{text}");
}

#[test]
fn a_migration_that_stops_half_way_has_not_begun() {
    let directory = Directory::new();
    let mut shell = directory.shell();
    migrate_by(&mut shell, &directory.file(), &["CREATE TABLE one (a)"]).unwrap();
    let before = tables(&shell);
    let broken =
        ["CREATE TABLE one (a)", "CREATE TABLE two (a)", "CREATE TABLE three (a); CREATE TABLE one (a)"];
    assert!(migrate_by(&mut shell, &directory.file(), &broken).is_err());
    assert_eq!(tables(&shell), before);
    let mended = ["CREATE TABLE one (a)", "CREATE TABLE two (a)", "CREATE TABLE three (a)"];
    migrate_by(&mut shell, &directory.file(), &mended).unwrap();
    migrate_by(&mut shell, &directory.file(), &mended).unwrap();
    let versions: i64 = shell.query_one("SELECT count(*) FROM schema_version", [], |row| row.get(0)).unwrap();
    assert_eq!(versions, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_open_a_new_file_at_once_make_it_once() {
    for _ in 0..5 {
        let directory = Directory::new();
        let opens: Vec<_> = (0..6).map(|_| tokio::spawn(SqliteStore::open(directory.file()))).collect();
        for (number, open) in opens.into_iter().enumerate() {
            open.await.unwrap().unwrap().create(anonymous(number), NOW).await;
        }
        let versions: i64 =
            directory.shell().query_one("SELECT count(*) FROM schema_version", [], |row| row.get(0)).unwrap();
        assert_eq!(versions, 1);
        assert_eq!(directory.open().await.stats().await.unwrap().sessions, 6);
    }
}
