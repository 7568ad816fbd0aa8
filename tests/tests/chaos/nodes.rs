//! The three processes of the service: started, killed, frozen, and started again.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use crate::world::NODES;

/// How long a node may take to start, while its store may be starting too.
const START: Duration = Duration::from_secs(60);

/// The nodes. They end with this.
#[derive(Debug)]
pub(crate) struct Nodes {
    urls: [String; NODES],
    ports: Arc<[AtomicU16; NODES]>,
    processes: Vec<Node>,
}

/// One process. It ends when its input does.
#[derive(Debug)]
struct Node {
    child: Child,
    _input: Option<ChildStdin>,
}

impl Nodes {
    /// Starts them, each with its address of the store.
    pub(crate) fn start(urls: [String; NODES]) -> Self {
        let mut nodes = Self { urls, ports: Arc::default(), processes: Vec::new() };
        // At once, as a deployment does.
        let started: Vec<_> = thread::scope(|threads| {
            let urls: Vec<_> = nodes.urls.iter().map(|url| threads.spawn(|| start(url))).collect();
            urls.into_iter().map(|node| node.join().unwrap()).collect()
        });
        for (number, (node, port)) in started.into_iter().enumerate() {
            nodes.ports[number].store(port, SeqCst);
            nodes.processes.push(node);
        }
        nodes
    }

    /// Where they listen.
    pub(crate) fn ports(&self) -> Arc<[AtomicU16; NODES]> {
        Arc::clone(&self.ports)
    }

    /// Kills one, as a machine without power would.
    pub(crate) fn kill(&mut self, node: usize) {
        self.processes[node].end();
    }

    /// Starts one that was killed.
    pub(crate) fn start_again(&mut self, node: usize) {
        let (process, port) = start(&self.urls[node]);
        self.ports[node].store(port, SeqCst);
        self.processes[node] = process;
    }

    /// Sends one a signal, such as `STOP`.
    pub(crate) fn signal(&self, node: usize, name: &str) {
        let pid = self.processes[node].child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }
}

impl Node {
    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts a node, again and again while its store does not answer, and gives its port.
fn start(url: &str) -> (Node, u16) {
    let begin = Instant::now();
    loop {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chaos_node"))
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut node = Node { child, _input: input };
        if let Ok(port) = line.trim().parse() {
            return (node, port);
        }
        node.end();
        assert!(begin.elapsed() < START, "a node does not start on its store");
        thread::sleep(Duration::from_millis(50));
    }
}
