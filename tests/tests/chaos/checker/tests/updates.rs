//! Counters: what is lost, doubled, out of place, or excused by a kill.

use super::{SECOND, counted, is_bad, is_good, is_loss, killed, of, own, whole};
use crate::history::{Act, History, Outcome, Policy};

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
