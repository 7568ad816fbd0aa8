//! Breaks the library on purpose, one safeguard at a time, and sees that a promise's test goes red each time.
//!
//! `cargo run -p sessions-tests --bin controls [WORD…]` runs the controls whose name has one of the words, or all. A test that
//! stays green without the safeguard that it is there for proves nothing: such a control fails. So does one whose text
//! is not in the source any more: it has to follow the code. Works on a copy below `target/`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// One safeguard, how it is taken away, and the test that has to notice: one of the promises, or, as in
/// `schedules: login::a_test`, one of another test target, of the schedules, of the `library` or of
/// `observing`.
struct Control {
    name: &'static str,
    file: &'static str,
    safeguard: &'static str,
    without: &'static str,
    test: &'static str,
}

const CONTROLS: &[Control] = &include!("../controls.in");

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let copy = root.join("target/controls/tree");
    if let Err(error) = fs::remove_dir_all(&copy).or_else(absent).and_then(|()| copy_tree(&root, &copy)) {
        eprintln!("the tree can't be copied to {}: {error}", copy.display());
        return ExitCode::FAILURE;
    }
    let chosen: Vec<_> = CONTROLS
        .iter()
        .filter(|control| words.is_empty() || words.iter().any(|word| control.name.contains(word)))
        .collect();
    let (mut red, mut failed) = (0, 0);
    for control in chosen {
        match run(control, &root, &copy) {
            Ok(()) => {
                red += 1;
                println!("red as it should be: {} ({})", control.name, control.test);
            }
            Err(why) => {
                failed += 1;
                println!("FAILED: {}: {why}", control.name);
            }
        }
    }
    println!("{red} passed, {failed} failed");
    if failed == 0 && red > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The file of a control, in which its safeguard stands exactly once.
fn guarded(control: &Control, tree: &Path) -> Result<String, String> {
    let whole = fs::read_to_string(tree.join(control.file)).map_err(|error| error.to_string())?;
    match whole.matches(control.safeguard).count() {
        1 => Ok(whole),
        _ => Err(format!("the safeguard's text is not in {} exactly once", control.file)),
    }
}

fn run(control: &Control, root: &Path, copy: &Path) -> Result<(), String> {
    let place = copy.join(control.file);
    let whole = guarded(control, copy)?;
    fs::write(&place, whole.replace(control.safeguard, control.without))
        .map_err(|error| error.to_string())?;
    let outcome = tested(control.test, root, copy);
    fs::write(&place, whole).map_err(|error| error.to_string())?;
    outcome
}

fn tested(test: &str, root: &Path, copy: &Path) -> Result<(), String> {
    let (target, test) = test.split_once(": ").unwrap_or(("promises", test));
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--quiet", "--package"]);
        let (dir, flags) = match target {
            "schedules" => {
                command.args(["sessions-schedules", "--lib"]);
                ("target/controls/schedules", "--cap-lints allow --cfg sessions_shuttle")
            }
            "library" => {
                command.args(["sessions", "--lib", "--features", "redis,sqlite"]);
                ("target/controls/target", "--cap-lints allow")
            }
            "observing" => {
                command.args(["sessions-tests", "--features", "observing", "--test", target]);
                ("target/controls/target", "--cap-lints allow")
            }
            _ => {
                command.args(["sessions-tests", "--test", target]);
                ("target/controls/target", "--cap-lints allow")
            }
        };
        command
            .args(arguments)
            .current_dir(copy)
            .env("CARGO_TARGET_DIR", root.join(dir))
            .env("RUSTFLAGS", flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| error.to_string())
    };
    let built = cargo(&["--no-run"])?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        let error = said.lines().find(|line| line.starts_with("error")).unwrap_or_default();
        return Err(format!("it does not compile without the safeguard: {error}"));
    }
    let output = cargo(&["--", "--exact", test])?;
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("running 0 tests") || !said.contains("running 1 test") {
        return Err(format!("there is no test `{test}`"));
    }
    if output.status.success() { Err(format!("`{test}` stays green")) } else { Ok(()) }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "target" || name == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to.join(name))?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_safeguard_is_where_its_control_looks_for_it() {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let lost: Vec<_> = CONTROLS
            .iter()
            .filter_map(|control| guarded(control, &root).err().map(|why| format!("{}: {why}", control.name)))
            .collect();
        assert!(lost.is_empty(), "{lost:#?}");
    }
}
