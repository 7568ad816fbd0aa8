//! Processes of servers: they end with the program that started them, however that ended, and run as another user where it
//! is root.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

/// Runs a server, ends it when its own input ends, also if it was stopped, waits for it and removes its folder. A line on
/// its input before keeps the folder.
const KEEPER: &str = "trap '' INT TERM HUP; exec 2>/dev/null; \"$@\" >>\"$LOG\" 2>&1 & echo $!; read line; kill -INT $!; kill -CONT $!; wait $!; \
                      [ \"$line\" = keep ] || rm -rf \"$FOLDER\"";

/// Removes a folder when its own input ends.
const REMOVER: &str = "trap '' INT TERM HUP; read line; rm -rf \"$FOLDER\"";

/// How long a server that was killed may take to end.
const END: Duration = Duration::from_secs(20);

/// A server that runs. It ends with this, at once, and its folder stays; and it ends with the program, and its folder goes.
#[derive(Debug)]
pub(super) struct Keeper {
    pid: u32,
    shell: Child,
    input: Option<ChildStdin>,
    /// Its number may be another process's by now.
    is_killed: bool,
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
        Self { pid: line.trim().parse().unwrap(), shell, input, is_killed: false }
    }

    /// The number of the server's first process.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it still runs.
    pub(super) fn runs(&self) -> bool {
        !has_ended(self.pid)
    }

    /// Sends it a signal by name, such as `STOP`.
    ///
    /// # Panics
    /// If it can't be sent to a server that runs.
    pub(super) fn signal(&self, name: &str) {
        assert!(signal(name, self.pid) || !self.runs(), "kill -{name}");
    }

    /// Ends it at once, as a machine without power would.
    ///
    /// # Panics
    /// If it has not ended after a while.
    pub(super) fn kill(&mut self) {
        self.signal("KILL");
        let begin = Instant::now();
        while self.runs() {
            assert!(begin.elapsed() < END, "a server does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.is_killed = true;
    }

    /// Ends it as operators do, and waits.
    pub(super) fn end(mut self, folder: Folder) {
        if let Some(mut input) = self.input.take() {
            let _ = writeln!(input, "{}", if folder == Folder::Kept { "keep" } else { "" });
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(mut input) = self.input.take() {
            if !self.is_killed {
                signal("KILL", self.pid);
            }
            let _ = writeln!(input, "keep");
        }
        let _ = self.shell.wait();
    }
}

/// A folder for what the tests of this program keep. It goes when the program ends, however that ends.
///
/// # Panics
/// If none can be made.
pub fn lasting_folder() -> &'static Path {
    static FOLDER: LazyLock<(PathBuf, Child)> = LazyLock::new(|| {
        let folder = tempfile::Builder::new().prefix("sessions-").tempdir().unwrap().keep();
        let mut shell = Command::new("sh");
        shell.args(["-c", REMOVER]).env("FOLDER", &folder);
        // Its input stays open as long as this is held, which is as long as the program runs.
        (folder, shell.stdin(Stdio::piped()).spawn().unwrap())
    });
    &FOLDER.0
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

/// Whether a process has ended with all its threads, also if no one has asked how.
pub(super) fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces. Behind it: the state first, the number of threads as the eighteenth.
    let mut rest = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    rest.next().is_none_or(|state| state == "Z" && rest.nth(16) == Some("1"))
}

/// Sends a process a signal by name: whether it was there to be told.
pub(super) fn signal(name: &str, pid: u32) -> bool {
    let sent =
        Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
    sent.expect("there is a program `kill`").success()
}
