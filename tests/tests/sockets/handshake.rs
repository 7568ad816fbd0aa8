//! The handshake: origin before anything else, then the session, then the guard.

use axum::http::header::{COOKIE, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use sessions::testing::Operation;

use crate::app::App;

#[tokio::test]
async fn a_foreign_origin_is_refused_before_any_store_is_asked() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    app.store.take_counts();
    let own = app.origin();
    let port = app.address.port();
    let foreign = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://sub.127.0.0.1:{port}"),
        format!("{own}/"),
        format!("ws://127.0.0.1:{port}"),
    ];
    for policy in ["page", "guest", "program", "tool"] {
        for origin in &foreign {
            let mut fields = cookie.clone();
            fields.push((ORIGIN, origin.clone()));
            let refused = app.open(&format!("/{policy}"), &fields).await.unwrap_err();
            assert!(refused.is(403, "SESSION_CROSS_SITE"), "{policy} {origin}: {refused:?}");
        }
        let refused = app.open(&format!("/{policy}"), &cookie).await.unwrap_err();
        assert!(refused.is(403, "SESSION_CROSS_SITE"), "{policy} without an origin: {refused:?}");
    }
    assert_eq!(app.store.take_counts().totals(), (0, 0), "no session was read for any of them");
    app.open_here("/page", &cookie).await;
}

#[tokio::test]
async fn a_socket_costs_two_reads_and_no_write() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    app.store.take_counts();
    let mut socket = app.open_here("/page", &cookie).await;
    assert!(socket.echoes("hello").await);
    let counts = app.store.take_counts();
    assert_eq!((counts.of(Operation::Load), counts.writes()), (2, 0), "one, and one more once it is watched");
}

#[tokio::test]
async fn without_a_login_there_is_no_socket_unless_the_policy_says_so() {
    let app = App::start().await;
    let own = [(ORIGIN, app.origin())];
    for path in ["/page", "/guest", "/program", "/tool", "/admins"] {
        let refused = app.open(path, &own).await.unwrap_err();
        assert!(refused.is(401, "SESSION_REQUIRED"), "{path}: {refused:?}");
    }
    let visitor = app.post("/guest/visit", &[]).await;
    let cookie = visitor.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut socket = app.open_here("/guest", &[(COOKIE, cookie)]).await;
    assert!(socket.echoes("a visitor").await);
}

#[tokio::test]
async fn the_handlers_guard_is_asked() {
    let app = App::start().await;
    let mut fields = app.log_in("page").await;
    fields.push((ORIGIN, app.origin()));
    let refused = app.open("/admins", &fields).await.unwrap_err();
    assert!(refused.is(403, "SESSION_FORBIDDEN"), "{refused:?}");
}

#[tokio::test]
async fn a_header_proves_a_program() {
    let app = App::start().await;
    let header = app.log_in("program").await;
    let mut socket = app.open_here("/program", &header).await;
    assert!(socket.echoes("hello").await);
    app.post("/program/revoke", &header).await;
    assert_eq!(socket.closed().await.0, 4401);
}

#[tokio::test]
async fn an_id_as_a_subprotocol_proves_a_tool_and_is_never_sent_back() {
    let app = App::start().await;
    let header = app.log_in("tool").await;
    let id = header[0].1.clone();
    let offer = |protocols: String| vec![(SEC_WEBSOCKET_PROTOCOL, protocols)];

    let socket = app.open_here("/tool", &offer(format!("chat, sessions.v1, sessions.id.{id}"))).await;
    assert_eq!(socket.protocol.unwrap(), "chat");
    let mut socket = app.open_here("/tool", &offer(format!("sessions.id.{id}, sessions.v1"))).await;
    assert_eq!(socket.protocol.clone().unwrap(), "sessions.v1");
    assert!(socket.echoes("hello").await);

    let own = [(ORIGIN, app.origin())];
    let with = |protocols: String| offer(protocols).into_iter().chain(own.clone()).collect::<Vec<_>>();
    for wrong in [
        "chat".to_owned(),
        "sessions.v1, sessions.id.".to_owned(),
        format!("sessions.v1, sessions.id.{id}x"),
        format!("sessions.v1, sessions.id.{id}, sessions.id.{id}"),
        format!("sessions.v1, sessions.ticket.{id}"),
    ] {
        let refused = app.open("/tool", &with(wrong.clone())).await.unwrap_err();
        assert!(refused.is(401, "SESSION_REQUIRED"), "{wrong}: {refused:?}");
    }
    // One channel a policy: the header that proves requests proves no socket here.
    let both: Vec<_> = header.iter().cloned().chain(own.clone()).collect();
    assert!(app.open("/tool", &both).await.unwrap_err().is(401, "SESSION_REQUIRED"));
    // And what a cookie carries is not looked for in a subprotocol.
    let cookie = app.log_in("page").await;
    let text = cookie[0].1.split_once('=').unwrap().1.to_owned();
    let refused = app.open("/page", &with(format!("sessions.id.{text}"))).await.unwrap_err();
    assert!(refused.is(401, "SESSION_REQUIRED"));
    app.post("/tool/revoke", &header).await;
    assert_eq!(socket.closed().await.0, 4401);
}

#[tokio::test]
async fn what_is_no_handshake_gets_no_socket() {
    let app = App::start().await;
    let mut fields = app.log_in("page").await;
    fields.push((ORIGIN, app.origin()));
    assert_eq!(app.post("/page", &fields).await.status(), 405);
    assert_eq!(app.post("/page", &[]).await.status(), 403);
    assert_eq!(app.registry.engine::<crate::app::policies::Page>().open_watches(), 0);
}

#[tokio::test]
async fn a_store_that_is_away_refuses_the_handshake_as_it_does_a_request() {
    let app = App::start().await;
    let mut fields = app.log_in("page").await;
    fields.push((ORIGIN, app.origin()));
    app.store.set_down(true);
    assert!(app.open("/page", &fields).await.unwrap_err().is(503, "SESSION_STORE_UNAVAILABLE"));
    app.store.set_down(false);
    app.open("/page", &fields).await.unwrap();
}
