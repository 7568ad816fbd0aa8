//! `sessions migrate`: ended at any time, and run again.

use std::{
    io::{BufRead as _, BufReader},
    time::{SystemTime, UNIX_EPOCH},
};

use sessions::{
    FileStore, SessionId, SessionStore,
    store::{Cas, CasOutcome, Expected, Loaded, Millis},
};

use crate::program::{Folder, Ran};

const SESSIONS: u16 = 300;
const STORES: &str = "[stores.main]\nkind = 'file'\ndirectory = 'new'\nmigrate_from = 'before'\n\
                      [stores.before]\nkind = 'file'\ndirectory = 'old'\n\
                      [policies.web]\nextends = 'user_default'\npersistence = { store_name = 'main' }\n";

fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

fn id(number: u16) -> SessionId {
    SessionId::new(number, [7; 16])
}

async fn fill(folder: &Folder) {
    let store = FileStore::open(folder.path().join("old")).await.unwrap();
    let (now, version) = (now(), 1_u64.to_be_bytes());
    for number in 0..SESSIONS {
        let record = [version, now.to_be_bytes(), u64::from(number).to_be_bytes()].concat();
        let write = Cas {
            id: id(number),
            owner: None,
            expected: Expected::Absent,
            record: record.into(),
            expires: now + 3_600_000,
            announced: false,
            now,
            deadline: now + 60_000,
        };
        assert!(matches!(store.cas(write).await.unwrap(), CasOutcome::Stored));
    }
    store.shutdown().await.unwrap();
}

fn migrate(folder: &Folder, more: &[&str]) -> Ran {
    folder.run(&[&["migrate", "--profile", "development"], more].concat())
}

#[test]
fn a_store_that_takes_no_sessions_over_is_told() {
    let folder = Folder::new("migrate-nothing")
        .file("sessions.toml", "[policies.web]\nextends = 'user_default'\n[stores.main]\nkind = 'memory'\n");
    let told = migrate(&folder, &[]).expect_code(2).stderr;
    assert!(told.contains("`stores.main` has no `migrate_from`"), "{told}");
}

#[tokio::test]
async fn a_migration_that_was_killed_goes_on_where_it_was() {
    let folder = Folder::new("migrate-killed").file("sessions.toml", STORES);
    fill(&folder).await;
    assert_eq!(migrate(&folder, &["--progress"]).expect_code(0).stdout, "not begun\n");

    let mut first = folder.start(&["migrate", "--profile", "development"]);
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    let waits = lines.find(|line| line.as_ref().unwrap().starts_with("waiting"));
    let waits = waits.expect("it waits for a minute").unwrap();
    assert!(waits.contains("300 of about 300 sessions copied"), "{waits}");
    // At once, as a machine ends that loses its power.
    first.kill().unwrap();
    first.wait().unwrap();
    let told = migrate(&folder, &["--progress"]).expect_code(0).stdout;
    assert!(told.starts_with("waiting") && told.contains(" 300 of about 300 "), "{told}");

    let second = migrate(&folder, &[]).expect_code(0);
    assert!(second.stderr.contains("under way already"), "{}", second.stderr);
    assert!(
        second.stdout.starts_with("done: 300 of about 300 sessions copied, 300 verified"),
        "{}",
        second.stdout
    );
    assert!(migrate(&folder, &["--progress"]).expect_code(0).stdout.starts_with("done: 300 of about 300"));
    assert!(migrate(&folder, &[]).expect_code(0).stdout.starts_with("done"), "it can be run once more");

    let store = FileStore::open(folder.path().join("new")).await.unwrap();
    for number in 0..SESSIONS {
        assert!(matches!(store.load(id(number), now()).await.unwrap(), Loaded::Live(_)));
    }
}
