//! A `redis-server` of the run's own, and what it tells of its work.

use std::{
    collections::HashMap,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use redis::{Connection, ConnectionLike as _};
use tempfile::TempDir;

use crate::Outcome;

/// A server that keeps nothing on the disk. It ends with this.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    connection: Connection,
    _folder: TempDir,
}

/// What a server has done so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// How often it read from a connection: of one client that waits for each answer, its round trips.
    pub(crate) reads: f64,
    pub(crate) bytes_in: f64,
    pub(crate) bytes_out: f64,
    /// Microseconds of its processor.
    pub(crate) processor: f64,
    pub(crate) memory: f64,
}

impl Server {
    pub(crate) fn start() -> Outcome<Self> {
        let port = free_port()?;
        let folder = tempfile::tempdir()?;
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.args(["--maxmemory-policy", "noeviction", "--dir"]).arg(folder.path()).stdout(Stdio::null());
        let process = command.spawn().map_err(|error| format!("redis-server can't be started: {error}"))?;
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
        let begin = Instant::now();
        let connection = loop {
            match client.get_connection() {
                Ok(connection) => break connection,
                Err(error) if begin.elapsed() > Duration::from_secs(10) => return Err(error.into()),
                Err(_) => sleep(Duration::from_millis(20)),
            }
        };
        Ok(Self { process, port, connection, _folder: folder })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The version that it tells.
    pub(crate) fn version(&mut self) -> Outcome<String> {
        Ok(self.info()?.remove("redis_version").unwrap_or_default())
    }

    pub(crate) fn tally(&mut self) -> Outcome<Tally> {
        let info = self.info()?;
        let number = |name: &str| info.get(name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        Ok(Tally {
            reads: number("total_reads_processed"),
            bytes_in: number("total_net_input_bytes"),
            bytes_out: number("total_net_output_bytes"),
            processor: (number("used_cpu_user") + number("used_cpu_sys")) * 1e6,
            memory: number("used_memory"),
        })
    }

    pub(crate) fn keys(&mut self) -> Outcome<u64> {
        Ok(redis::cmd("DBSIZE").query(&mut self.connection)?)
    }

    pub(crate) fn clear(&mut self) -> Outcome<()> {
        Ok(redis::cmd("FLUSHALL").query(&mut self.connection)?)
    }

    fn info(&mut self) -> Outcome<HashMap<String, String>> {
        let text: String =
            redis::from_redis_value(self.connection.req_command(redis::cmd("INFO").arg("all"))?)?;
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Ok(lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Tally {
    /// What came after an earlier look, without what the looks themselves cost.
    pub(crate) fn since(&self, before: &Self, look: &Self) -> Self {
        Self {
            reads: self.reads - before.reads - look.reads,
            bytes_in: self.bytes_in - before.bytes_in - look.bytes_in,
            bytes_out: self.bytes_out - before.bytes_out - look.bytes_out,
            processor: self.processor - before.processor,
            memory: self.memory - before.memory,
        }
    }
}

pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
