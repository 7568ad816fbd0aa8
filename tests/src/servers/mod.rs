//! The servers that tests start for themselves, on free ports and in folders that go with them.

mod keeper;
pub mod pgbouncer;
pub mod postgres;
