//! Puts the stacks under load in turns, and counts what they and the Redis server do.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    Outcome,
    arguments::Arguments,
    numbers::{Spread, float},
    request::{LOGIN, Route},
    server::{Server, Tally},
    stacks::Stack,
    wire::Connection,
};

/// The routes that are loaded.
pub(crate) const PATHS: [&str; 2] = ["read", "set"];
const CONNECTIONS: usize = 64;
/// Requests one after the other, by which round trips and bytes are counted.
const COUNTED: usize = 500;
const STRIDE: usize = 7_919;

/// What the chunks of one stack and route have shown.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    /// Microseconds of the server's processor a request, and of the Redis server's.
    processor: Vec<f64>,
    redis: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    a_second: Vec<f64>,
    pub(crate) trips: f64,
    pub(crate) bytes: f64,
}

impl Chunks {
    pub(crate) fn processor(&self) -> Spread {
        Spread::of(&self.processor)
    }
    pub(crate) fn redis(&self) -> Spread {
        Spread::of(&self.redis)
    }
    pub(crate) fn p50(&self) -> Spread {
        Spread::of(&self.p50)
    }
    pub(crate) fn p99(&self) -> Spread {
        Spread::of(&self.p99)
    }
    pub(crate) fn a_second(&self) -> Spread {
        Spread::of(&self.a_second)
    }
    /// The processor time as a multiple of another stack's, chunk by chunk.
    pub(crate) fn against(&self, other: &Self) -> Spread {
        Spread::of_pairs(&self.processor, &other.processor, |own, other| own / other)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) redis_version: String,
    pub(crate) cells: BTreeMap<(&'static str, Stack), Chunks>,
    /// Stacks that could not be started, and why.
    pub(crate) left_out: Vec<(Stack, String)>,
}

/// A stack that runs, with the cookies of its sessions.
struct Running {
    stack: Stack,
    process: Child,
    port: u16,
    cookies: Arc<Vec<String>>,
    _folder: Option<TempDir>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn measure(arguments: &Arguments) -> Outcome<Measured> {
    let mut server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut measured = Measured { redis_version: server.version()?, ..Measured::default() };
    let mut running = Vec::new();
    for &stack in &arguments.stacks {
        match runtime.block_on(start(stack, server.port, arguments.sessions(5_000))) {
            Ok(ready) => running.push(ready),
            Err(error) => measured.left_out.push((stack, error.to_string())),
        }
    }
    for path in PATHS {
        let route = Route::of_word(path)?;
        for stack in &running {
            let (trips, bytes) = runtime.block_on(count(&mut server, stack, route))?;
            let chunks = measured.cells.entry((path, stack.stack)).or_default();
            (chunks.trips, chunks.bytes) = (trips, bytes);
        }
        // The first round only warms up.
        for round in 0..=arguments.rounds {
            for stack in &running {
                let chunk = chunk(&mut server, stack, route, arguments.seconds);
                let [processor, redis, p50, p99, a_second] = runtime.block_on(chunk)?;
                if round > 0 {
                    let chunks = measured.cells.entry((path, stack.stack)).or_default();
                    chunks.processor.push(processor);
                    chunks.redis.push(redis);
                    chunks.p50.push(p50);
                    chunks.p99.push(p99);
                    chunks.a_second.push(a_second);
                }
            }
        }
    }
    Ok(measured)
}

async fn start(stack: Stack, redis: u16, sessions: usize) -> Outcome<Running> {
    let (mut command, folder) = if stack == Stack::Express {
        let folder = installed()?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "node"]).arg(folder.path().join("express.mjs"));
        (command, Some(folder))
    } else {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", stack.word()]);
        (command, None)
    };
    let mut process = command.arg(redis.to_string()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(process.stdout.take().ok_or("a process without its output")?).read_line(&mut line)?;
    let mut running = Running { stack, process, port: 0, cookies: Arc::default(), _folder: folder };
    running.port = line.trim().parse().map_err(|_| format!("{} did not start", stack.word()))?;
    let begin = Instant::now();
    let mut connection = loop {
        match Connection::open(running.port).await {
            Ok(connection) => break connection,
            Err(error) if begin.elapsed() > Duration::from_secs(10) => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let mut cookies = Vec::with_capacity(sessions);
    for _ in 0..sessions {
        let answer = connection.exchange(LOGIN, b"").await?;
        cookies.push(answer.cookies().ok_or_else(|| format!("{}: a login without a cookie", stack.word()))?);
    }
    running.cookies = Arc::new(cookies);
    Ok(running)
}

/// A folder with what npm has: it is removed after the run.
fn installed() -> Outcome<TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("express.mjs"), include_str!("stacks/express.mjs"))?;
    std::fs::write(folder.path().join("package.json"), "{\"private\":true}")?;
    let packages = ["express@5", "express-session@1", "connect-redis@9", "redis@6"];
    let done = npm(folder.path(), &packages).map_err(|error| format!("npm can't be run: {error}"))?;
    if done { Ok(folder) } else { Err("npm could not install it".into()) }
}

fn npm(folder: &Path, packages: &[&str]) -> std::io::Result<bool> {
    let mut command = Command::new("npm");
    command
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .args(packages)
        .current_dir(folder);
    Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success())
}

/// Round trips and bytes a request, of a client that waits for each answer.
async fn count(server: &mut Server, stack: &Running, route: Route) -> Outcome<(f64, f64)> {
    let mut connection = Connection::open(stack.port).await?;
    let look = server.tally()?;
    let look = server.tally()?.since(&look, &Tally::default());
    let before = server.tally()?;
    for index in 0..COUNTED {
        let cookie = stack.cookies.get(index % stack.cookies.len().max(1)).ok_or("no session")?;
        if !connection.exchange(route, cookie.as_bytes()).await?.is_success() {
            return Err(format!("{} {}: not answered with success", stack.stack.word(), route.path).into());
        }
    }
    // What is sent after the answer.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let done = server.tally()?.since(&before, &look);
    let requests = float(COUNTED as u64);
    Ok((done.reads / requests, (done.bytes_in + done.bytes_out) / requests))
}

async fn chunk(server: &mut Server, stack: &Running, route: Route, seconds: f64) -> Outcome<[f64; 5]> {
    let mut control = Connection::open(stack.port).await?;
    let (used, before, begin) = (processor(&mut control).await?, server.tally()?, Instant::now());
    let until = begin + Duration::from_secs_f64(seconds);
    let mut clients = JoinSet::new();
    for first in 0..CONNECTIONS {
        let (cookies, port) = (Arc::clone(&stack.cookies), stack.port);
        clients.spawn(async move { client(port, route, &cookies, first * 101, until).await });
    }
    let mut waits = Vec::new();
    while let Some(done) = clients.join_next().await {
        waits.extend(done??);
    }
    let elapsed = begin.elapsed().as_secs_f64();
    let used = processor(&mut control).await? - used;
    let redis = server.tally()?.since(&before, &Tally::default()).processor;
    waits.sort_unstable();
    let wait =
        |share: usize| float(waits.get(waits.len().saturating_sub(1) * share / 100).copied().unwrap_or(0));
    let requests = float(waits.len().max(1) as u64);
    Ok([used / 1e3 / requests, redis / requests, wait(50) / 1e3, wait(99) / 1e3, requests / elapsed])
}

async fn processor(control: &mut Connection) -> Outcome<f64> {
    let answer = control.exchange(Route { method: &http::Method::GET, path: "/cpu" }, b"").await?;
    Ok(std::str::from_utf8(answer.body)?.trim().parse()?)
}

async fn client(
    port: u16,
    route: Route,
    cookies: &[String],
    mut next: usize,
    until: Instant,
) -> Outcome<Vec<u64>> {
    let mut connection = Connection::open(port).await?;
    let mut waits = Vec::new();
    let mut before = Instant::now();
    while before < until {
        next = next.wrapping_add(STRIDE);
        let cookie = cookies.get(next % cookies.len().max(1)).map_or(&b""[..], |cookie| cookie.as_bytes());
        if !connection.exchange(route, cookie).await?.is_success() {
            return Err(format!("{}: not answered with success", route.path).into());
        }
        let now = Instant::now();
        waits.push(u64::try_from((now - before).as_nanos()).unwrap_or(u64::MAX));
        before = now;
    }
    Ok(waits)
}
