//! Tickets: one socket each, for one session and one path, for half a minute.

use axum::http::{
    HeaderName,
    header::{COOKIE, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
};

use crate::app::{App, Refused, Socket};

const SITE: &str = "https://app.example";

async fn ticket(app: &App, cookie: &[(HeaderName, String)], path: &str) -> String {
    let response = app.post(&format!("/other_site/ticket/{path}"), cookie).await;
    assert_eq!(response.status(), 200);
    response.body().clone()
}

async fn open(app: &App, path: &str, ticket: &str) -> Result<Socket, Refused> {
    let fields = [(ORIGIN, SITE.to_owned()), (SEC_WEBSOCKET_PROTOCOL, format!("sessions.v1, {ticket}"))];
    app.open(path, &fields).await
}

fn opens_nothing(opened: Result<Socket, Refused>) -> bool {
    opened.is_err_and(|refused| refused.is(401, "SESSION_REQUIRED"))
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_no_more() {
    let app = App::start().await;
    let cookie = app.log_in("other_site").await;
    let ticket = ticket(&app, &cookie, "other_site").await;
    let mut socket = open(&app, "/other_site", &ticket).await.unwrap();
    assert_eq!(socket.protocol.clone().unwrap(), "sessions.v1");
    assert!(socket.echoes("hello").await);
    assert!(opens_nothing(open(&app, "/other_site", &ticket).await), "a second use");
    app.post("/other_site/revoke", &cookie).await;
    assert_eq!(socket.closed().await.0, 4401);
}

#[tokio::test]
async fn of_simultaneous_uses_one_succeeds() {
    let app = App::start().await;
    let cookie = app.log_in("other_site").await;
    app.store.set_slow(true);
    for _ in 0..5 {
        let ticket = ticket(&app, &cookie, "other_site").await;
        let uses = (0..12).map(|_| open(&app, "/other_site", &ticket));
        let opened = futures_util::future::join_all(uses).await;
        let (opened, refused): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
        assert_eq!(opened.len(), 1);
        assert!(refused.into_iter().all(opens_nothing));
    }
}

#[tokio::test]
async fn a_ticket_is_for_its_path_and_its_session_alone() {
    let app = App::start().await;
    let cookie = app.log_in("other_site").await;
    let elsewhere = ticket(&app, &cookie, "deep/other_site").await;
    assert!(opens_nothing(open(&app, "/other_site", &elsewhere).await));
    open(&app, "/deep/other_site", &elsewhere).await.unwrap();
    // What came with the wrong path is not used up by that; what came after its session is.
    let late = ticket(&app, &cookie, "other_site").await;
    app.post("/other_site/revoke", &cookie).await;
    assert!(opens_nothing(open(&app, "/other_site", &late).await));
}

#[tokio::test]
async fn a_ticket_is_for_the_page_that_it_was_made_out_to() {
    let app = App::start().await;
    let cookie = app.log_in("other_site").await;
    let ticket = ticket(&app, &cookie, "other_site").await;
    // The policy lets both open sockets.
    let other = [
        (ORIGIN, "http://localhost:1".to_owned()),
        (SEC_WEBSOCKET_PROTOCOL, format!("sessions.v1, {ticket}")),
    ];
    assert!(opens_nothing(app.open("/other_site", &other).await));
    open(&app, "/other_site", &ticket).await.unwrap();
}

#[tokio::test]
async fn a_ticket_is_no_id_and_an_id_is_no_ticket() {
    let app = App::start().await;
    let cookie = app.log_in("other_site").await;
    let ticket = ticket(&app, &cookie, "other_site").await;
    let (name, id) = cookie[0].1.split_once('=').unwrap();
    assert!(opens_nothing(open(&app, "/other_site", &format!("sessions.ticket.{id}")).await));
    let text = ticket.strip_prefix("sessions.ticket.").unwrap();
    let forged = [(COOKIE, format!("{name}={text}"))];
    let response = app.post("/other_site/ticket/other_site", &forged).await;
    assert_eq!(response.status(), 401, "it opens no request");
    // The cookie alone opens no socket here.
    let own: Vec<_> = cookie.iter().cloned().chain([(ORIGIN, SITE.to_owned())]).collect();
    assert!(opens_nothing(app.open("/other_site", &own).await));
    assert!(opens_nothing(open(&app, "/other_site", &format!("{ticket}, {ticket}")).await));
    open(&app, "/other_site", &ticket).await.unwrap();
}

#[tokio::test]
async fn a_foreign_page_uses_no_ticket() {
    let app = App::start().await;
    let cookie = app.log_in("other_site").await;
    let ticket = ticket(&app, &cookie, "other_site").await;
    app.store.take_counts();
    for origin in ["https://evil.example", &app.origin()] {
        let fields = [(ORIGIN, origin.to_owned()), (SEC_WEBSOCKET_PROTOCOL, ticket.clone())];
        let refused = app.open("/other_site", &fields).await.unwrap_err();
        assert!(refused.is(403, "SESSION_CROSS_SITE"), "{origin}");
    }
    assert_eq!(app.store.take_counts().totals(), (0, 0));
    open(&app, "/other_site", &ticket).await.unwrap();
}

#[tokio::test]
async fn a_session_keeps_few_tickets_and_shows_none() {
    let app = App::start().await;
    let cookie = app.log_in("other_site").await;
    let mut tickets = Vec::new();
    for _ in 0..9 {
        tickets.push(ticket(&app, &cookie, "other_site").await);
    }
    assert!(opens_nothing(open(&app, "/other_site", &tickets[0]).await), "the oldest has gone");
    open(&app, "/other_site", &tickets[1]).await.unwrap();
    let records = app.store.records();
    for ticket in &tickets {
        let secret = ticket.rsplit('.').next().unwrap().as_bytes();
        let shows = |record: &[u8]| record.windows(secret.len()).any(|bytes| bytes == secret);
        assert!(!records.iter().any(|record| shows(record)), "only a digest is stored");
    }
}
