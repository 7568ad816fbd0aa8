//! What has ended stays ended, and nothing ends without a reason.

use sessions_tests::chaos::{MOST, MOST_STRICT};

use super::Judge;
use crate::history::{Act, Event, Micros, Outcome, Policy};

pub(super) fn check(judge: &mut Judge<'_>) {
    let enders = enders(judge);
    for lineage in 0..judge.history.lineages.len() {
        let events = judge.index.by_lineage[lineage].clone();
        if let Some(end) = enders[lineage] {
            for event in events.iter().filter(|event| event.is_done() && event.began > end.ended) {
                judge.contradiction(end, event, "a session that has ended was served");
            }
        }
        for event in &events {
            match (&event.outcome, &event.act) {
                (Outcome::Refused(_), Act::Login) => refused(judge, event, &enders),
                (Outcome::Refused(401), Act::Reuse) => {}
                (Outcome::Refused(401), _) => died(judge, event),
                _ => {}
            }
        }
    }
    stay_dead(judge);
}

/// The first event of each lineage after whose answer it must be dead.
fn enders<'a>(judge: &Judge<'a>) -> Vec<Option<&'a Event>> {
    let mut enders = vec![None::<&Event>; judge.history.lineages.len()];
    let mut note = |lineage: usize, event: &'a Event| {
        let first = &mut enders[lineage];
        if first.is_none_or(|first| event.ended < first.ended) {
            *first = Some(event);
        }
    };
    for event in &judge.history.events {
        match (&event.act, &event.outcome) {
            (Act::Logout | Act::RevokeAll, Outcome::Done { .. }) => note(event.lineage, event),
            (Act::Reuse, Outcome::Refused(_)) => {
                let retired = event.id.and_then(|id| judge.index.retired(judge.history, id));
                if retired.is_some_and(|(since, _)| event.began > since) {
                    note(event.lineage, event);
                }
            }
            _ => {}
        }
        if matches!(event.act, Act::RevokeAll | Act::RevokeOthers) && event.is_done() {
            for other in of_same_user(judge, event.lineage) {
                let login = judge.index.login(other).filter(|login| login.is_done());
                if login.is_some_and(|login| login.ended < event.began) {
                    note(other, event);
                }
            }
        }
    }
    enders
}

/// The other sessions of the user.
fn of_same_user(judge: &Judge<'_>, lineage: usize) -> Vec<usize> {
    let user = judge.history.lineages[lineage].user.as_deref().unwrap_or_default();
    let all = judge.index.by_user.get(user).cloned().unwrap_or_default();
    all.into_iter().filter(|other| *other != lineage).collect()
}

/// An id that opened nothing never opens anything again.
fn stay_dead(judge: &mut Judge<'_>) {
    let ids: Vec<Vec<&Event>> = judge.index.by_id.values().cloned().collect();
    for events in ids {
        let refused = |event: &&&Event| event.outcome == Outcome::Refused(401) && event.act != Act::Login;
        let Some(first) = events.iter().filter(refused).min_by_key(|event| event.ended) else { continue };
        for event in events.iter().filter(|event| event.is_done() && event.began > first.ended) {
            judge.contradiction(first, event, "an id that was dead opens a session again");
        }
    }
}

/// A session that is refused has ended for a reason.
fn died(judge: &mut Judge<'_>, event: &Event) {
    if has_reason_to_end(judge, event) {
        return;
    }
    let login = judge.index.login(event.lineage);
    let issued = event.id.and_then(|id| judge.index.issued_by.get(&id).copied()).or(login);
    match issued {
        Some(issued) => judge.contradiction(issued, event, "a session is gone without a reason"),
        None => judge.violation(format_args!("an id that no one was given was sent: {event:?}")),
    }
}

fn has_reason_to_end(judge: &Judge<'_>, event: &Event) -> bool {
    let before = |other: &&Event| other.began < event.ended;
    let own = judge.index.by_lineage[event.lineage].iter().copied().filter(before);
    let is_end = |other: &Event| match other.act {
        Act::Logout | Act::RevokeAll | Act::Reuse => !std::ptr::eq(other, event),
        Act::Rotate => !std::ptr::eq(other, event) && other.id == event.id,
        _ => false,
    };
    if own.clone().any(is_end) || event.id.is_some_and(|id| judge.index.may_be_void(id, event.ended)) {
        return true;
    }
    let others = of_same_user(judge, event.lineage);
    let mut of_others =
        others.iter().flat_map(|other| judge.index.by_lineage[*other].iter().copied()).filter(before);
    if of_others.clone().any(|other| matches!(other.act, Act::RevokeAll | Act::RevokeOthers)) {
        return true;
    }
    let is_web = judge.history.lineages[event.lineage].policy == Policy::Web;
    is_web && of_others.by_ref().filter(|other| other.act == Act::Login).count() >= MOST
}

/// A login that is refused met the limit, or a revocation.
fn refused(judge: &mut Judge<'_>, login: &Event, enders: &[Option<&Event>]) {
    let others = of_same_user(judge, login.lineage);
    let overlaps = |other: &&&Event| {
        matches!(other.act, Act::RevokeAll | Act::RevokeOthers)
            && other.began < login.ended
            && other.ended > login.began
    };
    let was_revoked = others.iter().any(|other| judge.index.by_lineage[*other].iter().any(|e| overlaps(&e)));
    if login.outcome == Outcome::Refused(401) {
        if !was_revoked {
            judge.violation(format_args!("a login was refused without a revocation: {login:?}"));
        }
        return;
    }
    let perhaps = others.iter().filter(|other| perhaps_lives(judge, **other, login, enders[**other])).count();
    if perhaps < MOST_STRICT {
        judge.violation(format_args!(
            "a login was refused although only {perhaps} sessions may live: {login:?}"
        ));
    }
}

/// Whether a session may have lived while a login was under way.
fn perhaps_lives(judge: &Judge<'_>, lineage: usize, login: &Event, end: Option<&Event>) -> bool {
    let Some(begin) = judge.index.login(lineage) else { return false };
    let was_refused = matches!(begin.outcome, Outcome::Refused(_));
    let is_over = |end: Micros| end < login.began;
    begin.began < login.ended
        && !was_refused
        && end.is_none_or(|end| !is_over(end.ended) || judge.may_be_lost(end, login))
}
