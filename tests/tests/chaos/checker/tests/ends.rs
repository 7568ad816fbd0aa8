//! Ends, and answers by themselves.

use sessions_tests::chaos::Answer;

use super::{SECOND, done, is_bad, is_good, is_loss, killed, log_in, of, own, push};
use crate::{
    checker::check,
    history::{Act, Outcome, Policy, Promise, Window},
};

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
