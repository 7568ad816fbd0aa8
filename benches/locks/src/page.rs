//! The table of holds, as a page.

#![allow(clippy::format_push_string, reason = "a page is written once a run")]

use std::{fs, path::Path, time::Duration};

use crate::{
    Outcome,
    watch::{Holds, Seen},
};

const HOW: &str = "
One thread does what the table says, another uses the store while it grows. Each hold is measured at the lock itself. What
counts is processor time of the thread that holds the lock, because on a shared machine a thread also waits for its turn;
the time by the clock is beside it. Arrays are resized while the store grows and while it empties: that is in it.
A login that evicts thousands of sessions is one step by contract: it is the longest hold by design.
";

/// Writes the page.
pub(crate) fn publish(out: &Path, runs: &[(u64, Seen)], nothing: &Seen) -> Outcome<()> {
    let part = part(runs, nothing);
    println!("{part}");
    fs::create_dir_all(out)?;
    fs::write(out.join("locks.md"), &part)?;
    eprintln!("written: {}", out.display());
    Ok(())
}

fn part(runs: &[(u64, Seen)], nothing: &Seen) -> String {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let asked = if words.is_empty() { String::new() } else { format!(" -- {}", words.join(" ")) };
    let mut part = format!(
        "## Locks of the memory store\n\n`cargo run --release -p sessions-locks{asked}` writes this page.\n{HOW}"
    );
    for (sessions, seen) in runs {
        part += &format!("\nA store of {} sessions:\n\n{}", counted(*sessions), table(seen));
    }
    part + &format!("\nWhat the machine adds by itself:\n\n{}", table(nothing))
}

fn table(seen: &Seen) -> String {
    let mut table =
        "| what was done | holds | the longest, in µs of processor time | by the clock, in µs |\n\
        |---|---|---|---|\n"
            .to_owned();
    for Holds { what, count, longest, clock } in seen.iter().filter(|holds| holds.count > 0) {
        let longest: Vec<_> = longest.iter().map(|hold| micros(hold.processor)).collect();
        table += &format!("| {what} | {count} | {} | {} |\n", longest.join(", "), micros(*clock));
    }
    table
}

fn micros(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1e6)
}

/// A count as people write it.
fn counted(count: u64) -> String {
    if count >= 1_000_000 && count.is_multiple_of(1_000_000) {
        format!("{} M", count / 1_000_000)
    } else {
        count.to_string()
    }
}
