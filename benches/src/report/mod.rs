//! What a run has found, and where it is written: a page, a plot, and the table that the README shows.

mod page;
mod plot;
mod summary;

use std::{fs, path::Path};

use crate::{
    Outcome, arguments::Arguments, in_process::InProcess, lost::Lost, numbers::Spread, sockets::Sockets,
};

/// What was measured; parts that were not asked for are empty.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) machine: String,
    pub(crate) in_process: InProcess,
    pub(crate) lost: Vec<Lost>,
    pub(crate) sockets: Sockets,
}

/// The lines between which the summary stands, in the page and in the README.
const BEGIN: &str = "<!-- summary: written by sessions-benches -->\n";
const END: &str = "<!-- end of summary -->\n";

/// Prints the page; writes it with the plot, and the summary into the README, if the run was whole.
pub(crate) fn publish(arguments: &Arguments, results: &Results) -> Outcome<()> {
    let page = page::page(arguments, results);
    println!("{page}");
    if !arguments.is_whole() {
        eprintln!("not written: only a run of all parts and stacks is");
        return Ok(());
    }
    fs::create_dir_all(&arguments.out)?;
    fs::write(arguments.out.join("results.md"), &page)?;
    fs::write(arguments.out.join("results.svg"), plot::plot(arguments, results))?;
    eprintln!("written: {}", arguments.out.display());
    let readme = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));
    if arguments.out == Arguments::default().out {
        let summary = summary::table(arguments, results);
        fs::write(readme, with_summary(&fs::read_to_string(readme)?, &summary)?)?;
    }
    Ok(())
}

/// A page with this summary in place of the one that it has.
fn with_summary(page: &str, summary: &str) -> Outcome<String> {
    let (before, rest) = page.split_once(BEGIN).ok_or("the README has no place for the summary")?;
    let (_, after) = rest.split_once(END).ok_or("the README's summary has no end")?;
    Ok(format!("{before}{BEGIN}{summary}{END}{after}"))
}

/// A count as people write it.
fn counted(count: usize) -> String {
    match count {
        1_000_000.. if count.is_multiple_of(1_000_000) => format!("{} M", count / 1_000_000),
        1_000.. if count.is_multiple_of(1_000) => format!("{} k", count / 1_000),
        _ => count.to_string(),
    }
}

/// A median with its quartiles, in so many decimals.
fn spread(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(none, |Spread { low, median, high }| {
        format!("{median:.decimals$} ({low:.decimals$} to {high:.decimals$})")
    })
}

fn median(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(none, |spread| format!("{:.decimals$}", spread.median))
}

/// What was not measured, or does not apply.
fn none() -> String {
    "–".to_owned()
}

/// A row of a table.
fn row(first: &str, cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().collect();
    format!("| {first} | {} |\n", cells.join(" | "))
}

/// The head of a table, with its rule.
fn head(first: &str, columns: impl IntoIterator<Item = impl Into<String>>) -> String {
    let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
    let rule = format!("|---|{}\n", "---|".repeat(columns.len()));
    row(first, columns) + &rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_takes_the_place_of_the_one_before() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let written = with_summary(&page, "new\n").unwrap();
        assert_eq!(written, format!("before\n{BEGIN}new\n{END}after\n"));
        assert!(with_summary("no place", "new").is_err());
    }

    #[test]
    fn tables_and_counts_are_as_people_write_them() {
        assert_eq!(head("a", ["b"]), "| a | b |\n|---|---|\n");
        assert_eq!([counted(100_000), counted(10_000_000), counted(7)], ["100 k", "10 M", "7"]);
        assert_eq!((spread(None, 2), median(Some(Spread::of(&[1.0])), 1)), (none(), "1.0".to_owned()));
    }
}
