//! The store in PostgreSQL on servers of its own.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod conformance;
