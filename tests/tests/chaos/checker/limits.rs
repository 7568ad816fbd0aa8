//! At no instant has a user more sessions than the policy allows.
//!
//! A session that was served twice lived from the first answer until the second request began, since none comes back to
//! life. More such times that have an instant in common than the limit are a violation, whatever else happened.

use sessions_tests::chaos::{MOST, MOST_STRICT};

use super::Judge;
use crate::history::{Act, Event, Micros, Policy};

pub(super) fn check(judge: &mut Judge<'_>) {
    let users: Vec<_> =
        judge.index.by_user.iter().map(|(user, all)| ((*user).to_owned(), all.clone())).collect();
    for (user, lineages) in users {
        let most = match lineages.first().map(|first| judge.history.lineages[*first].policy) {
            Some(Policy::Web) => MOST,
            Some(Policy::Strict) => MOST_STRICT,
            _ => continue,
        };
        for (from, to) in judge.spans() {
            at_once(judge, &user, &lineages, most, (from, to));
        }
        let events = lineages.iter().flat_map(|lineage| judge.index.by_lineage[*lineage].clone());
        let told = |event: &&Event| event.answer().and_then(|answer| answer.sessions) > Some(most);
        let over: Vec<_> = events.filter(told).collect();
        for event in over {
            judge.violation(format_args!("more than {most} sessions of {user} were listed: {event:?}"));
        }
    }
}

fn at_once(judge: &mut Judge<'_>, user: &str, lineages: &[usize], most: usize, span: (Micros, Micros)) {
    let mut turns = Vec::new();
    for lineage in lineages {
        if let Some((from, to)) = lived(&judge.index.by_lineage[*lineage], span) {
            turns.push((from, true, *lineage));
            turns.push((to, false, *lineage));
        }
    }
    // An end before a beginning at the same instant.
    turns.sort_unstable();
    let mut live = Vec::new();
    for (at, begins, lineage) in turns {
        if begins {
            live.push(lineage);
        } else {
            live.retain(|other| *other != lineage);
        }
        if live.len() > most {
            judge.violation(format_args!(
                "at {at} {user} had {} sessions of at most {most}: {live:?}",
                live.len()
            ));
            return;
        }
    }
}

/// From when to when a session certainly lived.
fn lived(events: &[&Event], (from, to): (Micros, Micros)) -> Option<(Micros, Micros)> {
    let proofs = events.iter().filter(|event| {
        event.is_done() && event.act != Act::Reuse && event.began >= from && event.ended <= to
    });
    let first = proofs.clone().map(|event| event.ended).min()?;
    let last = proofs.map(|event| event.began).max()?;
    (first < last).then_some((first, last))
}
