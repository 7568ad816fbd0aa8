//! A process of this program that obeys line by line: started, spoken to and ended.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::Outcome;

/// A running process. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Servant {
    process: Child,
    /// Closed to tell it that there is nothing more to do.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Servant {
    /// Starts this program with these words. What it says first is its first [answer](Self::answer).
    pub(crate) fn start(words: &[&str]) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (orders, answers) = (process.stdin.take(), process.stdout.take());
        let answers = BufReader::new(answers.ok_or("a process without its output")?);
        Ok(Self { process, orders, answers })
    }

    /// Reads its next line.
    pub(crate) fn answer(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("a process ended early: {}", self.process.wait()?).into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Gives an order and reads the answer.
    pub(crate) fn ask(&mut self, order: &str) -> Outcome<String> {
        let orders = self.orders.as_mut().ok_or("a process that is told nothing any more")?;
        writeln!(orders, "{order}")?;
        self.answer()
    }
}

impl Drop for Servant {
    fn drop(&mut self) {
        self.orders = None;
        // Nothing that it holds outlives it, so that it need not free a million sessions first.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
