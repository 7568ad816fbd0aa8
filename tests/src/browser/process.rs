//! The driver and the browsers that it starts, as one group of processes: they end with the test, however that ended.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::servers::program;

/// How long the driver may take to start.
const START: Duration = Duration::from_secs(60);

/// Runs a program as a group of its own, ends the group when its own input ends, and removes its folder.
const KEEPER: &str = "trap : INT TERM HUP; exec 2>/dev/null; setsid \"$@\" & group=$!; read line; kill -KILL -$group; \
                      wait $group; rm -rf \"$FOLDER\"";

/// A driver that runs, and the folder of its browser.
#[derive(Debug)]
pub(super) struct Driver {
    port: u16,
    shell: Child,
    input: Option<ChildStdin>,
    folder: TempDir,
}

impl Driver {
    /// Starts one; it chooses its port itself.
    pub(super) fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("sessions-browser-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "keeper"]).arg(program("chromedriver")).arg("--port=0");
        // Chromium writes beside its profile, too.
        shell.env("FOLDER", folder.path()).env("TMPDIR", folder.path()).env("HOME", folder.path());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().map_err(|error| error.to_string())?;
        let (input, output) = (shell.stdin.take(), shell.stdout.take());
        let mut driver = Self { port: 0, shell, input, folder };
        let output = BufReader::new(output.ok_or("no output")?);
        let (tell, told) = mpsc::channel();
        // It reads on after the port is known: nobody else would, and the driver would stand still.
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.filter_map(|line| port_of(&line)).for_each(|port| {
                let _ = tell.send(port);
            });
        });
        driver.port = told.recv_timeout(START).map_err(|_| "the driver tells no port".to_owned())?;
        Ok(driver)
    }

    /// Where it takes commands.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A folder that goes with it.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.shell.wait();
    }
}

/// Whether the tests run as root.
pub(super) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| String::from_utf8_lossy(&id.stdout).trim() == "0")
}

fn port_of(line: &str) -> Option<u16> {
    line.split_once("successfully on port ")?.1.trim_end_matches('.').trim().parse().ok()
}
