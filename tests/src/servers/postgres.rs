//! PostgreSQL servers of the tests: one that a test program shares, with a database for each test, and ones of their own for
//! tests that stop or break theirs.

use std::{
    fs,
    os::unix::fs::chown,
    path::PathBuf,
    process::Command,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sessions::{PostgresAddress, PostgresStore, PostgresStoreBuilder};
use tokio_postgres::{Client, NoTls};

use super::{
    free_port,
    keeper::{Folder, Keeper, as_server, other_user, signal},
};

/// How long a server may take to start, also to recover from a crash.
const START: Duration = Duration::from_secs(30);

/// Opens a store in the database of a url, with choices.
pub fn builder(url: &str) -> PostgresStoreBuilder {
    PostgresStore::builder(PostgresAddress::parse(url).unwrap())
}

/// A PostgreSQL server on a port of its own.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    run: Option<Keeper>,
    /// How many databases were made, and which of them no test uses, by the way to them.
    made: AtomicU32,
    left: [Mutex<Vec<String>>; 2],
}

/// How a test comes to its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    Pooled,
}

impl Postgres {
    /// The server that all tests of this program share. It does not wait for the disk.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&["fsync=off", "max_connections=400"]))
    }

    /// A server of its own, with these settings.
    pub fn start(settings: &[&str]) -> Self {
        let folder = own_folder();
        let made = as_server(&program("initdb"))
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let settings = settings.iter().map(|setting| format!("--{setting}")).collect();
        let (made, left) = (AtomicU32::new(0), Default::default());
        let mut server = Self { folder, port: free_port(), settings, run: None, made, left };
        server.resume_after_end();
        server
    }

    /// A standby of this server, which follows it, on a port of its own.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = own_folder();
        let copied = as_server(&program("pg_basebackup"))
            .args([
                "--host=127.0.0.1",
                "--username=postgres",
                "--checkpoint=fast",
                "--no-sync",
                "--write-recovery-conf",
            ])
            .arg(format!("--port={}", self.port))
            .arg("-D")
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        let (made, left) = (AtomicU32::new(0), Default::default());
        let mut server =
            Self { folder, port: free_port(), settings: self.settings.clone(), run: None, made, left };
        server.resume_after_end();
        server
    }

    /// Makes a standby the primary.
    ///
    /// # Panics
    /// If it can't be.
    pub fn promote(&self) {
        let mut command = as_server(&program("pg_ctl"));
        let promoted = command.args(["promote", "--wait", "-D"]).arg(self.data()).output().unwrap();
        assert!(promoted.status.success(), "pg_ctl: {}", String::from_utf8_lossy(&promoted.stderr));
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// What the server has written about itself.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// An empty database for one test: a new one, or one that another test has left.
    pub async fn database(&'static self) -> Database {
        self.database_of(Way::Direct).await
    }

    /// The same, for a test with a pooler between, which keeps connections of its own.
    pub async fn pooled_database(&'static self) -> Database {
        self.database_of(Way::Pooled).await
    }

    async fn database_of(&'static self, way: Way) -> Database {
        let left = self.left[way as usize].lock().unwrap().pop();
        if let Some(name) = left {
            return Database { server: self, name, way };
        }
        let name = format!("test_{}", self.made.fetch_add(1, Relaxed));
        self.admin().await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        Database { server: self, name, way }
    }

    /// A connection of its superuser, to the database `postgres`.
    pub async fn admin(&self) -> Client {
        self.client("postgres").await
    }

    /// A connection of its superuser, to a database.
    pub async fn client(&self, database: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Kills it, as a crash of its machine would, but for what its disk holds.
    pub fn kill(&mut self) {
        let run = self.run.take().unwrap();
        // The first process first: nothing is left that could restart the others.
        run.signal("KILL");
        run.end(Folder::Kept);
    }

    /// Stops it as an operator does: connections are ended.
    pub fn stop(&mut self) {
        self.run.take().unwrap().end(Folder::Kept);
    }

    /// Starts it again after an end.
    pub fn resume_after_end(&mut self) {
        let until = Instant::now() + START;
        loop {
            let run = self.launch();
            if self.answers(&run, until) {
                self.run = Some(run);
                return;
            }
            assert!(Instant::now() < until, "PostgreSQL doesn't start: {}", self.log());
            run.end(Folder::Kept);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops all its processes where they are: it answers nothing, and no connection is closed.
    pub fn freeze(&self) {
        // The first makes the others: none comes after it has stopped.
        self.run.as_ref().unwrap().signal("STOP");
        let all = self.processes();
        for pid in &all {
            signal("STOP", *pid);
        }
        // A signal is sent before it is heard.
        let begin = Instant::now();
        while !all.iter().all(|pid| has_stopped(*pid)) {
            assert!(begin.elapsed() < START, "the server does not stop");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets its processes go on.
    pub fn thaw(&self) {
        for pid in self.processes() {
            signal("CONT", pid);
        }
    }

    fn processes(&self) -> Vec<u32> {
        let first = self.run.as_ref().unwrap().pid();
        let mut all = vec![first];
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // The name in brackets may hold spaces.
            let parent =
                stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
            if parent == Some(first) {
                all.push(pid);
            }
        }
        all
    }

    fn launch(&self) -> Keeper {
        let mut command = as_server(&program("postgres"));
        command
            .arg("-D")
            .arg(self.data())
            .args(["--listen_addresses=127.0.0.1", "--logging_collector=off", "--autovacuum_naptime=5s"])
            .args([
                format!("--port={}", self.port),
                format!("--unix_socket_directories={}", self.folder.display()),
            ])
            .args(&self.settings);
        Keeper::run(&command, &self.folder)
    }

    /// Whether it accepts connections before it ends.
    fn answers(&self, run: &Keeper, until: Instant) -> bool {
        let ready = || {
            let state = Command::new(program("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            state.unwrap().success()
        };
        while Instant::now() < until {
            if ready() {
                return true;
            }
            if !run.runs() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A test may have failed while it was frozen.
        if self.run.is_some() {
            self.thaw();
        }
        match self.run.take() {
            Some(run) => run.end(Folder::Removed),
            None => drop(fs::remove_dir_all(&self.folder)),
        }
    }
}

/// An empty folder that a server may write.
fn own_folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("sessions-postgres-").tempdir().unwrap().keep();
    if let Some(user) = other_user() {
        chown(&folder, Some(user), None).unwrap();
    }
    folder
}

/// A database of one test. When it goes, so do what is in it and the connections to it that are not a pooler's.
#[derive(Debug)]
pub struct Database {
    server: &'static Postgres,
    name: String,
    way: Way,
}

impl Database {
    /// Its address.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection to it that is no store's.
    pub async fn client(&self) -> Client {
        self.server.client(&self.name).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // In a thread, because a test's may not wait.
        let drop = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = self.client().await;
                if self.way == Way::Direct {
                    client.batch_execute(END_OTHERS).await.unwrap();
                }
                client.batch_execute("DROP SCHEMA IF EXISTS sessions CASCADE").await.unwrap();
            });
            self.server.left[self.way as usize].lock().unwrap().push(self.name.clone());
        };
        // A server that has gone leaves no database.
        let _ = std::thread::scope(|threads| threads.spawn(drop).join());
    }
}

const END_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// A program of the newest PostgreSQL that is installed.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    let in_path = || {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.exists())
    };
    found.pop().or_else(in_path).unwrap_or_else(|| {
        panic!("PostgreSQL is not installed (`{name}` is missing): run tests/servers, then the tests again")
    })
}
/// Whether a process stands still, or is gone.
fn has_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_none_or(|rest| matches!(rest.trim_start().chars().next(), None | Some('T' | 'Z')))
}
