//! A session has one line of ids: each has one successor, and does not outlive it.

use super::{Judge, index::grace};
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

/// Whoever presents an id within its grace is given the same successor. Later, who never used that one is given another,
/// and it is void.
fn one_successor(judge: &mut Judge<'_>, events: &[&Event]) {
    let issuing: Vec<&Event> =
        events.iter().copied().filter(|event| event.act != Act::Login && event.issued().is_some()).collect();
    let Some(first) = issuing.iter().min_by_key(|event| event.began) else { return };
    let others = issuing.iter().filter(|event| event.issued() != first.issued());
    for other in others.clone().filter(|other| other.ended.max(first.ended) < first.began + grace()) {
        judge.contradiction(first, other, "an id has two successors");
    }
    let answered = issuing.iter().map(|event| event.ended).max().unwrap_or_default();
    let used = |issuing: &Event| {
        let events = issuing.issued().and_then(|id| judge.index.by_id.get(&id))?;
        events.iter().copied().find(|event| event.is_done() && event.began > answered)
    };
    let both = others.clone().find_map(|other| Some((used(first)?, used(other)?)));
    if let Some((one, other)) = both {
        judge.contradiction(one, other, "two successors of an id live");
    }
}
