//! A primary, a replica and three Sentinels on this machine.

use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{
    free_port,
    keeper::Keeper,
    redis::{RedisServer, ask, ask_as, server_program},
};

const START: Duration = Duration::from_secs(60);

/// What the Sentinels call the primary.
pub const NAME: &str = "main";

/// The servers, and who watches them.
#[derive(Debug)]
pub struct Watched {
    servers: [RedisServer; 2],
    sentinels: Vec<(u16, Keeper, TempDir)>,
    password: &'static str,
}

impl Watched {
    /// Starts them.
    ///
    /// # Panics
    /// If they don't find each other.
    pub fn start() -> Self {
        Self::start_with(&[], "", "")
    }

    /// Starts servers with more options, and Sentinels with more lines in their files. Who asks the Sentinels gives them
    /// `password`, if there is one.
    ///
    /// # Panics
    /// If they don't find each other.
    pub fn start_with(options: &[&str], lines: &str, password: &'static str) -> Self {
        let options = [options, &["--repl-diskless-sync-delay 0"]].concat();
        let primary = RedisServer::start_with(&options);
        let of = format!("--replicaof 127.0.0.1 {}", primary.port());
        let replica = RedisServer::start_with(&[&options[..], &[&of]].concat());
        let sentinels = (0..3).map(|_| sentinel(primary.port(), lines)).collect();
        Self::come_together(Self { servers: [primary, replica], sentinels, password })
    }

    /// The same over TLS alone, also among themselves, where everyone proves who it is: with `own.pem` and `key.pem` of a
    /// folder, by the authority of `authority.pem`. And their address.
    ///
    /// # Panics
    /// If they don't find each other.
    pub fn encrypted(folder: &Path) -> (Self, String) {
        let lines = |port: u16, dashes: &str| {
            let file = |name: &str| folder.join(name).display().to_string();
            [
                format!("{dashes}tls-port {port}"),
                format!("{dashes}tls-cert-file {}", file("own.pem")),
                format!("{dashes}tls-key-file {}", file("key.pem")),
                format!("{dashes}tls-ca-cert-file {}", file("authority.pem")),
                format!("{dashes}tls-replication yes"),
            ]
        };
        let server = |port: u16, more: &[&str]| {
            let lines = lines(port, "--");
            let own: Vec<_> =
                lines.iter().map(String::as_str).chain(["--repl-diskless-sync-delay 0"]).collect();
            RedisServer::start_with(&[&own[..], more].concat())
        };
        let (first, second) = (free_port(), free_port());
        let primary = server(first, &[]);
        let replica = server(second, &[&format!("--replicaof 127.0.0.1 {first}")]);
        let (mut sentinels, mut nodes) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let port = free_port();
            sentinels.push(sentinel(first, &lines(port, "").join("\n")));
            nodes.push(format!("localhost:{port}"));
        }
        let watched = Self::come_together(Self { servers: [primary, replica], sentinels, password: "" });
        (watched, format!("rediss+sentinel://{}/{NAME}", nodes.join(",")))
    }

    fn come_together(watched: Self) -> Self {
        watched.wait(|watched| {
            watched.sentinels.iter().all(|(port, ..)| {
                let told = watched.asked(*port, &["SENTINEL", "MASTER", NAME]);
                let told: Vec<_> = told.lines().collect();
                let value =
                    |key: &str| told.iter().position(|line| *line == key).and_then(|at| told.get(at + 2));
                value("num-slaves") == Some(&"1") && value("num-other-sentinels") == Some(&"2")
            })
        });
        watched.wait(|watched| {
            let replicas = watched.asked(watched.sentinels[0].0, &["SENTINEL", "REPLICAS", NAME]);
            replicas.contains("master-link-status\r\n$2\r\nok")
        });
        watched
    }

    /// What a Sentinel answers to who knows the password.
    fn asked(&self, port: u16, words: &[&str]) -> String {
        if self.password.is_empty() {
            return ask(port, words).unwrap_or_default();
        }
        ask_as(port, &["AUTH", self.password], words).unwrap_or_default()
    }

    /// Their address, as `stores.NAME.url` has it.
    pub fn url(&self) -> String {
        let nodes: Vec<_> = self.sentinels.iter().map(|(port, ..)| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/{NAME}", nodes.join(","))
    }

    /// The ports of the Sentinels to which a store listens.
    pub fn listened_to(&self) -> Vec<u16> {
        let listens = |client: &str| client.contains(" resp=3") && client.contains(" sub=1 ");
        let of = |port: &u16| self.asked(*port, &["CLIENT", "LIST"]).lines().any(listens);
        self.sentinels.iter().map(|(port, ..)| *port).filter(of).collect()
    }

    /// Ends a Sentinel.
    pub fn end_sentinel(&self, port: u16) {
        for (own, process, _) in self.sentinels.iter().filter(|(own, ..)| *own == port) {
            process.signal("KILL");
            while ask(*own, &["PING"]).is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// The one that is the primary at first, and the other.
    pub fn servers(&self) -> &[RedisServer; 2] {
        &self.servers
    }

    /// The port of the primary that a Sentinel names.
    pub fn named(&self) -> Option<u16> {
        let (port, ..) = &self.sentinels[0];
        let told = ask(*port, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).ok()?;
        told.lines().nth(4)?.trim().parse().ok()
    }

    /// Asks the Sentinels to make the other server the primary.
    pub fn fail_over(&self) {
        let (port, ..) = &self.sentinels[0];
        let answer = self.asked(*port, &["SENTINEL", "FAILOVER", NAME]);
        assert!(answer.starts_with("+OK"), "{answer}");
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// If that takes a minute.
    pub fn wait(&self, is_so: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < START, "the Sentinels do not come together");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn sentinel(primary: u16, lines: &str) -> (u16, Keeper, TempDir) {
    let (port, folder) = (free_port(), tempfile::Builder::new().prefix("sessions-sentinel-").tempdir());
    let folder = folder.expect("a folder");
    let file = folder.path().join("sentinel.conf");
    let settings = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 4000\n{lines}\n",
        folder.path().display()
    );
    std::fs::write(&file, settings).expect("a file in the folder");
    let mut command = Command::new(server_program());
    command.arg(&file).arg("--sentinel");
    (port, Keeper::run(&command, folder.path()), folder)
}
