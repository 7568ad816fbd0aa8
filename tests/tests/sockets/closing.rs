//! How a socket is closed: with a word, in time, and whatever its handler and its client do.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::app::App;

#[tokio::test]
async fn an_outage_closes_with_1013_after_the_bound_and_not_before() {
    for hangs in [false, true] {
        let app = App::start().await;
        let cookie = app.log_in("page").await;
        let mut socket = app.open_here("/page", &cookie).await;
        if hangs {
            app.store.set_hanging(true);
        } else {
            app.store.set_down(true);
        }
        let (code, reason, after) = socket.closed().await;
        assert_eq!((code, reason.as_str()), (1013, "SESSION_STORE_UNAVAILABLE"));
        assert!(after >= Duration::from_secs(1) && after < Duration::from_millis(2_300), "{after:?}");
        // The session was not ended by it.
        app.store.set_down(false);
        app.store.set_hanging(false);
        assert!(app.open_here("/page", &cookie).await.echoes("again").await);
    }
}

#[tokio::test]
async fn a_busy_handler_does_not_keep_the_socket_open() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let mut socket = app.open_here("/busy", &cookie).await;
    app.watched.busy.notified().await;
    app.post("/page/revoke", &cookie).await;
    let (code, reason, after) = socket.closed().await;
    assert_eq!((code, reason.as_str()), (4401, "SESSION_GONE"));
    assert!(after < Duration::from_millis(300), "{after:?}");
    // Two seconds to come to an end, then it is dropped.
    timeout(Duration::from_millis(2_500), app.watched.over.notified()).await.unwrap();
}

#[tokio::test]
async fn messages_that_wait_are_not_handled_after_the_end() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let mut socket = app.open_here("/slow", &cookie).await;
    for number in 0..10 {
        socket.send(&format!("message {number}")).await;
    }
    sleep(Duration::from_millis(450)).await;
    let engine = app.registry.engine::<crate::app::policies::Page>();
    // Whoever has the record of the session in hand sees what was handled.
    let principal = sessions::SessionPrincipal::user("ada");
    let before = app.store.records().len();
    engine.revoke_all(&principal).await.unwrap();
    assert_eq!(socket.closed().await.0, 4401);
    sleep(Duration::from_millis(700)).await;
    assert_eq!(app.store.records().len(), before, "nothing was written after the end");
}

#[tokio::test]
async fn a_client_that_reads_nothing_and_answers_nothing_is_dropped() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let _socket = app.open_here("/flood", &cookie).await;
    // Its buffers fill, and the server waits to send.
    sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    app.post("/page/revoke", &cookie).await;
    timeout(Duration::from_secs(3), app.watched.over.notified()).await.unwrap();
    let engine = app.registry.engine::<crate::app::policies::Page>();
    while engine.open_watches() > 0 {
        sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_millis(2_500), "two seconds, then it is dropped");
    }
}

#[tokio::test]
async fn a_handler_may_close_by_itself_and_the_session_lives_on() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let (code, reason, _) = app.open_here("/brief", &cookie).await.closed().await;
    assert_eq!((code, reason.as_str()), (4000, "enough"));
    assert!(app.open_here("/page", &cookie).await.echoes("still here").await);
}

#[tokio::test]
async fn a_client_that_goes_ends_its_watch() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let engine = app.registry.engine::<crate::app::policies::Page>();
    let mut polite = app.open_here("/page", &cookie).await;
    let rude = app.open_here("/page", &cookie).await;
    assert_eq!(engine.open_watches(), 2);
    polite.stream.close(None).await.unwrap();
    drop(rude);
    let began = Instant::now();
    while engine.open_watches() > 0 {
        sleep(Duration::from_millis(10)).await;
        assert!(began.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_how() {
    use tokio::io::AsyncWriteExt as _;
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let mut large = app.open_here("/page", &cookie).await;
    large.send(&"x".repeat(70_000)).await;
    assert_eq!(large.closed().await.0, 1009);
    let mut garbage = app.open_here("/page", &cookie).await;
    // A text frame, masked, whose one byte is no UTF-8.
    garbage.stream.get_mut().write_all(&[0x81, 0x81, 0, 0, 0, 0, 0xff]).await.unwrap();
    assert_eq!(garbage.closed().await.0, 1007);
    let mut reserved = app.open_here("/page", &cookie).await;
    reserved.stream.get_mut().write_all(&[0xf3, 0x80, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(reserved.closed().await.0, 1002);
}

#[tokio::test]
async fn a_stop_closes_every_policys_sockets() {
    let app = App::start().await;
    let (cookie, header) = (app.log_in("page").await, app.log_in("program").await);
    let mut page = app.open_here("/page", &cookie).await;
    let mut program = app.open_here("/program", &header).await;
    let registry = app.registry.clone();
    let stop = tokio::spawn(async move { registry.close_watches(Duration::from_secs(3)).await });
    assert_eq!((page.closed().await.0, program.closed().await.0), (1001, 1001));
    drop((page, program));
    timeout(Duration::from_secs(1), stop).await.unwrap().unwrap();
}
