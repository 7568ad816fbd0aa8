//! Lines of ids.

use super::{SECOND, done, is_bad, is_good, issuing, of, own, push};
use crate::history::{Act, History, Outcome, Policy};

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
