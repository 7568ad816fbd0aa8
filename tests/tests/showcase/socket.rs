//! A page's socket: a real WebSocket client with the cookies of a browser.

use std::{
    io::ErrorKind,
    net::TcpStream,
    time::{Duration, Instant},
};

use tokio_tungstenite::tungstenite::{
    self, Error, Message, WebSocket,
    client::IntoClientRequest as _,
    handshake::{HandshakeError, client::Response},
};

use crate::client::{Browser, connect};

/// How late an ending may be known by the clock of a machine that does other things.
const SLACK: Duration = Duration::from_millis(400);

/// An open socket.
pub(crate) struct Socket(WebSocket<TcpStream>);

/// How a socket was closed.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) after: Duration,
}

impl Closed {
    /// Closed because the session is over, within a second.
    #[track_caller]
    pub(crate) fn expect(&self, code: u16, reason: &str) -> &Self {
        assert_eq!((self.code, self.reason.as_str()), (code, reason), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn within(&self, limit: Duration) -> &Self {
        assert!(self.after < limit + SLACK, "{self:?}");
        self
    }
}

/// Opens a socket as a page of the site does.
pub(crate) fn open(browser: &Browser) -> Socket {
    match handshake(browser, &[("Origin", &format!("http://{}", browser.address))]) {
        Ok((socket, response)) => {
            assert_eq!(response.status(), 101);
            assert!(response.headers().get("set-cookie").is_none(), "{response:?}");
            Socket(socket)
        }
        Err(refused) => unreachable!("the socket opens: {refused:?}"),
    }
}

/// A refused handshake: its status and the code of its problem document.
pub(crate) fn refused(browser: &Browser, fields: &[(&str, &str)]) -> (u16, String) {
    match handshake(browser, fields) {
        Ok(_) => unreachable!("the handshake is refused"),
        Err(response) => {
            let body = response.body().clone().unwrap_or_default();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            (response.status().as_u16(), problem["code"].as_str().unwrap_or_default().to_owned())
        }
    }
}

type Opened = (WebSocket<TcpStream>, Response);

fn handshake(browser: &Browser, fields: &[(&str, &str)]) -> Result<Opened, Box<Response>> {
    let mut request = format!("ws://{}/ws", browser.address).into_client_request().expect("a request");
    let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers = request.headers_mut();
    if !cookies.is_empty() {
        headers.insert("cookie", cookies.join("; ").parse().expect("a header value"));
    }
    for (name, value) in fields {
        let name = http::HeaderName::try_from(*name).expect("a header name");
        headers.append(name, value.parse().expect("a header value"));
    }
    match tungstenite::client(request, connect(browser.address)) {
        Ok(opened) => Ok(opened),
        Err(HandshakeError::Failure(Error::Http(response))) => Err(response),
        Err(other) => unreachable!("{other}"),
    }
}

impl Socket {
    /// Sends a text and gives the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, text: &str) -> String {
        self.send(text);
        match self.0.read() {
            Ok(Message::Text(answer)) => answer.to_string(),
            other => unreachable!("an answer to `{text}`: {other:?}"),
        }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("the message is sent");
    }

    /// Whether it stays open for so long.
    pub(crate) fn stays_open(&mut self, time: Duration) -> bool {
        self.0.get_ref().set_read_timeout(Some(time)).expect("a time limit");
        let read = self.0.read();
        self.0.get_ref().set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        matches!(read, Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// Waits until the server closes it, and answers as a browser does.
    #[track_caller]
    pub(crate) fn closed(mut self) -> Closed {
        let began = Instant::now();
        loop {
            match self.0.read() {
                Ok(Message::Close(Some(frame))) => {
                    let after = began.elapsed();
                    let _ = self.0.flush();
                    return Closed { code: frame.code.into(), reason: frame.reason.to_string(), after };
                }
                Ok(Message::Close(None)) => unreachable!("a close frame says why"),
                Ok(_) => {}
                Err(error) => unreachable!("it is closed with a word: {error}, after {:?}", began.elapsed()),
            }
        }
    }
}
