//! The showcase as a process, or its shop on another framework: built once, started with variables, stopped by a signal.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    sync::OnceLock,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::client::Browser;

/// The folder of the workspace, in which the showcase finds its `sessions.toml`.
pub(crate) fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(crate::built)
}

/// The program with nothing of this process's own settings, on a free port.
pub(crate) fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("SESSIONS_") || name == "RUST_LOG") {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace()).env("SHOWCASE_ADDR", "127.0.0.1:0");
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    command
}

/// Runs a program that is expected not to start.
pub(crate) fn run_to_end(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the showcase runs");
    let status = wait(&mut child, Duration::from_secs(10));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    child.stdout.take().expect("piped").read_to_end(&mut stdout).expect("standard output");
    child.stderr.take().expect("piped").read_to_end(&mut stderr).expect("standard error");
    Output { status, stdout, stderr }
}

/// Waits for an end, and makes one after the limit.
fn wait(child: &mut Child, limit: Duration) -> ExitStatus {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            assert!(Instant::now() < end, "the program ends within {limit:?}");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A running showcase. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Showcase {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
    /// The one line that it wrote when it was ready.
    pub(crate) ready: String,
    pub(crate) address: SocketAddr,
}

/// What a stopped showcase leaves.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) status: ExitStatus,
    /// What it wrote to standard output after the ready line.
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Showcase {
    /// With the settings of the workspace's own file.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With variables laid over them.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        Self::spawn(command(variables))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the showcase runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut errors = child.stderr.take().expect("piped");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("standard output");
        let address =
            ready.trim_end().strip_prefix("listening on http://").and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            let stderr = stderr.join().unwrap_or_default();
            unreachable!("the showcase says where it listens: {ready:?}, {stderr}");
        };
        Self { child, stdout, stderr: Some(stderr), ready, address }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the signal is sent");
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self, limit: Duration) -> Stopped {
        let began = Instant::now();
        let status = wait(&mut self.child, limit);
        let took = began.elapsed();
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).expect("standard output");
        let stderr = self.stderr.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        Stopped { status, stdout, stderr, took }
    }
}

impl Drop for Showcase {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
