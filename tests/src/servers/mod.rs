//! The servers that tests start: each on free ports of this machine, in a folder of its own, and stopped with the test.

pub mod cluster;
mod keeper;
pub mod pgbouncer;
pub mod postgres;
pub mod redis;
pub mod sentinel;

use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
};

pub use self::keeper::lasting_folder;

/// A port on which nothing listens now.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free port");
    listener.local_addr().expect("a listener has an address").port()
}

/// A program that is on this machine.
///
/// # Panics
/// If it is not: with what installs it.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not on this machine: run tests/servers, which installs it"))
}
