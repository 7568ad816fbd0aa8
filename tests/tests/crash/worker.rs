//! One life of the process.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use sessions_tests::crash::{Dice, Line, Start};

use crate::ledger::Ledger;

/// Starts a worker, lets it do something, kills it, and notes what it has said. `strike` kills what it works with before.
pub(crate) fn run_and_kill(
    kind: &str,
    folder: &Path,
    (ledger, dice): (&mut Ledger, &mut Dice),
    strike: impl FnOnce(),
) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_crash_worker"))
        .arg(kind)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Start { seed: dice.roll(u64::MAX), clients: ledger.begin() };
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", serde_json::to_string(&start).unwrap()).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // One in sixteen dies while it opens the store, the others after some answers and a little more.
    let opening = dice.roll(16) == 0;
    let answers = dice.roll(120);
    let delay = Duration::from_micros(if opening { dice.roll(20_000) } else { dice.roll(4_000) });
    let mut answered = 0;
    while !opening && answered <= answers {
        let Some(line) = lines.next() else { break };
        let line = parse(&line.unwrap()).expect("a worker's line");
        answered += u64::from(matches!(line, Line::Did(..)));
        ledger.note(line);
    }
    thread::sleep(delay);
    let ended_by_itself = child.try_wait().unwrap();
    strike();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ended_by_itself, None, "the worker goes on until it is killed");
    // What it said before it died is in the pipe; the last line may be cut off.
    for line in lines {
        if let Some(line) = parse(&line.unwrap()) {
            ledger.note(line);
        }
    }
}

fn parse(line: &str) -> Option<Line> {
    serde_json::from_str(line).ok()
}
