//! Three nodes on real stores, while processes are killed, networks fail and servers change places: what they acknowledge
//! is judged by what each client saw, and when.
//!
//! `docs/CHAOS.md` tells how to run it for hours, and what is promised.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod checker;
mod client;
mod expiry;
mod faults;
mod figures;
mod history;
mod nodes;
mod roles;
mod run;
mod setups;
mod trips;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Runtime;

use self::setups::{Clustered, Relational, Single, WatchedPair};

/// One at a time: each takes the whole of a small machine.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_redis_server() {
    let (_turn, runtime) = (turn(), runtime());
    run::run("redis", &runtime, &mut Single::start());
}

#[test]
fn a_redis_cluster() {
    let (_turn, runtime) = (turn(), runtime());
    run::run("cluster", &runtime, &mut Clustered::start());
}

#[test]
fn redis_with_sentinels() {
    let (_turn, runtime) = (turn(), runtime());
    run::run("sentinel", &runtime, &mut WatchedPair::start());
}

#[test]
fn a_postgres_server() {
    let (_turn, runtime) = (turn(), runtime());
    run::run("postgres", &runtime, &mut Relational::start(runtime.handle().clone()));
}

#[test]
fn each_class_of_request_takes_its_trips() {
    let (_turn, runtime) = (turn(), runtime());
    trips::count(&runtime);
}
