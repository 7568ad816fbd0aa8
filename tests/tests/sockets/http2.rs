//! Sockets over HTTP/2 (RFC 8441): the same handshake by another method, and the same endings.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderName, Request, Response, StatusCode, header::ORIGIN},
};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::{body::Incoming, client::conn::http2::SendRequest, ext::Protocol, upgrade::Upgraded};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::app::App;

/// A client with one connection.
async fn client(app: &App) -> SendRequest<Body> {
    let stream = TokioIo::new(TcpStream::connect(app.address).await.unwrap());
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn connect(
    sender: &mut SendRequest<Body>,
    app: &App,
    fields: &[(HeaderName, String)],
) -> Response<Incoming> {
    let mut request = Request::builder()
        .method("CONNECT")
        .uri(format!("{}/page", app.origin()))
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13");
    for (name, value) in fields {
        request = request.header(name, value);
    }
    sender.ready().await.unwrap();
    sender.send_request(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn socket(response: Response<Incoming>) -> WebSocketStream<TokioIo<Upgraded>> {
    let upgraded = hyper::upgrade::on(response).await.unwrap();
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await
}

#[tokio::test]
async fn a_socket_over_http_2_lives_as_long_as_its_session() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let mut sender = client(&app).await;
    let own: Vec<_> = cookie.iter().cloned().chain([(ORIGIN, app.origin())]).collect();
    let response = connect(&mut sender, &app, &own).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut socket = socket(response).await;
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    app.post("/page/revoke", &cookie).await;
    let closed = timeout(Duration::from_secs(1), socket.next()).await.unwrap().unwrap().unwrap();
    let Message::Close(Some(frame)) = closed else { panic!("closed with a word: {closed:?}") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4401, "SESSION_GONE"));
}

#[tokio::test]
async fn a_handshake_over_http_2_is_refused_for_the_same_reasons() {
    let app = App::start().await;
    let cookie = app.log_in("page").await;
    let mut sender = client(&app).await;
    app.store.take_counts();
    for origin in [None, Some("https://evil.example"), Some("null")] {
        let fields = origin.map(|origin| (ORIGIN, origin.to_owned()));
        let fields: Vec<_> = cookie.iter().cloned().chain(fields).collect();
        assert_eq!(connect(&mut sender, &app, &fields).await.status(), StatusCode::FORBIDDEN, "{origin:?}");
    }
    assert_eq!(app.store.take_counts().totals(), (0, 0));
    let stranger = [(ORIGIN, app.origin())];
    assert_eq!(connect(&mut sender, &app, &stranger).await.status(), StatusCode::UNAUTHORIZED);
}
