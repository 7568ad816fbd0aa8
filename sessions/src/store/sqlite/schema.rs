//! The tables and how they came to be: migrations go forward only, all of them in one transaction.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::failure::Failure;

/// What brings the schema from each version to the next; the first one makes version 1.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];

const VERSIONS: &str =
    "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, migrated INTEGER NOT NULL) STRICT";

/// What a file holds, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No table at all.
    Empty,
    /// The tables of this version.
    Version(usize),
}

/// Looks at a file without changing it, and refuses what no migration starts from.
pub(super) fn look(connection: &Connection, path: &Path) -> Result<Found, Failure> {
    look_for(connection, path, MIGRATIONS.len())
}

fn look_for(connection: &Connection, path: &Path, known: usize) -> Result<Found, Failure> {
    let failed = |error| Failure::of(error, path);
    let tables: i64 =
        connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables == 0 {
        return Ok(Found::Empty);
    }
    let ours: Option<i64> = connection
        .query_one(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed)?;
    if ours.is_none() {
        return Err(Failure::foreign(path));
    }
    let version: Option<i64> = connection
        .query_one("SELECT max(version) FROM schema_version", [], |row| row.get(0))
        .map_err(failed)?;
    match version.and_then(|version| usize::try_from(version).ok()) {
        Some(version @ 1..) if version <= known => Ok(Found::Version(version)),
        Some(version @ 1..) => Err(Failure::newer(path, version, known)),
        _ => Err(Failure::foreign(path)),
    }
}

/// Brings a file to the newest schema and tells from which it came.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<Found, Failure> {
    migrate_by(connection, path, MIGRATIONS)
}

fn migrate_by(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<Found, Failure> {
    let failed = |error| Failure::of(error, path);
    // The write lock first: of two processes that migrate at once, the second finds nothing left to do.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found = look_for(&transaction, path, migrations.len())?;
    let done = match found {
        Found::Empty => {
            transaction.execute_batch(VERSIONS).map_err(failed)?;
            0
        }
        Found::Version(version) => version,
    };
    for (index, migration) in migrations.iter().enumerate().skip(done) {
        step(&transaction, index + 1, migration).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(found)
}

fn step(transaction: &Transaction<'_>, version: usize, migration: &str) -> rusqlite::Result<()> {
    transaction.execute_batch(migration)?;
    transaction.execute(
        "INSERT INTO schema_version VALUES (?1, unixepoch())",
        [i64::try_from(version).unwrap_or(i64::MAX)],
    )?;
    Ok(())
}
