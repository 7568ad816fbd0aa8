//! The command line: what is measured, how much of it, and where the results go.

use std::path::PathBuf;

use crate::{Outcome, stacks::Stack};

pub(crate) const HELP: &str = "\
Sets sessions beside other session layers and writes results.md and results.svg.

usage: cargo run --release -p sessions-benches [-- [PART…] [OPTION…]]

parts (all of them unless some are named; only a run of all writes results):
  in-process        time a request and memory a session, without sockets
  lost              increments that are lost
  sockets           server CPU a request over loopback, and latency

options:
  --sessions LIST   how many sessions are stored [1000,100000,1000000]
  --most N          how many for sessions alone; 0 leaves it out [10000000]
  --stacks LIST     which stacks are measured
  --rounds N        how often each chunk is repeated [15]
  --chunk N         requests of a chunk in process [16384]
  --seconds N       length of a chunk over sockets [1.0]
  --out FOLDER      where results go [benches/results]";

/// The parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    InProcess,
    Lost,
    Sockets,
}

impl Part {
    const ALL: [(&str, Self); 3] =
        [("in-process", Self::InProcess), ("lost", Self::Lost), ("sockets", Self::Sockets)];
}

/// What this process is for.
#[derive(Debug)]
pub(crate) enum Task {
    Help,
    Measure(Arguments),
    /// A stack that is called in process; its parent speaks to it.
    Child {
        stack: Stack,
        sessions: usize,
    },
    /// A stack behind a socket; its parent speaks to it.
    Serve {
        stack: Stack,
        sessions: usize,
    },
}

/// What is measured and how much of it.
#[derive(Debug)]
pub(crate) struct Arguments {
    parts: Vec<Part>,
    pub(crate) sessions: Vec<usize>,
    pub(crate) most: usize,
    stacks: Vec<Stack>,
    pub(crate) rounds: usize,
    pub(crate) chunk: usize,
    pub(crate) seconds: f64,
    pub(crate) out: PathBuf,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            parts: Part::ALL.map(|(_, part)| part).to_vec(),
            sessions: vec![1_000, 100_000, 1_000_000],
            most: 10_000_000,
            stacks: Stack::ALL.to_vec(),
            rounds: 15,
            chunk: 16_384,
            seconds: 1.0,
            out: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/results")),
        }
    }
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Outcome<Task> {
        let words: Vec<String> = words.collect();
        let hidden: Vec<&str> = words.iter().map(String::as_str).collect();
        match hidden[..] {
            ["child", stack, sessions] => {
                return Ok(Task::Child { stack: Stack::of_word(stack)?, sessions: sessions.parse()? });
            }
            ["serve", stack, sessions] => {
                return Ok(Task::Serve { stack: Stack::of_word(stack)?, sessions: sessions.parse()? });
            }
            _ => {}
        }
        let (mut arguments, mut parts, mut words) = (Self::default(), Vec::new(), words.into_iter());
        while let Some(word) = words.next() {
            if let Some((_, part)) = Part::ALL.into_iter().find(|(name, _)| *name == word) {
                parts.push(part);
            } else if ["--help", "-h"].contains(&&*word) {
                return Ok(Task::Help);
            } else {
                let value = words.next().ok_or_else(|| format!("`{word}` needs a value: see --help"))?;
                arguments.set(&word, &value).map_err(|error| format!("{word} {value}: {error}"))?;
            }
        }
        if !parts.is_empty() {
            arguments.parts = parts;
        }
        Ok(Task::Measure(arguments))
    }

    fn set(&mut self, option: &str, value: &str) -> Outcome<()> {
        match option {
            "--sessions" => self.sessions = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
            "--most" => self.most = value.parse()?,
            "--stacks" => self.stacks = value.split(',').map(Stack::of_word).collect::<Outcome<_>>()?,
            "--rounds" => self.rounds = value.parse()?,
            "--chunk" => self.chunk = value.parse()?,
            "--seconds" => self.seconds = value.parse()?,
            "--out" => self.out = value.into(),
            _ => return Err("there is no such option: see --help".into()),
        }
        Ok(())
    }

    pub(crate) fn asks_for(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Whether everything is measured, so that the results are whole.
    pub(crate) fn is_whole(&self) -> bool {
        self.parts.len() == Part::ALL.len() && self.stacks.len() == Stack::ALL.len()
    }

    /// The number of sessions at which stacks are compared in short and over sockets.
    pub(crate) fn usual(&self) -> usize {
        let usual = self.sessions.iter().find(|&&sessions| sessions == 100_000).or(self.sessions.last());
        usual.copied().unwrap_or_default()
    }

    /// Those of these stacks that are asked for.
    pub(crate) fn of(&self, stacks: &[Stack]) -> Vec<Stack> {
        stacks.iter().copied().filter(|stack| self.stacks.contains(stack)).collect()
    }
}
