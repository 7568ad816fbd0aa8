//! How many sessions a person may have, and what a further login does.

use std::{thread::sleep, time::Duration};

use crate::{ada, grace, program::Showcase};

const MOST: &str = "SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL";
const BEHAVIOR: &str = "SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__BEHAVIOR_ON_LIMIT";
const IDLE: &str = "SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT";

#[test]
fn the_oldest_login_makes_room_for_a_sixth() {
    let shop = Showcase::start();
    let mut browsers: Vec<_> = (0..6).map(|_| ada(&shop)).collect();
    browsers[0].expect_logged_out();
    for browser in &mut browsers[1..] {
        browser.expect_logged_in("u1");
    }
}

#[test]
fn another_limit_comes_from_the_environment() {
    let shop = Showcase::with(&[(MOST, "1")]);
    let (mut first, mut second) = (ada(&shop), ada(&shop));
    first.expect_logged_out();
    second.expect_logged_in("u1");
    grace(&shop).expect_logged_in("u2");
    second.expect_logged_in("u1");
}

#[test]
fn a_refused_login_changes_nothing() {
    let shop = Showcase::with(&[(MOST, "1"), (BEHAVIOR, "reject")]);
    let mut first = ada(&shop);
    let mut second = shop.browser();
    second.post("/visits").expect_status(200);
    let before = second.clone();
    second
        .log_in("ada@example.com", "analytical-engine")
        .expect_problem(409, "SESSION_CONCURRENCY_VIOLATION")
        .expect_no_cookie();
    assert_eq!(second.cookies, before.cookies);
    assert_eq!(second.post("/visits").json()["visits"], 2);
    first.log_in("ada@example.com", "analytical-engine").expect_status(200);
    first.post("/logout").expect_status(200);
    second.log_in("ada@example.com", "analytical-engine").expect_status(200);
    second.expect_logged_in("u1");
}

#[test]
fn every_other_session_goes_if_the_policy_says_so() {
    let shop = Showcase::with(&[(MOST, "3"), (BEHAVIOR, "evict_all")]);
    let mut browsers: Vec<_> = (0..4).map(|_| ada(&shop)).collect();
    browsers[3].expect_logged_in("u1");
    for browser in &mut browsers[..3] {
        browser.expect_logged_out();
    }
}

#[test]
fn what_has_expired_does_not_count() {
    let shop = Showcase::with(&[(MOST, "1"), (BEHAVIOR, "reject"), (IDLE, "1s")]);
    let mut first = ada(&shop);
    sleep(Duration::from_millis(1_200));
    ada(&shop).expect_logged_in("u1");
    first.expect_logged_out();
}
