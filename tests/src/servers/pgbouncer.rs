//! `PgBouncer` between a test and its PostgreSQL server, as operators set it up: a connection of the server is lent for one
//! transaction.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    free_port,
    keeper::{Folder, Keeper, as_server, other_user},
    postgres::Postgres,
};

/// A pooler before a server.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    run: Option<Keeper>,
}

impl PgBouncer {
    /// Starts one before a server.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn before(server: &Postgres) -> Self {
        let folder = tempfile::Builder::new().prefix("sessions-pgbouncer-").tempdir().unwrap().keep();
        let port = free_port();
        let settings = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             max_client_conn = 1000\ndefault_pool_size = 3\n",
            server.port()
        );
        fs::write(&settings, text).unwrap();
        if let Some(user) = other_user() {
            chown(&folder, Some(user), None).unwrap();
            chown(&settings, Some(user), None).unwrap();
        }
        let mut command = as_server(&program());
        command.arg(&settings);
        let bouncer = Self { port, run: Some(Keeper::run(&command, &folder)) };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "PgBouncer doesn't start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        bouncer
    }

    /// The address of a database behind it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            run.end(Folder::Removed);
        }
    }
}

fn program() -> PathBuf {
    let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    let found = places.iter().map(Path::new).find(|path| path.exists());
    found.expect("PgBouncer is not installed: run tests/servers, then the tests again").to_owned()
}
