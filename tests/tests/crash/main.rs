//! A process is killed between and during writes, again and again: nothing that it acknowledged is lost.
//!
//! Each kill is followed by a look from a fresh engine on the same data. `SESSIONS_CRASHES=2000` kills as often on each
//! store; `SESSIONS_CRASH_SEED=…` takes the clients, kills and delays of a run that failed, as far as an operating system
//! lets the same thing happen twice. A kill does not take the kernel's cache with it: that a write was synchronised to the
//! disk is not shown here, but that it was handed over before the answer, in the right order, and whole.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod check;
mod ledger;
mod worker;

use std::{
    collections::BTreeMap,
    env,
    hash::{BuildHasher, RandomState},
};

use sessions_tests::{
    crash::{ADDRESS, Dice, Role, engine, open},
    servers::postgres::Postgres,
};

use self::{check::check, ledger::Ledger};

/// How often a process is killed unless a variable says otherwise.
const KILLS: u64 = 150;

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

/// Kills so many workers on one folder, and the server that the store may have together with them.
fn crash(kind: &str, mut server: Option<Postgres>) {
    let kills = variable("SESSIONS_CRASHES").unwrap_or(if server.is_some() { KILLS / 15 } else { KILLS });
    let seed = variable("SESSIONS_CRASH_SEED").unwrap_or_else(|| RandomState::new().hash_one(kind));
    eprintln!("again with SESSIONS_CRASH_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    if let Some(server) = &server {
        std::fs::write(folder.path().join(ADDRESS), server.url("postgres")).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let look = |ledger: &mut Ledger| {
        runtime.block_on(async {
            let engine = engine(open(kind, folder.path()).await.unwrap());
            check(&engine, ledger).await;
            ledger.prepare(&engine).await;
            let store = engine.store().unwrap().clone();
            sessions::SessionStore::shutdown(&store).await.unwrap();
        });
    };
    let (mut dice, mut ledger) = (Dice(seed), Ledger::new());
    look(&mut ledger);
    for _ in 0..kills {
        worker::run_and_kill(kind, folder.path(), (&mut ledger, &mut dice), || {
            server.iter_mut().for_each(Postgres::kill);
        });
        server.iter_mut().for_each(Postgres::resume_after_end);
        look(&mut ledger);
    }
    let totals = ledger.totals();
    println!("{kind}: {kills} kills, {totals}, nothing lost");
    let (acknowledged, under_way) = (totals.acknowledged.values().sum::<u64>(), totals.under_way);
    assert!(acknowledged >= 20 * kills, "only {acknowledged} acknowledged operations: the test shows little");
    assert!(under_way >= kills, "only {under_way} operations were under way at a kill");
    let roles: BTreeMap<_, _> =
        totals.acknowledged.iter().map(|(role, count)| (role.as_str(), count)).collect();
    for role in [Role::Counter, Role::Setter, Role::Member, Role::Racer, Role::Rotator, Role::Revoker] {
        let count = roles.get(format!("{role:?}").as_str()).map_or(0, |count| **count);
        assert!(count >= kills, "only {count} of {role:?}");
    }
}

#[test]
fn sqlite_keeps_what_it_acknowledged() {
    crash("sqlite", None);
}

#[test]
fn a_server_of_postgres_keeps_what_it_acknowledged() {
    crash("postgres", Some(Postgres::start(&[])));
}

#[test]
fn files_keep_what_they_acknowledged() {
    crash("file", None);
}
