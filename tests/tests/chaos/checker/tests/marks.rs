//! Keys that are set, and what a login carries over.

use sessions_tests::chaos::Answer;

use super::{SECOND, done, is_bad, is_good, issuing, marked, of, own, push, set};
use crate::history::{Act, History, Lineage, Outcome, Policy};

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
