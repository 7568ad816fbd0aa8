//! The command line.

use std::path::PathBuf;

use crate::{Outcome, stacks::Stack};

pub(crate) const HELP: &str = "\
Sets sessions on Redis beside other session layers and writes redis.md.

usage: cargo run --release -p sessions-benches-redis [-- [memory] [OPTION…]]

  memory            what a session takes of a Redis server, and what one core of it does: nothing is written

options:
  --stacks LIST     which stacks are measured
  --sessions N      how many sessions each has [5000]; for `memory` [200000]
  --rounds N        how often each chunk is repeated [15]
  --seconds N       length of a chunk [1.0]
  --out FOLDER      where redis.md goes [benches/results]";

/// What this process is for.
#[derive(Debug)]
pub(crate) enum Task {
    Help,
    Measure(Arguments),
    Memory(Arguments),
    /// A stack, on the Redis server at this port.
    Serve {
        stack: Stack,
        port: u16,
    },
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) stacks: Vec<Stack>,
    sessions: Option<usize>,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) out: PathBuf,
    /// As they were written.
    pub(crate) words: Vec<String>,
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Outcome<Task> {
        let words: Vec<String> = words.collect();
        let mut arguments = Self {
            stacks: Stack::ALL.to_vec(),
            sessions: None,
            rounds: 15,
            seconds: 1.0,
            out: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../results")),
            words: words.clone(),
        };
        let (mut is_memory, mut words) = (false, words.into_iter());
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value: see --help"));
            match word.as_str() {
                "--help" | "-h" => return Ok(Task::Help),
                "serve" => {
                    return Ok(Task::Serve { stack: Stack::of_word(&value()?)?, port: value()?.parse()? });
                }
                "memory" => is_memory = true,
                "--stacks" => {
                    arguments.stacks = value()?.split(',').map(Stack::of_word).collect::<Outcome<_>>()?;
                }
                "--sessions" => arguments.sessions = Some(value()?.parse()?),
                "--rounds" => arguments.rounds = value()?.parse()?,
                "--seconds" => arguments.seconds = value()?.parse()?,
                "--out" => arguments.out = value()?.into(),
                _ => return Err(format!("there is no option `{word}`: see --help").into()),
            }
        }
        Ok(if is_memory { Task::Memory(arguments) } else { Task::Measure(arguments) })
    }

    pub(crate) fn sessions(&self, usual: usize) -> usize {
        self.sessions.unwrap_or(usual)
    }
}
