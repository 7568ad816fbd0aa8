//! The program as a process: built once, run with arguments and variables, compared with golden files.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use sessions_tests::built::program;

/// The folder of the workspace, which has the showcase's `sessions.toml`.
pub(crate) fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The program as it is installed: without what other features bring.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| program(&["--package", "sessions", "--features", "cli", "--bin", "sessions"]))
}

/// What a run printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Everything that was printed is on standard output.
    #[track_caller]
    pub(crate) fn quiet(self) -> Self {
        assert_eq!(self.stderr, "");
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A run in the workspace's folder, without settings of this process.
pub(crate) fn sessions(arguments: &[&str]) -> Ran {
    run(workspace(), arguments, &[])
}

/// The same with variables.
pub(crate) fn with_variables(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    run(workspace(), arguments, variables)
}

/// The exit code of a run with a variable that need not be text.
#[cfg(unix)]
pub(crate) fn code_with(arguments: &[&str], name: &str, value: &std::ffi::OsStr) -> i32 {
    let mut command = command();
    command.args(arguments).current_dir(workspace()).env(name, value);
    command.output().unwrap().status.code().unwrap()
}

/// The program with nothing of this process's own settings.
fn command() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in env::vars_os() {
        let ours = ["SESSIONS_", "CLICOLOR"];
        if name.to_str().is_some_and(|name| ours.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command.env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// A run in a folder.
pub(crate) fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = command();
    command.args(arguments).current_dir(folder).envs(variables.iter().copied());
    let output = command.output().unwrap();
    Ran {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

/// A folder of its own for one test, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("sessions-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    /// A run in it that goes on for itself.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = command();
        command.args(arguments).current_dir(&self.0).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// A run in it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&self.0, arguments, &[])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Compares with a file of `golden`, which is written anew when the tests are told to.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/golden")).join(name);
    if env::var_os("SESSIONS_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, text, "{name} is stale: run the tests once with SESSIONS_BLESS=1");
}
