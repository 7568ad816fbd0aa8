//! Servers on loopback under load: processor time a request as the kernel counts it, and how long clients wait.
//!
//! The servers are up at the same time on one core and serve in turns; the generator has the other core. Processor time is
//! compared and not requests a second, because the generator is the limit of a fast server.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    Outcome,
    arguments::Arguments,
    machine,
    numbers::{Spread, float},
    orders::Servant,
    request::{LOGIN, Route},
    stacks::Stack,
    wire::Connection,
};

/// The routes that are loaded.
pub(crate) const PATHS: [&str; 3] = ["untouched", "read", "set"];

const CONNECTIONS: usize = 64;
/// Sessions of a layer that keeps them in cookies.
const IN_COOKIES: usize = 2_000;
/// How far a connection's next session is from the one before.
const STRIDE: usize = 7_919;

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) sessions: usize,
    pub(crate) path: &'static str,
    pub(crate) stack: Stack,
}

/// What the chunks of one cell have shown, in the order of the rounds.
#[derive(Debug, Default)]
struct Chunks {
    /// Microseconds of the server's processor a request.
    processor: Vec<f64>,
    /// Microseconds that half of the clients and all but one in a hundred waited at most.
    p50: Vec<f64>,
    p99: Vec<f64>,
    a_second: Vec<f64>,
}

/// What was measured while some servers took turns.
type Cells = BTreeMap<Cell, Chunks>;

#[derive(Debug, Default)]
pub(crate) struct Sockets {
    cells: Cells,
    /// This library with few and with many sessions, beside each other.
    sizes: Cells,
}

impl Sockets {
    /// The server's processor time a request in microseconds.
    pub(crate) fn processor(&self, cell: Cell) -> Option<Spread> {
        Some(Spread::of(&self.cells.get(&cell)?.processor))
    }

    /// The same as a multiple of another stack's.
    pub(crate) fn against(&self, cell: Cell, other: Stack) -> Option<Spread> {
        let (own, other) = (self.cells.get(&cell)?, self.cells.get(&Cell { stack: other, ..cell })?);
        Some(Spread::of_pairs(&own.processor, &other.processor, |own, other| own / other))
    }

    /// Microseconds: the median over the rounds of each round's median and 99th percentile, and requests a second.
    pub(crate) fn waits(&self, cell: Cell) -> Option<[f64; 3]> {
        let chunks = self.cells.get(&cell)?;
        Some([&chunks.p50, &chunks.p99, &chunks.a_second].map(|values| Spread::of(values).median))
    }

    /// The median over the rounds of the 99th percentile beside another number of sessions, in microseconds.
    pub(crate) fn p99(&self, cell: Cell) -> Option<f64> {
        Some(Spread::of(&self.sizes.get(&cell)?.p99).median)
    }

    /// The 99th percentile as a multiple of that with another number of sessions, round by round.
    pub(crate) fn p99_against(&self, cell: Cell, sessions: usize) -> Option<Spread> {
        let (own, other) = (self.sizes.get(&cell)?, self.sizes.get(&Cell { sessions, ..cell })?);
        Some(Spread::of_pairs(&own.p99, &other.p99, |own, other| own / other))
    }
}

/// The few and the many sessions between which waiting is compared.
pub(crate) fn few_and_many(arguments: &Arguments) -> [usize; 2] {
    [1_000.min(arguments.most), arguments.most]
}

pub(crate) fn measure(arguments: &Arguments) -> Outcome<Sockets> {
    let mut results = Sockets::default();
    machine::pin_to(1);
    // Each route of each server is loaded two rounds of three: a chunk here is long.
    let rounds = (arguments.rounds * 2).div_ceil(3);
    let all: Vec<_> = arguments.of(&Stack::ALL).into_iter().map(|stack| (stack, arguments.usual())).collect();
    results.cells = servers(&all, &PATHS, rounds, arguments.seconds)?;
    if arguments.most > 0 && !arguments.of(&[Stack::Ours]).is_empty() {
        let both = few_and_many(arguments).map(|sessions| (Stack::Ours, sessions));
        results.sizes = servers(&both, &["read"], rounds, arguments.seconds)?;
    }
    Ok(results)
}

pub(crate) fn runtime() -> Outcome<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Starts a server and tells its port and cookies.
pub(crate) fn start(stack: Stack, sessions: usize) -> Outcome<(Servant, u16, Vec<String>)> {
    let mut server = Servant::start(&["serve", stack.word(), &sessions.to_string()])?;
    let ready = server.answer()?;
    let (port, count) =
        ready.strip_prefix("ready ").and_then(|rest| rest.split_once(' ')).ok_or("not ready")?;
    let cookies = (0..count.parse()?).map(|_: usize| server.answer()).collect::<Outcome<_>>()?;
    Ok((server, port.parse()?, cookies))
}

struct Server {
    cell: (Stack, usize),
    process: Servant,
    port: u16,
    cookies: Arc<Vec<String>>,
    next: usize,
}

/// Loads the routes of servers in turns.
fn servers(wanted: &[(Stack, usize)], paths: &[&'static str], rounds: usize, seconds: f64) -> Outcome<Cells> {
    let (runtime, mut cells) = (runtime()?, Cells::new());
    let mut servers = Vec::new();
    for &(stack, sessions) in wanted {
        eprintln!("sockets: {sessions} sessions for {}", stack.title());
        servers.push(Server::start(&runtime, stack, sessions)?);
    }
    for round in 0..=rounds {
        eprint!("\rsockets: round {round} of {rounds}");
        for &path in paths {
            for server in &mut servers {
                // The first round warms up and is not counted.
                let length = Duration::from_secs_f64(if round == 0 { seconds / 4.0 } else { seconds });
                let chunk = server.chunk(&runtime, Route::of_word(path)?, length)?;
                if round > 0 {
                    let (stack, sessions) = server.cell;
                    cells.entry(Cell { sessions, path, stack }).or_default().add(chunk);
                }
            }
        }
    }
    eprintln!();
    Ok(cells)
}

/// One chunk: seconds of the server's processor, seconds by the clock, and what each request waited in nanoseconds.
type Chunk = (f64, f64, Vec<u64>);

impl Chunks {
    fn add(&mut self, (processor, seconds, mut waits): Chunk) {
        waits.sort_unstable();
        let count = float(waits.len().max(1) as u64);
        let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or(0);
        self.processor.push(processor * 1e6 / count);
        self.p50.push(float(at(50)) / 1e3);
        self.p99.push(float(at(99)) / 1e3);
        self.a_second.push(count / seconds);
    }
}

impl Server {
    fn start(runtime: &Runtime, stack: Stack, sessions: usize) -> Outcome<Self> {
        let (process, port, mut cookies) = start(stack, sessions)?;
        if stack == Stack::ActixCookie {
            let mut connection = runtime.block_on(Connection::open(port))?;
            for _ in 0..IN_COOKIES.min(sessions) {
                let answer = runtime.block_on(connection.exchange(LOGIN, b""))?;
                cookies.push(answer.cookies().ok_or("no cookie came back")?);
            }
        } else if stack == Stack::BareActix {
            cookies.push(format!("id={}", "0123456789".repeat(20)));
        }
        Ok(Self { cell: (stack, sessions), process, port, cookies: Arc::new(cookies), next: 0 })
    }

    /// Loads one route from all connections for a while. They are new ones: servers close what was idle.
    fn chunk(&mut self, runtime: &Runtime, route: Route, length: Duration) -> Outcome<Chunk> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(runtime.block_on(Connection::open(self.port))?);
        }
        let before: u64 = self.process.ask("time")?.parse()?;
        let start = Instant::now();
        let waits = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for connection in connections {
                self.next = self.next.wrapping_add(104_729);
                tasks.spawn(load(connection, route, Arc::clone(&self.cookies), self.next, start + length));
            }
            let (awake, mut all) = (tokio::spawn(stay_awake()), Vec::new());
            while let Some(done) = tasks.join_next().await {
                all.append(&mut done??);
            }
            awake.abort();
            Outcome::Ok(all)
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let after: u64 = self.process.ask("time")?.parse()?;
        Ok((float(after - before) / 1e9, seconds, waits))
    }
}

/// Keeps the generator from sleeping. To wake it is the work of whoever sends to it, and costs a server the more the less
/// there is for the generator to do: a server that is slower would pay twice for it.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn load(
    mut connection: Connection,
    route: Route,
    cookies: Arc<Vec<String>>,
    mut next: usize,
    until: Instant,
) -> Outcome<Vec<u64>> {
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
