//! The servers that tests start for themselves, on free ports and in folders that go with them.

mod postgres;

pub use self::postgres::{Database, Postgres};
