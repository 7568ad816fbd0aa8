//! Each answer by itself: it is one that there may be, in time, and about the right person.

use super::Judge;
use crate::history::{Act, Event, Micros, Outcome, Policy};

/// How long an answer may take, with the longest that a fault stops a process.
const PATIENCE: Micros = 12_000_000;

pub(super) fn check(judge: &mut Judge<'_>) {
    for event in &judge.history.events {
        if let Some(wrong) = wrong(judge, event) {
            judge.violation(format_args!("{wrong}: {event:?}"));
        }
    }
}

fn wrong(judge: &Judge<'_>, event: &Event) -> Option<String> {
    let lineage = &judge.history.lineages[event.lineage];
    match &event.outcome {
        Outcome::Wrong(why) => return Some(why.clone()),
        Outcome::Done { answer, .. } => {
            let user = lineage.user.as_deref().unwrap_or_default();
            if answer.user != user {
                return Some(format!("the session of {user:?} was served as that of {:?}", answer.user));
            }
        }
        Outcome::Refused(401) | Outcome::Unavailable | Outcome::Lost => {}
        Outcome::Refused(409) if lineage.policy == Policy::Strict && event.act == Act::Login => {}
        Outcome::Refused(status) => return Some(format!("nothing refuses this with {status}")),
    }
    (event.ended - event.began > PATIENCE).then(|| "it was not answered in time".to_owned())
}
