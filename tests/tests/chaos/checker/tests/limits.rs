//! How many sessions live at once.

use sessions_tests::chaos::Answer;

use super::{done, done_with, is_bad, is_good, killed, log_in, of, own, push};
use crate::history::{Act, History, Outcome, Policy};

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
