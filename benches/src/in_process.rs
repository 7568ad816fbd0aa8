//! Time a request and memory a session without sockets: each stack in a process of its own, chunks in turns.

use std::collections::BTreeMap;

use crate::{
    Outcome,
    arguments::Arguments,
    numbers::{Spread, float},
    orders::Servant,
    stacks::Stack,
};

/// The routes that are timed. Each logout ends what the login before it began.
pub(crate) const PATHS: [&str; 5] = ["untouched", "read", "set", "login", "logout"];

/// How many tasks a chunk has: its length is a multiple.
const TASKS: usize = 64;

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) sessions: usize,
    pub(crate) workers: u32,
    pub(crate) path: &'static str,
    pub(crate) stack: Stack,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct InProcess {
    /// Microseconds a request and worker, in the order of the rounds.
    times: BTreeMap<Cell, Vec<f64>>,
    /// Bytes that a process has grown by for each session.
    bytes: BTreeMap<(usize, Stack), f64>,
}

impl InProcess {
    /// Microseconds a request and worker.
    pub(crate) fn time(&self, cell: Cell) -> Option<Spread> {
        Some(Spread::of(self.times.get(&cell)?))
    }

    /// Microseconds that a stack adds to its base.
    pub(crate) fn own(&self, cell: Cell) -> Option<Spread> {
        self.against(cell, cell.stack.base(), |time, base| time - base)
    }

    /// How often as long as another stack this one takes.
    pub(crate) fn against(
        &self,
        cell: Cell,
        other: Stack,
        combine: impl Fn(f64, f64) -> f64,
    ) -> Option<Spread> {
        let (times, others) = (self.times.get(&cell)?, self.times.get(&Cell { stack: other, ..cell })?);
        Some(Spread::of_pairs(times, others, combine))
    }

    /// How many times as many requests two workers serve as one does.
    pub(crate) fn second_worker(&self, cell: Cell) -> Option<Spread> {
        let [one, two] = [1, 2].map(|workers| self.times.get(&Cell { workers, ..cell }));
        Some(Spread::of_pairs(one?, two?, |one, two| 2.0 * one / two))
    }

    pub(crate) fn bytes(&self, sessions: usize, stack: Stack) -> Option<f64> {
        self.bytes.get(&(sessions, stack)).copied()
    }
}

pub(crate) fn measure(arguments: &Arguments) -> Outcome<InProcess> {
    let mut results = InProcess::default();
    for &sessions in &arguments.sessions {
        results.size(arguments, sessions, &arguments.of(&Stack::IN_PROCESS))?;
    }
    if arguments.most > 0 {
        let stacks = arguments.of(&[Stack::Bare, Stack::BareAgain, Stack::Ours]);
        results.size(arguments, arguments.most, &stacks)?;
    }
    Ok(results)
}

impl InProcess {
    fn size(&mut self, arguments: &Arguments, sessions: usize, stacks: &[Stack]) -> Outcome<()> {
        let mut servants = Vec::new();
        for &stack in stacks {
            eprintln!("in process: {sessions} sessions for {}", stack.title());
            let mut servant = Servant::start(&["child", stack.word(), &sessions.to_string()])?;
            let ready = servant.answer()?;
            let bytes: u64 = ready.strip_prefix("ready ").ok_or("not ready")?.parse()?;
            if stack.is_layer() {
                self.bytes.insert((sessions, stack), float(bytes) / float(sessions as u64));
            }
            servants.push((stack, servant));
        }
        let chunk = arguments.chunk.next_multiple_of(TASKS);
        // The first round warms up and is not counted.
        for round in 0..=arguments.rounds {
            eprint!("\rin process: round {round} of {}", arguments.rounds);
            for workers in [1, 2] {
                for path in PATHS {
                    for (stack, servant) in &mut servants {
                        let answer = servant.ask(&format!("run {path} {workers} {chunk}"))?;
                        let nanoseconds: u64 = answer.parse()?;
                        let each = float(nanoseconds) / 1e3 * f64::from(workers) / float(chunk as u64);
                        let cell = Cell { sessions, workers, path, stack: *stack };
                        if round > 0 {
                            self.times.entry(cell).or_default().push(each);
                        }
                    }
                }
            }
        }
        eprintln!();
        Ok(())
    }
}
