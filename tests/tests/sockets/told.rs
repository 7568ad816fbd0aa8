//! What operators hear of sockets: each opening, and each closing once, with its reason and its code.

use sessions::{EventKind, EventReceiver};

use crate::app::App;

/// The next event of a socket: name, reason, code.
async fn next(events: &mut EventReceiver) -> (&'static str, Option<&'static str>, Option<u16>) {
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), events.recv()).await;
    let event = told.unwrap().unwrap();
    assert!(event.handle.is_some() && event.principal_id.as_deref() == Some("ada"), "{event:?}");
    (event.kind.name(), event.reason, event.close_code)
}

#[tokio::test]
async fn each_opening_is_told_and_each_closing_with_its_reason() {
    let app = App::start().await;
    let is_of_sockets = |kind| matches!(kind, EventKind::SocketOpened | EventKind::SocketClosed);
    let mut events = app.registry.subscribe(100, is_of_sockets);
    let cookie = app.log_in("page").await;
    let opened = ("session_socket_opened", None, None);

    let mut socket = app.open_here("/page", &cookie).await;
    assert!(socket.echoes("hello").await);
    assert_eq!(next(&mut events).await, opened);
    socket.stream.close(None).await.unwrap();
    assert_eq!(next(&mut events).await, ("session_socket_closed", Some("client"), None));

    let socket = app.open_here("/page", &cookie).await;
    assert_eq!(next(&mut events).await, opened);
    drop(socket);
    assert_eq!(next(&mut events).await, ("session_socket_closed", Some("broken"), None));

    let mut socket = app.open_here("/brief", &cookie).await;
    assert_eq!(next(&mut events).await, opened);
    let code = socket.closed().await.0;
    assert_eq!(next(&mut events).await, ("session_socket_closed", Some("handler"), Some(code)));

    let mut socket = app.open_here("/page", &cookie).await;
    assert_eq!(next(&mut events).await, opened);
    app.post("/page/revoke", &cookie).await;
    assert_eq!(socket.closed().await.0, 4401);
    assert_eq!(next(&mut events).await, ("session_socket_closed", Some("revoked"), Some(4401)));
}
