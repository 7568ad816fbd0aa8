//! A session has one line of ids: each has one successor, and does not outlive it.

use std::collections::BTreeSet;

use super::Judge;
use crate::history::{Act, Event};

pub(super) fn check(judge: &mut Judge<'_>) {
    let ids: Vec<(usize, Vec<&Event>)> =
        judge.index.by_id.iter().map(|(id, events)| (*id, events.clone())).collect();
    for (id, events) in ids {
        one_successor(judge, &events);
        if let Some((since, successor)) = judge.index.retired(judge.history, id) {
            for event in events.iter().filter(|event| event.is_done() && event.began > since) {
                judge.contradiction(successor, event, "an id lives on beside its successor");
            }
        }
    }
}

fn one_successor(judge: &mut Judge<'_>, events: &[&Event]) {
    let issuing = || events.iter().filter(|event| event.act != Act::Login && event.issued().is_some());
    let successors: BTreeSet<_> = issuing().filter_map(|event| event.issued()).collect();
    if successors.len() > 1
        && let Some(first) = issuing().min_by_key(|event| event.ended)
        && let Some(other) = issuing().find(|event| event.issued() != first.issued())
    {
        judge.contradiction(first, other, "an id has two successors");
    }
}
