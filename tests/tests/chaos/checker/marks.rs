//! Keys that one client sets, each time to more: a read tells the last acknowledged value or a later one, never goes back,
//! and nothing appears after its writer was told that it can't be known.

use std::collections::BTreeMap;

use sessions_tests::chaos::TIMEOUT;

use super::{Judge, SLACK};
use crate::history::{Act, Event, Micros, Outcome};

pub(super) fn check(judge: &mut Judge<'_>) {
    for lineage in 0..judge.history.lineages.len() {
        let own = &judge.index.by_lineage[lineage];
        let reads: Vec<&Event> =
            own.iter().copied().filter(|event| event.is_read() && event.is_done()).collect();
        let mut writes = BTreeMap::<&str, Vec<&Event>>::new();
        for event in own {
            if let Act::Set(name, _) = &event.act {
                writes.entry(name).or_default().push(event);
            }
        }
        for (name, writes) in &writes {
            acknowledged(judge, name, writes, &reads);
            known(judge, name, writes, &reads);
            onward(judge, name, &reads);
            late(judge, name, writes, &reads);
        }
        carried(judge, lineage, &reads);
    }
}

fn value(read: &Event, name: &str) -> u64 {
    read.answer().and_then(|answer| answer.marks.get(name)).copied().unwrap_or_default()
}

fn written(write: &Event) -> u64 {
    match write.act {
        Act::Set(_, value) => value,
        _ => 0,
    }
}

/// A read tells what was acknowledged before it began.
fn acknowledged(judge: &mut Judge<'_>, name: &str, writes: &[&Event], reads: &[&Event]) {
    for read in reads {
        let before = writes.iter().filter(|write| write.is_done() && write.ended < read.began);
        if let Some(last) = before.max_by_key(|write| written(write))
            && value(read, name) < written(last)
        {
            judge.contradiction(last, read, "an acknowledged change is lost");
        }
    }
}

/// A read tells what someone has written, or nothing.
fn known(judge: &mut Judge<'_>, name: &str, writes: &[&Event], reads: &[&Event]) {
    for read in reads {
        let told = value(read, name);
        let is_by = |write: &&&Event| {
            written(write) == told
                && write.began < read.ended
                && !matches!(write.outcome, Outcome::Refused(_))
        };
        if told != 0 && !writes.iter().any(|write| is_by(&write)) {
            judge.violation(format_args!("{name} is {told}, which no one has written: {read:?}"));
        }
    }
}

/// Who begins to read after another read has been answered reads no less.
fn onward(judge: &mut Judge<'_>, name: &str, reads: &[&Event]) {
    let mut answered = reads.to_vec();
    answered.sort_by_key(|read| read.ended);
    let (mut highest, mut next) = (None::<&Event>, 0);
    for read in reads {
        while let Some(before) = answered.get(next).filter(|before| before.ended < read.began) {
            highest = highest.filter(|highest| value(highest, name) >= value(before, name)).or(Some(before));
            next += 1;
        }
        if let Some(before) = highest.filter(|before| value(before, name) > value(read, name)) {
            judge.contradiction(before, read, "a value went back");
        }
    }
}

/// A write that no one knows of has happened before its deadline, or never.
fn late(judge: &mut Judge<'_>, name: &str, writes: &[&Event], reads: &[&Event]) {
    let limit = Micros::try_from(TIMEOUT.as_micros()).unwrap_or(Micros::MAX);
    for write in writes.iter().filter(|write| write.is_unknown()) {
        let until = write.ended + SLACK + if write.outcome == Outcome::Lost { limit } else { 0 };
        let without = reads.iter().find(|read| read.began > until && value(read, name) < written(write));
        let Some(without) = without else { continue };
        let with =
            reads.iter().find(|read| read.began > without.ended && value(read, name) == written(write));
        if let Some(with) = with {
            let what = format!("a write of {name} appeared after its deadline, {write:?}");
            judge.contradiction(without, with, &what);
        }
    }
}

/// A login has all that its visitor's session was told to keep.
fn carried(judge: &mut Judge<'_>, lineage: usize, reads: &[&Event]) {
    let (Some(from), Some(login)) = (judge.history.lineages[lineage].from, judge.index.login(lineage)) else {
        return;
    };
    let sets: Vec<&Event> = judge.index.by_lineage[from].clone();
    for set in sets.into_iter().filter(|set| set.is_done() && set.ended < login.began) {
        let Act::Set(name, wanted) = &set.act else { continue };
        if let Some(read) = reads.iter().find(|read| value(read, name) < *wanted) {
            judge.contradiction(set, read, "what a visitor had is lost by the login");
        }
    }
}
