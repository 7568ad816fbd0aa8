//! No acknowledged update is lost, none is applied twice, and each has an answer of its own.

use std::collections::BTreeMap;

use super::Judge;
use crate::history::{Act, Event};

pub(super) fn check(judge: &mut Judge<'_>) {
    for lineage in 0..judge.history.lineages.len() {
        let events = judge.index.by_lineage[lineage].clone();
        let updates: Vec<_> = events.iter().copied().filter(|event| number(event).is_some()).collect();
        if updates.is_empty() {
            continue;
        }
        in_order(judge, &updates);
        let last = updates.iter().map(|event| event.ended).max().unwrap_or_default();
        let whole =
            events.iter().find(|event| event.act == Act::Whole && event.is_done() && event.began > last);
        if let Some(whole) = whole {
            all_there(judge, &updates, whole);
        }
    }
}

fn number(event: &Event) -> Option<u64> {
    match event.act {
        Act::Update(number) => Some(number),
        _ => None,
    }
}

/// Who began after another was answered has counted further.
fn in_order(judge: &mut Judge<'_>, updates: &[&Event]) {
    let mut answered: Vec<_> = updates.iter().filter(|event| event.is_done()).copied().collect();
    answered.sort_by_key(|event| event.ended);
    let (mut highest, mut next) = (None::<&Event>, 0);
    let count = |event: &Event| event.answer().map_or(0, |answer| answer.count);
    for event in updates.iter().filter(|event| event.is_done()) {
        while let Some(before) = answered.get(next).filter(|before| before.ended < event.began) {
            highest = highest.filter(|highest| count(highest) >= count(before)).or(Some(before));
            next += 1;
        }
        if let Some(before) = highest.filter(|before| count(before) >= count(event)) {
            judge.contradiction(before, event, "an update has counted no further than one before it");
        }
    }
}

/// Each acknowledged update is where its answer said, and each other one is there once at most.
fn all_there(judge: &mut Judge<'_>, updates: &[&Event], whole: &Event) {
    let list = whole.answer().map(|answer| answer.updates.clone()).unwrap_or_default();
    let mut places = BTreeMap::<u64, Vec<u64>>::new();
    for (place, number) in list.iter().enumerate() {
        places.entry(*number).or_default().push(place as u64 + 1);
    }
    let mut kept = Vec::new();
    let mut missing = Vec::new();
    for update in updates {
        let found = places.remove(&number(update).unwrap_or_default()).unwrap_or_default();
        match (update.answer(), found.as_slice()) {
            (Some(answer), [place]) if *place == answer.count => kept.push(*update),
            (Some(_), []) => missing.push(*update),
            (None, []) => {}
            (None, [_]) if update.is_unknown() => {}
            (None, [_]) => judge.violation(format_args!("a refused update was applied: {update:?}")),
            (_, found) => {
                judge.violation(format_args!("an update is at {found:?} of its counter: {update:?}"));
            }
        }
    }
    for stranger in places.keys() {
        judge.violation(format_args!("no one has made the update {stranger} of lineage {}", whole.lineage));
    }
    for update in &missing {
        judge.contradiction(update, whole, "an acknowledged update is lost");
    }
    prefix(judge, &kept, &missing);
}

/// What a failover leaves of the time before it is a beginning of it: nothing that came after what is lost.
fn prefix(judge: &mut Judge<'_>, kept: &[&Event], missing: &[&Event]) {
    let count = |event: &Event| event.answer().map_or(0, |answer| answer.count);
    for (from, to) in judge.spans() {
        let within = |event: &&&Event| event.began >= from && event.ended <= to;
        let first_lost = missing.iter().filter(within).map(|event| count(event)).min();
        let last_kept = kept.iter().filter(within).map(|event| count(event)).max();
        if let (Some(lost), Some(last)) = (first_lost, last_kept)
            && lost < last
        {
            judge.violation(format_args!("the update {lost} was lost although the update {last} was not"));
        }
    }
}
