//! The servers of `examples/frameworks`, each walked through by one client: sessions don't care who calls them.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../../examples/frameworks/hyper.rs"]
mod hyper_alone;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../../examples/frameworks/poem.rs"]
mod poem_server;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../../examples/frameworks/tower.rs"]
mod tower_service;

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// One answer, as it came over the wire.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(other, value)| other.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// A client that keeps the one cookie that it was given.
struct Client {
    server: SocketAddr,
    cookie: Option<String>,
}

impl Client {
    async fn send(&mut self, request: &str, more: &str) -> Reply {
        let cookie = self.cookie.as_ref().map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
        let head = format!(
            "{request} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 0\r\n{cookie}{more}\r\n",
            self.server
        );
        let mut stream = TcpStream::connect(self.server).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = String::new();
        stream.read_to_string(&mut bytes).await.unwrap();
        let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let reply = Reply { status, head: head.to_owned(), body: body.to_owned() };
        if let Some(line) = reply.header("set-cookie") {
            let (pair, _) = line.split_once(';').unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        reply
    }

    async fn expect(&mut self, request: &str, status: u16, body: &str) -> Reply {
        let reply = self.send(request, "").await;
        assert_eq!((reply.status, reply.body.as_str()), (status, body), "{request}: {reply:?}");
        reply
    }
}

/// Everything that a session is there for, over a socket.
async fn walk(server: SocketAddr) {
    let mut client = Client { server, cookie: None };
    let refused = client.send("GET /me", "").await;
    assert_eq!(refused.status, 401, "{refused:?}");
    assert!(refused.body.contains("SESSION_REQUIRED"), "{refused:?}");
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));

    client.expect("POST /visits", 200, "1").await;
    let as_visitor = client.cookie.clone().unwrap();
    client.expect("POST /login", 200, "logged in").await;
    let logged_in = client.cookie.clone().unwrap();
    assert_ne!(as_visitor, logged_in, "a login changes the id");

    let me = client.expect("GET /me", 200, "ada").await;
    assert_eq!(me.header("vary"), Some("Cookie"));
    assert_eq!(me.header("cache-control"), Some("no-store"));
    assert_eq!(me.header("set-cookie"), None, "nothing has changed");
    client.expect("POST /visits", 200, "2").await;

    let forged = client.send("POST /visits", "sec-fetch-site: cross-site\r\n").await;
    assert_eq!(forged.status, 403, "{forged:?}");
    assert!(forged.body.contains("SESSION_CROSS_SITE"), "{forged:?}");
    let mut stale = Client { server, cookie: Some(as_visitor) };
    assert_eq!(stale.send("GET /me", "").await.status, 401, "the id from before the login is dead");

    let left = client.expect("POST /logout", 200, "logged out").await;
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"), "{left:?}");
    let mut thief = Client { server, cookie: Some(logged_in) };
    assert_eq!(thief.send("GET /me", "").await.status, 401, "the id is dead after the logout");
}

/// Serves an example on a free port, and walks through it.
async fn walk_through<E: Send + 'static>(serve: impl FnOnce(TcpListener) -> JoinHandle<Result<(), E>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let serving = serve(listener);
    walk(server).await;
    serving.abort();
}

#[tokio::test]
async fn plain_hyper_serves_sessions() {
    walk_through(|listener| tokio::spawn(hyper_alone::serve(listener))).await;
}

#[tokio::test]
async fn a_plain_tower_service_serves_sessions() {
    walk_through(|listener| tokio::spawn(tower_service::serve(listener))).await;
}

#[tokio::test]
async fn poem_serves_sessions() {
    walk_through(|listener| tokio::spawn(poem_server::serve(listener))).await;
}
