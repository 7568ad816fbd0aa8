//! The schema `sessions` of a database and how it came to be: migrations go forward only, all of them in one transaction,
//! and nodes that start at once wait for each other.
//!
//! A function is never changed once it was released: it has the version in its name, so that programs of two versions can
//! run side by side while a deployment lasts.

use tokio_postgres::Client;

use super::failure::{Failure, Server};

/// What brings the schema from one version to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    pub(super) sql: &'static str,
    /// The oldest schema whose programs work with this one as well.
    pub(super) compatible: i32,
}

/// Each migration; the first one makes version 1.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { sql: include_str!("schema/1.sql"), compatible: 1 },
    Migration { sql: include_str!("schema/2.sql"), compatible: 1 },
];

/// What all nodes lock while they migrate: "sess" and 0. Owners have the same first half and a number of their own.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1936028531, 0)";

const VERSIONS: &str = "CREATE TABLE sessions.schema_version (version integer PRIMARY KEY, compatible integer NOT NULL, \
     migrated timestamptz NOT NULL DEFAULT now())";

/// What a database holds, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No table of ours.
    Nothing,
    /// The tables of this version, or of a newer one with which programs of this version work.
    Version(i32),
}

/// Brings the schema up to date and tells from what.
pub(super) async fn migrate(client: &Client, server: &Server) -> Result<Found, Failure> {
    migrate_by(client, server, MIGRATIONS).await
}

pub(super) async fn migrate_by(
    client: &Client,
    server: &Server,
    migrations: &[Migration],
) -> Result<Found, Failure> {
    let known = i32::try_from(migrations.len()).unwrap_or(i32::MAX);
    // Without a lock first: a program that runs with few rights has nothing to change.
    let found = look(client, server, known).await?;
    if matches!(found, Found::Version(version) if version >= known) {
        return Ok(found);
    }
    let failed = |error| Failure::of_migration(&error, server);
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await.map_err(failed)?;
    client.batch_execute(LOCK).await.map_err(failed)?;
    // Another node may have been first.
    let found = look(client, server, known).await?;
    let done = match found {
        Found::Nothing => {
            // A user that owns the schema may not be allowed to make one.
            let there = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'sessions')";
            if answer::<bool>(client, there).await.map_err(failed)? != Some(true) {
                client.batch_execute("CREATE SCHEMA sessions").await.map_err(failed)?;
            }
            client.batch_execute(VERSIONS).await.map_err(failed)?;
            0
        }
        Found::Version(version) => version,
    };
    for (version, migration) in (1..).zip(migrations).skip(usize::try_from(done).unwrap_or(usize::MAX)) {
        client.batch_execute(migration.sql).await.map_err(failed)?;
        let compatible = migration.compatible;
        let note = format!(
            "INSERT INTO sessions.schema_version (version, compatible) VALUES ({version}, {compatible})"
        );
        client.batch_execute(&note).await.map_err(failed)?;
    }
    client.batch_execute("COMMIT").await.map_err(failed)?;
    Ok(found)
}

/// Looks at a database without changing it, and refuses what this program can't work with.
async fn look(client: &Client, server: &Server, known: i32) -> Result<Found, Failure> {
    let failed = |error| Failure::of_migration(&error, server);
    // Not `to_regclass`, which in a transaction may know of no table that another has made since it began.
    let table = "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
                 WHERE nspname = 'sessions' AND relname = 'schema_version')";
    if !answer::<bool>(client, table).await.map_err(failed)?.unwrap_or(false) {
        return Ok(Found::Nothing);
    }
    let newest = "SELECT max(version) FROM sessions.schema_version";
    let Some(version) = answer::<i32>(client, newest).await.map_err(failed)? else {
        return Err(Failure::foreign(server));
    };
    if version > known {
        let newest = "SELECT compatible FROM sessions.schema_version ORDER BY version DESC LIMIT 1";
        let compatible = answer::<i32>(client, newest).await.map_err(failed)?.unwrap_or(i32::MAX);
        if compatible > known {
            return Err(Failure::newer(server, version, known));
        }
    }
    Ok(Found::Version(version))
}

/// The one value that a statement without parameters answers. Unnamed, so that a pooler may be between.
async fn answer<T>(client: &Client, sql: &str) -> Result<Option<T>, tokio_postgres::Error>
where
    T: for<'a> tokio_postgres::types::FromSql<'a>,
{
    match client.query_typed(sql, &[]).await?.first() {
        Some(row) => row.try_get(0),
        None => Ok(None),
    }
}
