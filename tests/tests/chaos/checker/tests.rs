//! Histories made by hand: good ones pass, and each kind of bad one is told.

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

fn two_updates(list: &[u64]) -> History {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Update(7), (20, 30), counted(1));
    own(&mut history, Act::Update(8), (25, 40), counted(2));
    own(&mut history, Act::Update(9), (25, 40), Outcome::Unavailable);
    own(&mut history, Act::Whole, (50, 60), whole(list));
    history
}

#[test]
fn updates_that_are_all_there_are_good() {
    is_good(&two_updates(&[7, 8]));
    is_good(&two_updates(&[7, 8, 9]));
}

#[test]
fn a_lost_update_is_told() {
    is_bad(&two_updates(&[7]), "an acknowledged update is lost");
}

#[test]
fn an_update_that_was_applied_twice_is_told() {
    is_bad(&two_updates(&[7, 8, 8]), "is at [2, 3] of its counter");
    is_bad(&two_updates(&[7, 8, 9, 9]), "is at [3, 4] of its counter");
}

#[test]
fn an_update_in_the_wrong_place_is_told() {
    is_bad(&two_updates(&[8, 7]), "is at [1] of its counter");
}

#[test]
fn an_update_of_nobody_is_told() {
    is_bad(&two_updates(&[7, 8, 1]), "no one has made the update 1");
}

#[test]
fn updates_with_one_answer_are_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Update(7), (20, 30), counted(1));
    own(&mut history, Act::Update(8), (31, 40), counted(1));
    is_bad(&history, "counted no further");
}

#[test]
fn a_refused_update_that_was_applied_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Logout, (15, 45), Outcome::Unavailable);
    own(&mut history, Act::Update(7), (20, 30), Outcome::Refused(401));
    own(&mut history, Act::Whole, (50, 60), whole(&[7]));
    is_bad(&history, "a refused update was applied");
}

#[test]
fn a_killed_primary_may_take_the_last_updates_with_it() {
    let mut history = two_updates(&[7]);
    killed(&mut history, 45, 48);
    is_loss(&history, "an acknowledged update is lost");
}

#[test]
fn a_killed_primary_may_not_take_what_is_old() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Update(7), (20, 30), counted(1));
    killed(&mut history, 3 * SECOND, 4 * SECOND);
    own(&mut history, Act::Whole, (5 * SECOND, 6 * SECOND), whole(&[]));
    is_bad(&history, "an acknowledged update is lost");
}

#[test]
fn a_killed_primary_may_not_leave_a_gap() {
    let mut history = two_updates(&[8, 8]);
    history.events.last_mut().unwrap().outcome = whole(&[9, 8]);
    killed(&mut history, 45, 48);
    is_bad(&history, "the update 1 was lost although the update 2 was not");
}

#[test]
fn an_older_kill_does_not_excuse_a_newer_loss() {
    let mut history = two_updates(&[7]);
    killed(&mut history, 12, 15);
    is_bad(&history, "an acknowledged update is lost");
}

#[test]
fn a_logout_that_holds_is_good() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::See, (20, 50), done());
    own(&mut history, Act::Logout, (30, 40), done());
    own(&mut history, Act::See, (41, 50), Outcome::Refused(401));
    is_good(&history);
}

#[test]
fn a_session_that_is_served_after_its_logout_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Logout, (30, 40), done());
    own(&mut history, Act::See, (41, 50), done());
    is_bad(&history, "a session that has ended was served");
    killed(&mut history, 40, 41);
    is_loss(&history, "a session that has ended was served");
}

#[test]
fn an_old_answer_in_a_planned_failover_is_counted_apart() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Logout, (30, 40), done());
    own(&mut history, Act::See, (41, 50), done());
    history.windows.push(Window { promise: Promise::MayBeStale, from: 35, to: 45 });
    let report = check(&history);
    assert!(report.violations.is_empty() && report.stale.len() == 1, "{report:?}");
    history.events.last_mut().unwrap().act = Act::Update(1);
    is_bad(&history, "a session that has ended was served");
}

#[test]
fn a_dead_id_that_comes_back_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Logout, (30, 60), Outcome::Unavailable);
    own(&mut history, Act::See, (41, 50), Outcome::Refused(401));
    is_good(&history);
    own(&mut history, Act::See, (51, 55), done());
    is_bad(&history, "dead opens a session again");
}

#[test]
fn a_session_that_survives_a_revocation_is_told() {
    for act in [Act::RevokeAll, Act::RevokeOthers] {
        let mut history = of(Policy::Web);
        log_in(&mut history, Policy::Web, 1, (11, 20));
        push(&mut history, act, (1, Some(1)), (30, 40), done());
        own(&mut history, Act::See, (35, 50), done());
        is_good(&history);
        own(&mut history, Act::See, (41, 50), done());
        is_bad(&history, "a session that has ended was served");
    }
}

#[test]
fn a_session_that_goes_without_a_reason_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::See, (41, 50), Outcome::Refused(401));
    is_bad(&history, "gone without a reason");
    killed(&mut history, 15, 20);
    is_loss(&history, "gone without a reason");
}

#[test]
fn eviction_is_a_reason() {
    let mut history = of(Policy::Web);
    for id in 1..=3 {
        log_in(&mut history, Policy::Web, id, (20, 30));
    }
    own(&mut history, Act::See, (41, 50), Outcome::Refused(401));
    is_good(&history);
}

#[test]
fn an_answer_about_someone_else_is_told() {
    let mut history = of(Policy::Web);
    let answer = Answer { user: "eve".to_owned(), ..Answer::default() };
    own(&mut history, Act::See, (41, 50), Outcome::Done { answer, issued: None });
    is_bad(&history, "was served as that of \"eve\"");
}

#[test]
fn an_answer_that_no_one_may_get_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::See, (41, 50), Outcome::Wrong("a 503 changes the cookie".to_owned()));
    is_bad(&history, "a 503 changes the cookie");
}

#[test]
fn an_answer_that_takes_too_long_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::See, (0, 20 * SECOND), done());
    is_bad(&history, "not answered in time");
}

/// Four sessions that were seen before and after a moment, but for one that was seen before only.
fn four(last_is_seen_again: bool) -> History {
    let mut history = of(Policy::Web);
    for id in 1..=3 {
        log_in(&mut history, Policy::Web, id, (20, 30));
    }
    for id in 0..=3 {
        if id > 0 || last_is_seen_again {
            push(&mut history, Act::See, (id, Some(id)), (41, 50), done());
        }
    }
    history
}

#[test]
fn sessions_within_the_limit_are_good() {
    is_good(&four(false));
}

#[test]
fn a_limit_that_is_exceeded_for_a_moment_is_told() {
    is_bad(&four(true), "had 4 sessions of at most 3");
}

#[test]
fn a_kill_separates_what_lived_before_from_what_lives_after() {
    let mut history = four(false);
    own(&mut history, Act::See, (71, 80), done());
    is_bad(&history, "had 4 sessions of at most 3");
    killed(&mut history, 55, 60);
    is_good(&history);
}

#[test]
fn a_list_that_is_too_long_is_told() {
    let mut history = of(Policy::Strict);
    own(
        &mut history,
        Act::Mine,
        (20, 30),
        done_with(Answer { sessions: Some(3), ..Answer::default() }, None),
    );
    is_bad(&history, "more than 2 sessions");
}

#[test]
fn a_login_that_is_refused_below_the_limit_is_told() {
    let mut history = of(Policy::Strict);
    log_in(&mut history, Policy::Strict, 1, (20, 30));
    history.lineages.push(history.lineages[0].clone());
    push(&mut history, Act::Login, (2, None), (40, 50), Outcome::Refused(409));
    is_good(&history);
    own(&mut history, Act::Logout, (32, 35), done());
    is_bad(&history, "although only 1 sessions may live");
}

#[test]
fn an_id_beside_its_successor_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, Act::Rotate, (20, 30), issuing(1));
    own(&mut history, Act::See, (25, 40), done());
    own(&mut history, Act::See, (31, 40), Outcome::Refused(401));
    is_good(&history);
    own(&mut history, Act::See, (31, 39), done());
    is_bad(&history, "an id lives on beside its successor");
}

#[test]
fn an_id_with_two_successors_is_told() {
    let mut history = of(Policy::Turning);
    own(&mut history, Act::See, (20, 30), issuing(1));
    own(&mut history, Act::See, (20, 30), issuing(1));
    is_good(&history);
    own(&mut history, Act::See, (20, 35), issuing(2));
    is_bad(&history, "an id has two successors");
}

#[test]
fn a_successor_that_no_one_used_is_void_when_another_is_given() {
    let late = |one: Outcome, other: Outcome| {
        let mut history = of(Policy::Turning);
        own(&mut history, Act::See, (20, 30), issuing(1));
        own(&mut history, Act::See, (20, 2 * SECOND), issuing(2));
        push(&mut history, Act::See, (0, Some(1)), (3 * SECOND, 4 * SECOND), one);
        push(&mut history, Act::See, (0, Some(2)), (3 * SECOND, 4 * SECOND), other);
        history
    };
    is_good(&late(Outcome::Refused(401), done()));
    is_bad(&late(done(), done()), "two successors of an id live");
}

/// Time has changed the id at 30, its successor was used until 3 s, and the old one comes after its grace.
fn reused(outcome: Outcome) -> History {
    let mut history = of(Policy::Turning);
    own(&mut history, Act::See, (20, 30), issuing(1));
    push(&mut history, Act::See, (0, Some(1)), (2 * SECOND, 3 * SECOND), done());
    own(&mut history, Act::Reuse, (4 * SECOND, 5 * SECOND), outcome);
    history
}

#[test]
fn an_id_that_outlives_its_grace_is_told() {
    is_bad(&reused(done()), "an id lives on beside its successor");
}

#[test]
fn a_session_that_survives_reuse_is_told() {
    let mut history = reused(Outcome::Refused(401));
    push(&mut history, Act::See, (0, Some(1)), (6 * SECOND, 7 * SECOND), Outcome::Refused(401));
    is_good(&history);
    let mut history = reused(Outcome::Refused(401));
    push(&mut history, Act::See, (0, Some(1)), (6 * SECOND, 7 * SECOND), done());
    is_bad(&history, "a session that has ended was served");
}

#[test]
fn changes_that_are_read_are_good() {
    let mut history = of(Policy::Web);
    own(&mut history, set(1), (20, 30), done());
    own(&mut history, set(2), (31, 40), Outcome::Unavailable);
    own(&mut history, Act::See, (41, 50), marked(1));
    own(&mut history, Act::See, (51, 60), marked(2));
    is_good(&history);
}

#[test]
fn a_lost_change_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, set(1), (20, 30), done());
    own(&mut history, Act::See, (41, 50), done());
    is_bad(&history, "an acknowledged change is lost");
}

#[test]
fn a_value_that_goes_back_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, set(1), (20, 30), Outcome::Unavailable);
    own(&mut history, Act::See, (41, 50), marked(1));
    own(&mut history, Act::See, (51, 60), done());
    is_bad(&history, "a value went back");
}

#[test]
fn a_value_of_nobody_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, set(1), (20, 30), done());
    own(&mut history, Act::See, (41, 50), marked(3));
    is_bad(&history, "colour is 3, which no one has written");
}

#[test]
fn a_write_that_appears_after_its_deadline_is_told() {
    let mut history = of(Policy::Web);
    own(&mut history, set(1), (20, 30), Outcome::Unavailable);
    own(&mut history, Act::See, (SECOND, SECOND + 10), done());
    is_good(&history);
    own(&mut history, Act::See, (SECOND + 20, SECOND + 30), marked(1));
    is_bad(&history, "appeared after its deadline");
}

#[test]
fn data_that_a_login_drops_is_told() {
    let mut history = History::default();
    history.lineages.push(Lineage { policy: Policy::Web, user: None, from: None });
    history.lineages.push(Lineage { policy: Policy::Web, user: Some("ada".to_owned()), from: Some(0) });
    push(
        &mut history,
        set(1),
        (0, None),
        (0, 10),
        Outcome::Done { answer: Answer::default(), issued: Some(0) },
    );
    push(&mut history, Act::Login, (1, Some(0)), (20, 30), issuing(1));
    push(&mut history, Act::See, (1, Some(1)), (31, 40), marked(1));
    is_good(&history);
    history.events.pop();
    push(&mut history, Act::See, (1, Some(1)), (31, 40), done());
    is_bad(&history, "what a visitor had is lost by the login");
}
