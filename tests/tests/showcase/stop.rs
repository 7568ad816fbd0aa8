//! Stopping: requests in flight are finished, idle connections don't delay, and nothing hangs.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    thread::sleep,
    time::Duration,
};

use serde_json::json;

use crate::{
    ada,
    client::{connect, request},
    program::Showcase,
};

const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn both_signals_end_it_well() {
    for signal in ["TERM", "INT"] {
        let shop = Showcase::start();
        shop.browser().get("/").expect_status(200);
        shop.signal(signal);
        let stopped = shop.ended(LIMIT);
        assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
        assert!(stopped.took < Duration::from_secs(2), "{stopped:?}");
        assert_eq!(stopped.stdout, "");
    }
}

#[test]
fn a_request_in_flight_is_answered_and_new_ones_are_not_accepted() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let address = shop.address;
    let late = thread::spawn(move || {
        browser.post_json("/slow", &json!({ "ms": 1_200, "key": "prefs.late", "value": 1 }))
    });
    sleep(Duration::from_millis(300));
    shop.signal("TERM");
    sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(address).is_err(), "no one listens any more");
    let stopped = shop.ended(LIMIT);
    late.join().unwrap().expect_status(200);
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
}

#[test]
fn idle_connections_do_not_delay_it() {
    let shop = Showcase::start();
    let _silent = connect(shop.address);
    let mut kept = connect(shop.address);
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", shop.address);
    kept.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    kept.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    sleep(Duration::from_millis(100));
    shop.signal("TERM");
    let stopped = shop.ended(LIMIT);
    assert_eq!(stopped.status.code(), Some(0));
    assert!(stopped.took < Duration::from_secs(2), "{stopped:?}");
}

#[test]
fn a_request_that_never_ends_does_not_hold_it() {
    let shop = Showcase::start();
    let mut half = connect(shop.address);
    let whole = request(shop.address, ("POST", "/login"), &[], Some("{\"email\":\"ada\"}"));
    half.write_all(&whole[..whole.len() - 5]).unwrap();
    let address = shop.address;
    let long = thread::spawn(move || {
        let entry = "{\"ms\":30000,\"key\":\"a\",\"value\":1}";
        let mut stream = connect(address);
        stream.write_all(&request(address, ("POST", "/slow"), &[], Some(entry))).unwrap();
        let _ = stream.read(&mut [0; 16]);
    });
    sleep(Duration::from_millis(300));
    shop.signal("TERM");
    let stopped = shop.ended(LIMIT);
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    long.join().unwrap();
}
