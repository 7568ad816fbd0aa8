//! What goes wrong with a server, told with its name and with what to do, and whether a write can have been applied. No
//! value of a row, no statement's parameter and no password is ever part of it.

use std::{error::Error, fmt, io};

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::StoreError;

/// Where a server is, as messages name it: hosts with their ports, and the database.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Server(pub(super) String);

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL at {}", self.0)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a statement or a connection failed. The driver's own error is not kept: its details may hold values of rows.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    text: String,
    applied: Applied,
    code: Option<SqlState>,
}

/// Whether what failed this way can have been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    No,
    Perhaps,
}

impl Failure {
    /// What a statement came to that had been sent.
    pub(super) fn of(error: &tokio_postgres::Error, server: &Server) -> Self {
        let code = error.code().cloned();
        match error.as_db_error() {
            Some(db) => Self { text: told(db, server, true), applied: applied(db), code },
            None => Self { text: lost(error, server), applied: Applied::Perhaps, code },
        }
    }

    /// Why there is no connection.
    pub(super) fn of_connecting(error: &tokio_postgres::Error, server: &Server) -> Self {
        let code = error.code().cloned();
        let text = match error.as_db_error() {
            Some(db) => told(db, server, false),
            None => lost(error, server),
        };
        Self { text, applied: Applied::No, code }
    }

    /// Why the schema can't be brought up to date.
    pub(super) fn of_migration(error: &tokio_postgres::Error, server: &Server) -> Self {
        let failure = Self::of_connecting(error, server);
        if failure.code != Some(SqlState::INSUFFICIENT_PRIVILEGE) {
            return failure;
        }
        let text = format!(
            "{server}: this user may not make or change the schema `sessions`: run `CREATE SCHEMA sessions AUTHORIZATION \
             …` with its name as the owner of the database"
        );
        Self { text, ..failure }
    }

    fn text(text: String) -> Self {
        Self { text, applied: Applied::No, code: None }
    }

    /// The connection string can't be used.
    pub(super) fn address(problem: &str) -> Self {
        Self::text(format!("the PostgreSQL address {problem}"))
    }

    /// The certificates that servers are checked by can't be read.
    pub(super) fn certificates(problem: &dyn fmt::Display) -> Self {
        Self::text(format!("the certificates of authorities can't be read: {problem}"))
    }

    /// The client's own certificate can't be shown.
    pub(super) fn identity(problem: &dyn fmt::Display) -> Self {
        Self::text(format!("TLS to a PostgreSQL server: {problem}"))
    }

    /// The schema `sessions` has another use.
    pub(super) fn foreign(server: &Server) -> Self {
        Self::text(format!(
            "{server}: the schema `sessions` is not one of this library: name another database"
        ))
    }

    /// A newer version of the library has migrated the schema.
    pub(super) fn newer(server: &Server, version: i32, known: i32) -> Self {
        Self::text(format!(
            "{server}: the schema `sessions` has version {version}, and this program works with versions up to {known}: \
             run the newer version of the program"
        ))
    }

    /// The server is too old.
    pub(super) fn too_old(server: &Server, version: &str) -> Self {
        let version: String = version.chars().take(20).filter(|c| !c.is_control()).collect();
        Self::text(format!("{server}: version {version} is too old: sessions need 12 or later"))
    }

    /// No connection is open, and none could be opened in time.
    pub(super) fn unreachable(server: &Server, last: Option<&Self>) -> Self {
        match last {
            Some(last) => Self { applied: Applied::No, ..last.clone() },
            None => Self::text(format!("{server} is not connected")),
        }
    }

    /// It takes too long to connect.
    pub(super) fn slow(server: &Server) -> Self {
        Self::text(format!("{server} does not answer in time: look at its load and at the network"))
    }

    /// The store is shut down.
    pub(super) fn closed(server: &Server) -> Self {
        Self::text(format!("the connections to {server} are shut down: open the store again"))
    }

    /// A row that this library did not write.
    pub(super) fn damaged(server: &Server, column: &str) -> Self {
        Self::text(format!("{server}: the column `{column}` holds what it can't hold"))
    }

    /// Whether the server refused with this code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| own.code() == code)
    }

    /// Whether the statement was given up because it waited too long: certainly not applied.
    pub(super) fn gave_up(&self) -> bool {
        self.is("55P03") || self.is("57014")
    }

    /// Whether the connection is gone: lost, or ended by the server with a word.
    pub(super) fn lost_connection(&self) -> bool {
        self.applied == Applied::Perhaps || ["57P01", "57P02"].iter().any(|code| self.is(code))
    }

    /// Whether the connection is of no more use: it leads to a server that can't be written, or knows no statement.
    pub(super) fn spoils_connection(&self) -> bool {
        self.lost_connection() || ["25006", "26000", "42P05", "08P01"].iter().any(|code| self.is(code))
    }

    /// As the error of an operation that was certainly not applied.
    pub(super) fn unavailable(self) -> StoreError {
        StoreError::Unavailable(Some(Box::new(self)))
    }

    /// As the error of a write.
    pub(super) fn of_write(self) -> StoreError {
        match self.applied {
            Applied::No => self.unavailable(),
            Applied::Perhaps => StoreError::Unknown(Some(Box::new(self))),
        }
    }
}

/// An error that ends a statement alone has rolled it back. One that ends the connection may come after the commit.
fn applied(error: &DbError) -> Applied {
    let code = error.code().code();
    let is_of_connection = code.starts_with("08") || code.starts_with("57P");
    match error.parsed_severity() {
        Some(Severity::Error) if !is_of_connection => Applied::No,
        _ => Applied::Perhaps,
    }
}

/// What a server said, and what to do about it. Its own words are shown only of a connection that was not opened: a
/// statement's may hold values.
fn told(error: &DbError, server: &Server, is_statement: bool) -> String {
    let code = error.code().code();
    let advice = match code {
        "28P01" | "28000" => {
            "refuses the user: check the user and the password of its `url`, and `pg_hba.conf`"
        }
        "3D000" => "has no such database: make it with `createdb`, or name another in its `url`",
        "53300" => "has no connection left: raise `max_connections`, or put a pooler between",
        "53100" => "has no room left on its disk: make room",
        "53200" => "has no memory left",
        "57P03" => "is starting or stopping",
        "57P01" | "57P02" => "has closed the connection: it is stopping, or someone has ended it",
        "25006" => "can't be written: it is a standby, or `default_transaction_read_only` is on",
        "42501" => "lets this user not use the schema `sessions`: grant it, or make the user its owner",
        "26000" => {
            "does not know a prepared statement: with a transaction pooler between, set `pooler = \"transaction\"`"
        }
        "08P01" => "or the pooler before it refused the connection: see its log",
        "55P03" | "57014" => "gave up a statement that waited too long",
        "3F000" | "42P01" | "42883" => {
            "has lost tables or functions of the schema `sessions`: restart the program"
        }
        "42P07" | "42723" | "42710" => "has another use for the schema `sessions`: name another database",
        "SES02" => {
            "has another isolation level than `read committed` by default: set `default_transaction_isolation`"
        }
        _ => "failed",
    };
    if is_statement {
        return format!("{server} {advice} ({code})");
    }
    let words: String = error.message().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{server} {advice} ({code}: {words})")
}

/// A connection that can't be made or was lost. The driver's words for these hold no values.
fn lost(error: &tokio_postgres::Error, server: &Server) -> String {
    let mut cause: Option<&dyn Error> = Some(error);
    let mut deepest = error.to_string();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            let advice = match io.kind() {
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                    "is it running, and is its address right?"
                }
                // What the driver says of a server that can only be read.
                io::ErrorKind::PermissionDenied if io.to_string().contains("does not allow writes") => {
                    return format!("{server} can't be written: it is a standby, or is set to be read only");
                }
                io::ErrorKind::PermissionDenied => "may this process use its socket?",
                _ => "look at its log and at the network",
            };
            return format!("{server} can't be reached ({io}): {advice}");
        }
        deepest = error.to_string();
        cause = error.source();
    }
    format!("{server} can't be reached: {deepest}")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Failure {}
