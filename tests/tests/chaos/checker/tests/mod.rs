//! Histories made by hand: good ones pass, and each kind of bad one is told. What they are made of is here.

mod ends;
mod ids;
mod limits;
mod marks;
mod updates;

use std::collections::BTreeMap;

use sessions_tests::chaos::Answer;

use super::{Report, check};
use crate::history::{Act, Event, History, Lineage, Micros, Outcome, Policy, Promise, Window};

const SECOND: Micros = 1_000_000;

/// A history of one session of ada, whose id is 0, logged in from 0 to 10.
fn of(policy: Policy) -> History {
    let mut history = History::default();
    log_in(&mut history, policy, 0, (0, 10));
    history
}

/// One more session of ada.
fn log_in(history: &mut History, policy: Policy, id: usize, times: (Micros, Micros)) {
    let lineage = history.lineages.len();
    history.lineages.push(Lineage { policy, user: Some("ada".to_owned()), from: None });
    push(history, Act::Login, (lineage, None), times, done_with(Answer::default(), Some(id)));
}

fn push(
    history: &mut History,
    act: Act,
    (lineage, id): (usize, Option<usize>),
    (began, ended): (Micros, Micros),
    outcome: Outcome,
) {
    history.events.push(Event { node: 0, act, lineage, id, began, ended, outcome });
}

fn own(history: &mut History, act: Act, times: (Micros, Micros), outcome: Outcome) {
    push(history, act, (0, Some(0)), times, outcome);
}

fn done_with(answer: Answer, issued: Option<usize>) -> Outcome {
    Outcome::Done { answer: Answer { user: "ada".to_owned(), ..answer }, issued }
}

fn done() -> Outcome {
    done_with(Answer::default(), None)
}

fn issuing(id: usize) -> Outcome {
    done_with(Answer::default(), Some(id))
}

fn counted(count: u64) -> Outcome {
    done_with(Answer { count, ..Answer::default() }, None)
}

fn whole(updates: &[u64]) -> Outcome {
    done_with(Answer { updates: updates.to_vec(), ..Answer::default() }, None)
}

fn marked(value: u64) -> Outcome {
    let marks = BTreeMap::from([("colour".to_owned(), value)]);
    done_with(Answer { marks, ..Answer::default() }, None)
}

fn set(value: u64) -> Act {
    Act::Set("colour".to_owned(), value)
}

fn killed(history: &mut History, from: Micros, to: Micros) {
    history.windows.push(Window { promise: Promise::MayLose, from, to });
}

#[track_caller]
fn is_good(history: &History) {
    let Report { violations, lost, stale, .. } = check(history);
    assert!(
        violations.is_empty() && lost.is_empty() && stale.is_empty(),
        "{violations:?} {lost:?} {stale:?}"
    );
}

#[track_caller]
fn is_bad(history: &History, what: &str) {
    let report = check(history);
    assert!(report.violations.iter().any(|told| told.contains(what)), "{report:?}");
}

#[track_caller]
fn is_loss(history: &History, what: &str) {
    let report = check(history);
    assert!(report.violations.is_empty(), "{report:?}");
    assert!(report.lost.iter().any(|told| told.contains(what)), "{report:?}");
}
