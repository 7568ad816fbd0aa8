//! The page of what was measured.

use std::fmt::Write as _;

use crate::{
    arguments::Arguments,
    load::{Measured, PATHS},
    stacks::Stack,
};

pub(crate) fn write(arguments: &Arguments, machine: &str, measured: &Measured) -> String {
    let mut page = String::new();
    let mut line = |text: String| writeln!(page, "{text}").expect("a string takes any text");
    let command = ["cargo run --release -p sessions-benches-redis".to_owned()];
    let options =
        if arguments.words.is_empty() { None } else { Some(format!("-- {}", arguments.words.join(" "))) };
    line(format!(
        "# Sessions on Redis, side by side\n\n```sh\n{}\n```\n",
        [&command[..], options.as_slice()].concat().join(" ")
    ));
    line(format!(
        "{}; Redis {} on the core of the generator, each server on a core of its own; 64 connections, {} sessions a stack, \
         {} chunks of {} s in turns. Medians; in brackets the quartiles. Trust ratios within a run.\n",
        machine,
        measured.redis_version,
        arguments.sessions(5_000),
        arguments.rounds,
        arguments.seconds,
    ));
    for path in PATHS {
        let title = if path == "read" {
            "`GET /read`: reads two values"
        } else {
            "`POST /set`: reads one and writes it"
        };
        line(format!("## {title}\n"));
        line("| stack | CPU a request | × bare | Redis CPU a request | round trips | bytes to and from Redis | p50 | p99 | requests/s |".to_owned());
        line("|---|---|---|---|---|---|---|---|---|".to_owned());
        for stack in Stack::ALL {
            let Some(cell) = measured.cells.get(&(path, stack)) else { continue };
            let against = measured.cells.get(&(path, Stack::Bare)).map_or_else(String::new, |bare| {
                let spread = cell.against(bare);
                format!("{:.2} [{:.2}–{:.2}]", spread.median, spread.low, spread.high)
            });
            line(format!(
                "| {} | {:.1} µs | {against} | {:.1} µs | {:.2} | {:.0} | {:.0} µs | {:.0} µs | {:.0} |",
                stack.title(),
                cell.processor().median,
                cell.redis().median,
                cell.trips,
                cell.bytes,
                cell.p50().median,
                cell.p99().median,
                cell.a_second().median,
            ));
        }
        line(String::new());
    }
    for (stack, why) in &measured.left_out {
        line(format!("Left out: {}: {why}.", stack.title()));
    }
    page
}
