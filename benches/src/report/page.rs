//! All tables, with what has to be known to read them.

#![allow(clippy::format_push_string, reason = "a page is written once a run")]

use super::{BEGIN, END, Results, counted, head, median, none, row, spread, summary};
use crate::{
    arguments::Arguments,
    in_process::{self, Cell},
    sockets,
    stacks::{PAYLOAD, Stack},
};

const HOW: &str = "
Each stack is a process of its own; all are up at once and take turns in short chunks, so that what else the machine does
meets all alike. Figures are medians over the rounds, with quartiles; differences and ratios are taken within a round. Each
session holds a user's id, three attributes and a counter. The same handlers do the same work and answer with the same
headers (`Vary`, `Cache-Control`) on each stack, and each answer is checked. What is bare has handlers that do nothing.
Times are this machine's: compare within a column, not with another run.
";

pub(super) fn page(arguments: &Arguments, results: &Results) -> String {
    let summary = summary::table(arguments, results);
    let mut page = format!(
        "# Beside other session layers\n\n{}. `cargo run --release -p sessions-benches{}` writes this page and the plot.\n\
         {HOW}\n![plot](results.svg)\n\nHow long the memory store holds a lock is in [locks.md](locks.md).\n\n{BEGIN}{summary}{END}",
        results.machine,
        asked()
    );
    page += &format!(
        "\nIn process with {} sessions and one worker; over sockets with {}. {}\n",
        counted(arguments.usual()),
        counted(arguments.usual()),
        noise(arguments, results)
    );
    let parts: [fn(&Arguments, &Results) -> String; 5] = [times, second_worker, memory, lost, over_sockets];
    parts.iter().fold(page, |page, part| page + &part(arguments, results))
}

/// What this run was asked for, as it has to be typed to be asked again.
fn asked() -> String {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if words.is_empty() { String::new() } else { format!(" -- {}", words.join(" ")) }
}

/// What the same server measured twice differs by.
fn noise(arguments: &Arguments, results: &Results) -> String {
    let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let here = in_process::PATHS.map(|path| {
        let cell = Cell { sessions: arguments.usual(), workers: 1, path, stack: Stack::BareAgain };
        results.in_process.own(cell).unwrap_or_default().median.abs()
    });
    let there = sockets::PATHS.map(|path| {
        let cell = sockets::Cell { sessions: arguments.usual(), path, stack: Stack::BareAgain };
        results.sockets.against(cell, Stack::Bare).map_or(0.0, |ratio| (ratio.median - 1.0).abs())
    });
    format!(
        "The noise floor, bare axum against itself: {:.2} µs in process, {:.0} % over sockets.",
        largest(&here),
        largest(&there) * 100.0
    )
}

/// The numbers of sessions for which there is anything to tell.
fn sizes(arguments: &Arguments) -> Vec<usize> {
    arguments.sessions.iter().copied().chain((arguments.most > 0).then_some(arguments.most)).collect()
}

fn times(arguments: &Arguments, results: &Results) -> String {
    let mut page = "\n## In process: microseconds a request and worker\n\n\
        Through `tower::Service::call`, 64 tasks, the request's head made anew each time. Bare: the whole request. Layers: \
        what they add to bare axum. In brackets: as a multiple of the whole request of bare axum.\n"
        .to_owned();
    for sessions in sizes(arguments) {
        for workers in [1, 2] {
            let cell = |path, stack| Cell { sessions, workers, path, stack };
            let many = if workers == 1 { "worker" } else { "workers" };
            let title = format!("{} sessions, {workers} {many}", counted(sessions));
            let mut rows = String::new();
            for stack in Stack::IN_PROCESS {
                let cells = in_process::PATHS.map(|path| {
                    let cell = cell(path, stack);
                    if !stack.is_layer() {
                        return spread(results.in_process.time(cell), 2);
                    }
                    let times = results.in_process.against(cell, Stack::Bare, |time, bare| time / bare);
                    times.map_or_else(none, |times| {
                        format!("{} [{:.1}]", spread(results.in_process.own(cell), 2), times.median)
                    })
                });
                if cells.iter().any(|cell| *cell != none()) {
                    rows += &row(stack.title(), cells);
                }
            }
            if !rows.is_empty() {
                let lead = in_process::PATHS.map(|path| lead(results, cell(path, Stack::Ours)));
                let lead = row("fastest other layer ÷ sessions: added [whole]", lead);
                page += &format!("\n{}{rows}{lead}", head(&title, in_process::PATHS));
            }
        }
    }
    page
}

/// How much longer the fastest other layer takes than ours: what it adds, and the whole request.
fn lead(results: &Results, cell: Cell) -> String {
    let others = [Stack::Tower, Stack::TowerMoka, Stack::AxumSession];
    let least = |of: &dyn Fn(Cell) -> Option<crate::numbers::Spread>| {
        let own = of(cell)?.median;
        let others = others.iter().filter_map(|&stack| of(Cell { stack, ..cell }));
        others.map(|other| other.median / own).min_by(f64::total_cmp)
    };
    let added = least(&|cell| results.in_process.own(cell));
    let whole = least(&|cell| results.in_process.time(cell));
    added.zip(whole).map_or_else(none, |(added, whole)| format!("{added:.2} [{whole:.2}]"))
}

fn second_worker(arguments: &Arguments, results: &Results) -> String {
    let mut page = "\n## In process: throughput of two workers against one\n".to_owned();
    for sessions in sizes(arguments) {
        let mut rows = String::new();
        for stack in Stack::IN_PROCESS {
            let cells = in_process::PATHS.map(|path| {
                let cell = Cell { sessions, workers: 1, path, stack };
                spread(results.in_process.second_worker(cell), 2)
            });
            if cells.iter().any(|cell| *cell != none()) {
                rows += &row(stack.title(), cells);
            }
        }
        if !rows.is_empty() {
            page +=
                &format!("\n{}{rows}", head(&format!("{} sessions", counted(sessions)), in_process::PATHS));
        }
    }
    page
}

fn memory(arguments: &Arguments, results: &Results) -> String {
    let mut page = format!(
        "\n## Memory a session\n\nBytes by which the process grows for each session; {PAYLOAD} of them are its payload, the \
         data as JSON.\n\n"
    );
    let sizes = sizes(arguments);
    page += &head("", sizes.iter().map(|&sessions| format!("{} sessions", counted(sessions))));
    for stack in Stack::IN_PROCESS.into_iter().filter(|stack| stack.is_layer()) {
        let bytes = sizes.iter().map(|&sessions| {
            let bytes = results.in_process.bytes(sessions, stack);
            bytes.map_or_else(none, |bytes| format!("{bytes:.0}"))
        });
        page += &row(stack.title(), bytes);
    }
    page
}

fn lost(_: &Arguments, results: &Results) -> String {
    let mut page = "\n## Lost updates\n\n1,000 increments of one session's counter by 64 clients: those that were answered \
        with success and that the counter does not show, in three runs. Two workers in process; actix-session over sockets, \
        one worker.\n\n"
        .to_owned();
    page += &head("", ["no work in between", "2 ms of work"]);
    for lost in &results.lost {
        let how = if lost.updates { ", `update`" } else { ", get and set" };
        let runs = [&lost.at_once, &lost.slow].map(|runs| {
            let runs: Vec<String> = runs.iter().map(ToString::to_string).collect();
            runs.join(", ")
        });
        page += &row(&format!("{}{how}", lost.stack.title()), runs);
    }
    page
}

fn over_sockets(arguments: &Arguments, results: &Results) -> String {
    let mut page = format!(
        "\n## Over sockets\n\nLoopback, 64 connections, keep-alive, {} sessions in turn; the server on one core, the generator \
         on the other, which never sleeps, so that no server pays for waking it. User and system time of the server's process a request, as a multiple of the same stack's bare \
         server. Waiting is that of clients that ask again at once, so it restates throughput.\n",
        counted(arguments.usual())
    );
    for path in sockets::PATHS {
        page.push('\n');
        page += &head(path, ["against bare", "µs of CPU a request", "p50 µs", "p99 µs", "requests/s"]);
        for stack in Stack::ALL {
            let cell = sockets::Cell { sessions: arguments.usual(), path, stack };
            let ratio = results.sockets.against(cell, stack.base());
            let waits = results.sockets.waits(cell);
            let waits = waits
                .map_or_else(|| [(); 3].map(|()| none()), |waits| waits.map(|wait| format!("{wait:.0}")));
            let cells =
                [spread(ratio, 2), median(results.sockets.processor(cell), 2)].into_iter().chain(waits);
            page += &row(stack.title(), cells);
        }
    }
    let sizes = sockets::few_and_many(arguments);
    let [few, many] = sizes.map(|sessions| sockets::Cell { sessions, path: "read", stack: Stack::Ours });
    let p99 = |cell| results.sockets.p99(cell).map_or_else(none, |p99| format!("{p99:.0} µs"));
    page += &format!(
        "\np99 of `read` on sessions: {} with {} sessions, {} with {}; the second is {} times the first.\n",
        p99(few),
        counted(few.sessions),
        p99(many),
        counted(many.sessions),
        spread(results.sockets.p99_against(many, few.sessions), 2)
    );
    page
}
