//! Judges a history: a pure function of what clients did, what they were told, and when.
//!
//! An operation takes effect at one instant between its invocation and its response; one whose outcome is unknown at one
//! such instant or never. From that follows what is certain, and only that is judged.
//!
//! A Redis server that replicates answers first. So where a primary was killed ([`Promise::MayLose`]), what it acknowledged
//! within [`LAG`] before may be gone, and while another takes over as planned ([`Promise::MayBeStale`]), a read may tell
//! what was true before. Both are documented, counted apart, and excuse nothing else.

mod answers;
mod counters;
mod ends;
mod index;
mod limits;
mod lineages;
mod marks;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use self::index::Index;
use crate::history::{Event, History, Micros, Outcome, Promise};

/// How much of what it acknowledged a primary may take with it.
const LAG: Micros = 2_000_000;

/// What clocks and a busy machine may add to a write's deadline.
const SLACK: Micros = 400_000;

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By node.
    pub(crate) acknowledged: BTreeMap<usize, usize>,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
    /// How long the slowest 503 took.
    pub(crate) slowest: Micros,
    /// Promises that were broken.
    pub(crate) violations: Vec<String>,
    /// What a killed primary took with it, as documented.
    pub(crate) lost: Vec<String>,
    /// What was read from a server that had been replaced a moment before, as documented.
    pub(crate) stale: Vec<String>,
}

impl Report {
    /// Adds what came out of another round.
    pub(crate) fn add(&mut self, other: Self) {
        for (node, count) in other.acknowledged {
            *self.acknowledged.entry(node).or_default() += count;
        }
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.slowest = self.slowest.max(other.slowest);
        self.violations.extend(other.violations);
        self.lost.extend(other.lost);
        self.stale.extend(other.stale);
    }
}

/// Judges a round.
pub(crate) fn check(history: &History) -> Report {
    let count = |is: &dyn Fn(&Event) -> bool| history.events.iter().filter(|event| is(event)).count();
    let mut acknowledged = BTreeMap::new();
    for event in history.events.iter().filter(|event| event.is_done()) {
        *acknowledged.entry(event.node).or_default() += 1;
    }
    let unavailable = history.events.iter().filter(|event| event.outcome == Outcome::Unavailable);
    let report = Report {
        slowest: unavailable.map(|event| event.ended - event.began).max().unwrap_or_default(),
        acknowledged,
        unknown: count(&Event::is_unknown),
        refused: count(&|event| matches!(event.outcome, Outcome::Refused(_))),
        ..Report::default()
    };
    let mut judge = Judge { history, index: Index::new(history), report };
    answers::check(&mut judge);
    counters::check(&mut judge);
    marks::check(&mut judge);
    ends::check(&mut judge);
    limits::check(&mut judge);
    lineages::check(&mut judge);
    judge.report
}

/// What the checks share.
struct Judge<'a> {
    history: &'a History,
    index: Index<'a>,
    report: Report,
}

impl Judge<'_> {
    /// What nothing excuses.
    fn violation(&mut self, what: impl fmt::Display) {
        self.report.violations.push(what.to_string());
    }

    /// `event` contradicts what was certain since `known` had been answered.
    fn contradiction(&mut self, known: &Event, event: &Event, what: &str) {
        let text = format!("{what}: {event:?} after {known:?}");
        if self.may_be_lost(known, event) {
            self.report.lost.push(text);
        } else if self.may_be_stale(event) {
            self.report.stale.push(text);
        } else {
            self.report.violations.push(text);
        }
    }

    /// Whether a killed primary may have taken `known` with it before `event` was answered.
    fn may_be_lost(&self, known: &Event, event: &Event) -> bool {
        self.history.windows.iter().any(|window| {
            window.promise == Promise::MayLose
                && known.ended + LAG >= window.from
                && known.began <= window.to
                && event.ended >= window.from
        })
    }

    fn may_be_stale(&self, event: &Event) -> bool {
        event.is_read()
            && self.history.windows.iter().any(|window| {
                window.promise == Promise::MayBeStale
                    && event.began <= window.to
                    && event.ended >= window.from
            })
    }

    /// The times between unplanned failovers, within which everything is as on one server.
    fn spans(&self) -> Vec<(Micros, Micros)> {
        let mut spans = Vec::new();
        let mut from = 0;
        for window in self.history.windows.iter().filter(|window| window.promise == Promise::MayLose) {
            spans.push((from, window.from));
            from = window.to;
        }
        spans.push((from, Micros::MAX));
        spans
    }
}
