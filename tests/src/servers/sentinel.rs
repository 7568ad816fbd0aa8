//! A primary, a replica and three Sentinels on this machine.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{
    Process, free_port, program,
    redis::{RedisServer, ask},
};

const START: Duration = Duration::from_secs(60);

/// What the Sentinels call the primary.
pub const NAME: &str = "main";

/// The servers, and who watches them.
#[derive(Debug)]
pub struct Watched {
    servers: [RedisServer; 2],
    sentinels: Vec<(u16, Process, TempDir)>,
}

impl Watched {
    /// Starts them.
    ///
    /// # Panics
    /// If they don't find each other.
    pub fn start() -> Self {
        let primary = RedisServer::start_with(&["--repl-diskless-sync-delay 0"]);
        let replica = RedisServer::start_with(&[
            &format!("--replicaof 127.0.0.1 {}", primary.port()),
            "--repl-diskless-sync-delay 0",
        ]);
        let sentinels = (0..3).map(|_| sentinel(primary.port())).collect();
        let watched = Self { servers: [primary, replica], sentinels };
        watched.wait(|watched| {
            watched.sentinels.iter().all(|(port, ..)| {
                let told = ask(*port, &["SENTINEL", "MASTER", NAME]).unwrap_or_default();
                let told: Vec<_> = told.lines().collect();
                let value =
                    |key: &str| told.iter().position(|line| *line == key).and_then(|at| told.get(at + 2));
                value("num-slaves") == Some(&"1") && value("num-other-sentinels") == Some(&"2")
            })
        });
        watched.wait(|watched| {
            watched.servers[1].ask(&["INFO", "replication"]).contains("master_link_status:up")
        });
        watched
    }

    /// Their address, as `stores.NAME.url` has it.
    pub fn url(&self) -> String {
        let nodes: Vec<_> = self.sentinels.iter().map(|(port, ..)| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/{NAME}", nodes.join(","))
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
        let answer = ask(*port, &["SENTINEL", "FAILOVER", NAME]).unwrap_or_default();
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

fn sentinel(primary: u16) -> (u16, Process, TempDir) {
    let (port, folder) = (free_port(), tempfile::Builder::new().prefix("sessions-sentinel-").tempdir());
    let folder = folder.expect("a folder");
    let file = folder.path().join("sentinel.conf");
    let settings = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nlogfile log\nsentinel monitor {NAME} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 4000\n",
        folder.path().display()
    );
    std::fs::write(&file, settings).expect("a file in the folder");
    let mut command = Command::new(program("redis-server"));
    command.arg(&file).arg("--sentinel").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    (port, Process::start(&mut command), folder)
}
