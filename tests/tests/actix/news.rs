//! A stream that lives as long as its session.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use crate::{
    COOKIE, ada,
    client::{Browser, connect, request},
    program::Showcase,
};

/// The stream, after its head.
fn open(browser: &Browser) -> BufReader<TcpStream> {
    let mut stream = connect(browser.address);
    let cookie = format!("{COOKIE}={}", browser.cookie(COOKIE));
    let asked = request(browser.address, ("GET", "/news"), &[("Cookie", &cookie)], None);
    stream.write_all(&asked).expect("the request is sent");
    let mut news = BufReader::new(stream);
    let head: Vec<_> = std::iter::from_fn(|| line(&mut news)).take_while(|line| !line.is_empty()).collect();
    assert!(head[0].ends_with("200 OK"), "{head:?}");
    assert!(head.contains(&"content-type: text/event-stream".to_owned()), "{head:?}");
    news
}

/// The next line; `None` when the stream has ended.
fn line(news: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = news.read_line(&mut line).expect("a line within the time limit");
    (length > 0).then(|| line.trim_end().to_owned())
}

#[test]
fn a_stream_ends_with_a_logout_elsewhere() {
    let shop = Showcase::start();
    shop.browser().get("/news").expect_problem(401, "SESSION_REQUIRED").expect_no_cookie();
    let mut browser = ada(&shop);
    let mut news = open(&browser);
    while line(&mut news).is_some_and(|line| line != "data: 2") {}
    browser.post("/logout").expect_status(200);
    // It would go on for as long as anyone reads.
    while line(&mut news).is_some() {}
}

#[test]
fn a_stream_ends_with_a_revocation() {
    let shop = Showcase::start();
    let (browser, mut other) = (ada(&shop), ada(&shop));
    let mut news = open(&browser);
    other.post("/sessions/revoke-others").expect_status(200);
    while line(&mut news).is_some() {}
}
