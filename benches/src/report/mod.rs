//! What a run has found, as tables in Markdown.

use std::fmt::Write as _;

use crate::{
    arguments::Arguments,
    in_process::{self, InProcess},
    locks::Hold,
    lost::Lost,
    numbers::Spread,
    sockets::{self, Sockets},
    stacks::Stack,
};

/// What was measured; parts that were not asked for are empty.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) machine: String,
    pub(crate) in_process: InProcess,
    pub(crate) lost: Vec<Lost>,
    pub(crate) locks: Vec<Hold>,
    pub(crate) sockets: Sockets,
}

/// All tables.
pub(crate) fn markdown(arguments: &Arguments, results: &Results) -> String {
    let mut page = String::new();
    let parts: [fn(&Arguments, &Results, &mut String) -> std::fmt::Result; 5] =
        [times, second_worker, memory, lost, over_sockets];
    for part in parts {
        // Writing to a text does not fail.
        let _ = part(arguments, results, &mut page);
    }
    page
}

/// A median and its quartiles.
fn shown(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "–".to_owned(), |it| format!("{:.2} ({:.2} to {:.2})", it.median, it.low, it.high))
}

fn times(arguments: &Arguments, results: &Results, page: &mut String) -> std::fmt::Result {
    for sessions in arguments.sessions.iter().copied().chain([arguments.most]) {
        for workers in [1, 2] {
            writeln!(page, "\n{sessions} sessions, {workers} workers\n")?;
            for stack in Stack::IN_PROCESS {
                let cell = |path| in_process::Cell { sessions, workers, path, stack };
                let cells = in_process::PATHS.map(|path| shown(results.in_process.own(cell(path))));
                writeln!(page, "| {} | {} |", stack.title(), cells.join(" | "))?;
            }
        }
    }
    Ok(())
}

fn second_worker(arguments: &Arguments, results: &Results, page: &mut String) -> std::fmt::Result {
    for sessions in arguments.sessions.iter().copied().chain([arguments.most]) {
        writeln!(page, "\n{sessions} sessions, x2\n")?;
        for stack in Stack::IN_PROCESS {
            let cell = |path| in_process::Cell { sessions, workers: 1, path, stack };
            let cells = in_process::PATHS.map(|path| shown(results.in_process.second_worker(cell(path))));
            writeln!(page, "| {} | {} |", stack.title(), cells.join(" | "))?;
        }
    }
    Ok(())
}

fn memory(arguments: &Arguments, results: &Results, page: &mut String) -> std::fmt::Result {
    writeln!(page)?;
    for sessions in arguments.sessions.iter().copied().chain([arguments.most]) {
        for stack in Stack::IN_PROCESS {
            if let Some(bytes) = results.in_process.bytes(sessions, stack) {
                writeln!(page, "{sessions} {} {bytes:.0}", stack.title())?;
            }
        }
    }
    Ok(())
}

fn lost(_: &Arguments, results: &Results, page: &mut String) -> std::fmt::Result {
    for lost in &results.lost {
        writeln!(page, "{lost:?}")?;
    }
    for hold in &results.locks {
        writeln!(page, "{hold:?}")?;
    }
    Ok(())
}

fn over_sockets(arguments: &Arguments, results: &Results, page: &mut String) -> std::fmt::Result {
    for stack in Stack::ALL {
        let cell = |path| sockets::Cell { sessions: sockets::SESSIONS, path, stack };
        let cells = sockets::PATHS.map(|path| {
            format!(
                "{} {} {:.0?}",
                shown(results.sockets.against(cell(path), stack.base())),
                shown(results.sockets.processor(cell(path))),
                results.sockets.waits(cell(path)).unwrap_or_default()
            )
        });
        writeln!(page, "| {} | {} |", stack.title(), cells.join(" | "))?;
    }
    let [few, many] = sockets::few_and_many(arguments);
    let cell = sockets::Cell { sessions: many, path: "read", stack: Stack::Ours };
    writeln!(page, "p99 {}", shown(results.sockets.p99_against(cell, few)))
}
