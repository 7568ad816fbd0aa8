//! Stopping: a request in flight is finished, and what it wrote is not lost.

use std::{thread, thread::sleep, time::Duration};

use serde_json::json;

use crate::{ada, program::Showcase};

#[test]
fn a_request_in_flight_is_answered_before_the_end() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let late = thread::spawn(move || {
        browser.post_json("/slow", &json!({ "ms": 1_200, "key": "prefs.late", "value": 1 }))
    });
    sleep(Duration::from_millis(300));
    shop.signal("TERM");
    let stopped = shop.ended(Duration::from_secs(10));
    late.join().unwrap().expect_status(200);
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert_eq!(stopped.stdout, "", "it says nothing more than where it listens");
}
