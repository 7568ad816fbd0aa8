//! The one table that the README shows: a row for each figure, a column for each layer.

use super::{Results, counted, head, median, none, row};
use crate::{
    arguments::Arguments,
    in_process::{self, Cell},
    sockets,
    stacks::{PAYLOAD, Stack},
};

const LAYERS: [Stack; 5] =
    [Stack::Ours, Stack::Tower, Stack::TowerMoka, Stack::AxumSession, Stack::ActixCookie];

pub(super) fn table(arguments: &Arguments, results: &Results) -> String {
    // The README is documentation too, where names of code are marked.
    let mut table = head("", LAYERS.map(|stack| stack.title().replace("axum_session", "`axum_session`")));
    let sessions = arguments.usual();
    for path in in_process::PATHS {
        let cell = |stack| Cell { sessions, workers: 1, path, stack };
        let own = LAYERS.map(|stack| median(results.in_process.own(cell(stack)), 2));
        table += &row(&format!("{path}: µs on top of bare axum"), own);
    }
    for path in ["read", "set"] {
        let cell = |stack| Cell { sessions, workers: 1, path, stack };
        let gain = LAYERS.map(|stack| median(results.in_process.second_worker(cell(stack)), 2));
        table += &row(&format!("{path}: throughput of two workers against one"), gain);
    }
    for path in sockets::PATHS {
        let cell = |stack| sockets::Cell { sessions: arguments.usual(), path, stack };
        let ratio = LAYERS.map(|stack| median(results.sockets.against(cell(stack), stack.base()), 2));
        table += &row(&format!("{path}: server CPU against the bare server"), ratio);
    }
    let most = arguments.sessions.iter().copied().max().unwrap_or_default();
    let bytes = LAYERS.map(|stack| {
        let bytes = results.in_process.bytes(most, stack);
        bytes.map_or_else(none, |bytes| format!("{:.0}", bytes - PAYLOAD))
    });
    table += &row(&format!("bytes a session over its payload, at {}", counted(most)), bytes);
    let lost = LAYERS.map(|stack| {
        let mut runs = results.lost.iter().filter(|lost| lost.stack == stack);
        // What the layer offers against it: the last kind that was tried.
        let runs = runs.next_back().and_then(|lost| lost.slow.iter().max());
        runs.map_or_else(none, ToString::to_string)
    });
    table + &row("lost of 1,000 parallel increments with 2 ms of work, by `update` where there is one", lost)
}
