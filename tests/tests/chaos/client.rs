//! Requests to the nodes over HTTP, each on a connection that its client keeps. None is ever sent twice.

use std::time::Duration;

use sessions_tests::chaos::Answer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Longer than a node or a store stands still.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a node answered.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) cookies: Vec<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) answer: Answer,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Nothing was sent.
    Unsent,
    /// It may have been received.
    Lost,
}

/// The connection of one client to one node.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    stream: Option<(u16, TcpStream)>,
}

impl Connection {
    /// Sends a request to the node on this port and waits for its answer.
    pub(crate) async fn ask(
        &mut self,
        port: u16,
        (method, path): (&str, &str),
        cookie: Option<&str>,
    ) -> Result<Response, NoAnswer> {
        let mut stream = match self.stream.take() {
            Some((old, stream)) if old == port => stream,
            _ => {
                let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|_| NoAnswer::Unsent)?;
                let _ = stream.set_nodelay(true);
                stream
            }
        };
        let cookie = cookie.map_or_else(String::new, |pair| format!("Cookie: {pair}\r\n"));
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n{cookie}\r\n");
        let asked = async {
            stream.write_all(request.as_bytes()).await.ok()?;
            read(&mut stream).await
        };
        let response = timeout(PATIENCE, asked).await.ok().flatten().ok_or(NoAnswer::Lost)?;
        self.stream = Some((port, stream));
        Ok(response)
    }
}

/// Reads one answer; nothing if the connection ends before it is whole.
async fn read(stream: &mut TcpStream) -> Option<Response> {
    let mut bytes = Vec::with_capacity(1024);
    let body = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, &mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..body]).into_owned();
    let field = |name: &str| {
        let fields = head.lines().filter_map(|line| line.split_once(": "));
        let named = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
    };
    let length: usize = field("content-length").first()?.parse().ok()?;
    while bytes.len() < body + length {
        more(stream, &mut bytes).await?;
    }
    Some(Response {
        status: head.split(' ').nth(1)?.parse().ok()?,
        cookies: field("set-cookie"),
        retry_after: field("retry-after").pop(),
        answer: serde_json::from_slice(&bytes[body..]).unwrap_or_default(),
    })
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(bytes).await.ok()?;
    (read > 0).then_some(())
}
