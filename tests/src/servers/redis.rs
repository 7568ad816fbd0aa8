//! Redis servers of a test: one with the options that it needs, killed, stopped and started again at will.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{free_port, keeper::Keeper, program};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(20);

/// A server on this machine.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    options: Vec<String>,
    // Before its folder: fields are dropped in order.
    process: Mutex<Keeper>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts one that keeps nothing on the disk.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one that has what it acknowledged on the disk.
    pub fn durable() -> Self {
        Self::start_with(&["--appendonly yes", "--appendfsync always"])
    }

    /// Starts one with more options, as its configuration file has them behind two dashes.
    pub fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("sessions-redis-").tempdir().expect("a folder");
        let words = |options: &&str| options.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let options: Vec<_> = options.iter().flat_map(words).collect();
        let port = free_port();
        let process = spawn(port, &options, &folder);
        let server = Self { port, options, folder, process: Mutex::new(process) };
        if server.answers_soon() {
            return server;
        }
        let log = std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
        // Another program may take the port between the look and the start.
        assert!(log.contains("Address already in use"), "the Redis server does not start:\n{log}");
        Self::start_with(&[&server.options.join(" ")])
    }

    /// Its port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as `stores.NAME.url` has it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The folder that it works in.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Ends it at once.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Stops it without ending it, or lets it go on.
    pub fn signal(&self, name: &str) {
        self.process().signal(name);
    }

    /// Starts it again on the same port and with what it has on the disk.
    pub fn start_again(&self) {
        *self.process() = spawn(self.port, &self.options, &self.folder);
        assert!(self.answers_soon(), "the Redis server does not start again");
    }

    /// Ends it as operators do: it takes no more writes, waits until its replicas have all, and goes.
    pub fn shut_down(&self) {
        let _ = ask(self.port, &["SHUTDOWN", "NOSAVE"]);
        let begin = Instant::now();
        while self.process().runs() {
            assert!(begin.elapsed() < START, "the Redis server does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts it again, as the replica of the server on a port of this machine from its first moment on.
    pub fn start_again_as_replica_of(&self, port: u16) {
        let mut options = self.options.clone();
        if let Some(at) = options.iter().position(|option| option == "--replicaof") {
            options.drain(at..at + 3);
        }
        let port = port.to_string();
        options.extend(["--replicaof", "127.0.0.1", &port].map(str::to_owned));
        *self.process() = spawn(self.port, &options, &self.folder);
        assert!(self.answers_soon(), "the Redis server does not start again");
    }

    /// Whether it is a replica that has what its primary has.
    pub fn follows(&self) -> bool {
        let told = self.ask(&["INFO", "replication"]);
        told.contains("role:slave") && told.contains("master_link_status:up")
    }

    /// Whether it says that it is a primary.
    pub fn is_primary(&self) -> bool {
        self.ask(&["INFO", "replication"]).contains("role:master")
    }

    /// Asks it on a connection of its own: the answer as it is sent, or nothing if there is none.
    pub fn ask(&self, words: &[&str]) -> String {
        ask(self.port, words).unwrap_or_default()
    }

    fn process(&self) -> MutexGuard<'_, Keeper> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answers_soon(&self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < START && self.process().runs() {
            // One with a password answers too.
            if ask(self.port, &["PING"]).is_ok_and(|answer| answer.starts_with(['+', '-'])) {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

fn spawn(port: u16, options: &[String], folder: &TempDir) -> Keeper {
    let mut command = Command::new(server_program());
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    command.arg("--dir").arg(folder.path()).args(options);
    Keeper::run(&command, folder.path())
}

/// What the servers of the tests are: `redis-server`, or the program that `SESSIONS_TEST_REDIS_SERVER` names, such as
/// `valkey-server`.
pub(super) fn server_program() -> std::path::PathBuf {
    std::env::var_os("SESSIONS_TEST_REDIS_SERVER").map_or_else(|| program("redis-server"), Into::into)
}

/// Asks a server on a port of this machine, by its protocol: the first read of the answer.
///
/// # Errors
/// If it can't be reached, or does not answer.
pub fn ask(port: u16, words: &[&str]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    say(&mut stream, words)
}

/// The same after saying something else on the same connection, such as a password.
///
/// # Errors
/// As [`ask`].
pub fn ask_as(port: u16, first: &[&str], words: &[&str]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    say(&mut stream, first)?;
    say(&mut stream, words)
}

fn say(stream: &mut TcpStream, words: &[&str]) -> std::io::Result<String> {
    let words_of = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
    let question: Vec<_> =
        [format!("*{}\r\n", words.len())].into_iter().chain(words.iter().map(words_of)).collect();
    stream.write_all(question.concat().as_bytes())?;
    let mut answer = vec![0; 1 << 16];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
