//! Processes of servers: they end with the program that started them, however that ended, and run as another user where it
//! is root.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Runs a server, ends it when its own input ends, waits for it and removes its folder. A line on its input before keeps
/// the folder.
const KEEPER: &str = "trap '' INT TERM HUP; exec 2>/dev/null; \"$@\" >>\"$LOG\" 2>&1 & echo $!; read line; kill -INT $!; wait $!; \
                      [ \"$line\" = keep ] || rm -rf \"$FOLDER\"";

/// A server that runs. It ends with this, and with the program.
#[derive(Debug)]
pub(super) struct Keeper {
    pid: u32,
    shell: Child,
    input: Option<ChildStdin>,
}

/// What becomes of a server's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Kept,
    Removed,
}

impl Keeper {
    /// Runs a command whose folder this is; what it says is in the file `log` there.
    pub(super) fn run(command: &Command, folder: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "keeper"]).arg(command.get_program()).args(command.get_args());
        shell.env("LOG", folder.join("log")).env("FOLDER", folder);
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = shell.stdin.take();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { pid: line.trim().parse().unwrap(), shell, input }
    }

    /// The number of the server's first process.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends it and waits.
    pub(super) fn end(mut self, folder: Folder) {
        if let Some(mut input) = self.input.take() {
            let _ = writeln!(input, "{}", if folder == Folder::Kept { "keep" } else { "" });
        }
        let _ = self.shell.wait();
    }
}

/// The user that a server runs as where the tests run as root, which it refuses.
pub(super) fn other_user() -> Option<u32> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    (id(&["-u"]) == Some(0)).then(|| {
        id(&["-u", "postgres"]).expect("there is a user `postgres`: run tests/servers, then the tests again")
    })
}

/// A command that runs as servers do.
pub(super) fn as_server(program: &Path) -> Command {
    if other_user().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    command
}

/// Whether a process has ended, also if no one has asked how.
pub(super) fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| matches!(rest.trim_start().chars().next(), None | Some('Z')))
}

pub(super) fn signal(name: &str, pid: u32) {
    // A process may end before it is told.
    let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
