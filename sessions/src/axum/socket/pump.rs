//! Serves a socket. The pump alone holds it and the handler has the ends of two channels, so that the socket is closed with a
//! word when the session ends: also while the handler is busy, or the client doesn't read.

use std::{fmt, pin::pin, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::timeout,
};
use tungstenite::error::ProtocolError;

use super::told::{Closed, Told};
use crate::watch::{SessionEnding, SessionWatch};

/// How long the close handshake may take, and the handler to come to its end.
const FAREWELL: Duration = Duration::from_secs(2);
/// How many messages of the handler wait for the socket.
const OUTBOUND: usize = 16;

/// A WebSocket that lives as long as its session: made by [`WebSocketTransport`](super::WebSocketTransport).
///
/// Pings are answered for as long as messages are received.
#[derive(Debug)]
pub struct SessionSocket {
    watch: SessionWatch,
    inbound: Receiver<Message>,
    outbound: Sender<Message>,
}

/// A message could not be sent: the session has ended, or the client has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketClosed(Option<SessionEnding>);

impl SocketClosed {
    /// Why the session has ended, if that closed the socket.
    pub fn ending(self) -> Option<SessionEnding> {
        self.0
    }
}

impl fmt::Display for SocketClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ending) => write!(f, "the socket is closed: {ending}"),
            None => f.write_str("the socket is closed"),
        }
    }
}

impl std::error::Error for SocketClosed {}

impl SessionSocket {
    /// The next message of the client, text or binary; `None` once the session has ended or the client has gone.
    ///
    /// # Cancel safety
    /// No message is lost by dropping the future.
    pub async fn recv(&mut self) -> Option<Message> {
        let message = self.inbound.recv().await;
        // What came before the signal isn't handled after it.
        message.filter(|_| self.watch.ending().is_none())
    }

    /// Sends a message. It waits where the client reads slowly.
    ///
    /// # Errors
    /// [`SocketClosed`]: it will not arrive. That it will is not certain otherwise: the client may go at any time.
    ///
    /// # Cancel safety
    /// The message is sent or not.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SocketClosed> {
        let closed = || SocketClosed(self.watch.ending());
        if self.watch.ending().is_some() {
            return Err(closed());
        }
        self.outbound.send(message.into()).await.map_err(|_| closed())
    }

    /// Closes the socket by the handler's own decision. The session lives on.
    pub async fn close(self, code: u16, reason: &str) {
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = self.outbound.send(Message::Close(Some(frame))).await;
    }

    /// The session.
    pub fn watch(&self) -> &SessionWatch {
        &self.watch
    }
}

/// What the client sent.
enum Incoming {
    /// Text or binary, which the handler has got.
    Message,
    /// It closes.
    Closed,
    /// The connection has ended without a word.
    Gone,
    /// It broke the protocol: the code that says how.
    Broken(u16),
}

pub(super) async fn run<C, F>(mut socket: WebSocket, watch: SessionWatch, serve: C)
where
    C: FnOnce(SessionSocket) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (to_handler, inbound) = channel(1);
    let (outbound, mut from_handler) = channel(OUTBOUND);
    let mut serving = pin!(serve(SessionSocket { watch: watch.clone(), inbound, outbound }));
    let (mut is_served, mut ended) = (false, pin!(watch.ended()));
    let mut told = Told::opened(&watch);
    let (closed, last) = loop {
        tokio::select! {
            biased;
            ending = &mut ended => break (Closed::Session(ending), Some(frame_of(ending, &watch))),
            () = &mut serving, if !is_served => is_served = true,
            message = from_handler.recv() => {
                let message = match message {
                    Some(Message::Close(frame)) => break (Closed::Handler, frame.or_else(|| Some(normal()))),
                    Some(message) => message,
                    // The handler has let go of the socket.
                    None => break (Closed::Handler, Some(normal())),
                };
                tokio::select! {
                    biased;
                    ending = &mut ended => break (Closed::Session(ending), Some(frame_of(ending, &watch))),
                    sent = socket.send(message) => if sent.is_err() { break (Closed::Broken, None) },
                }
            }
            incoming = receive(&mut socket, &to_handler) => match incoming {
                Incoming::Message => watch.note_activity(),
                Incoming::Closed => break (Closed::Client, None),
                Incoming::Gone => break (Closed::Broken, None),
                Incoming::Broken(code) => {
                    break (Closed::Protocol, Some(CloseFrame { code, reason: "".into() }));
                }
            },
        }
    };
    told.closes(closed, last.as_ref());
    drop((to_handler, from_handler));
    let handler = async {
        if !is_served {
            serving.await;
        }
    };
    // Whoever takes longer is dropped.
    let _ = timeout(FAREWELL, async { tokio::join!(say_goodbye(socket, last), handler) }).await;
    drop(told);
}

/// Hands the next message to the handler, when it has room for one.
async fn receive(socket: &mut WebSocket, to_handler: &Sender<Message>) -> Incoming {
    // A handler that receives no more is told nothing; pings are answered still.
    let room = to_handler.reserve().await.ok();
    loop {
        match socket.recv().await {
            Some(Ok(Message::Close(_))) => return Incoming::Closed,
            None => return Incoming::Gone,
            Some(Err(error)) => return code_of(error).map_or(Incoming::Gone, Incoming::Broken),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(message)) => {
                if let Some(room) = room {
                    room.send(message);
                }
                return Incoming::Message;
            }
        }
    }
}

/// Closes the socket, and waits for the client to do so as well.
async fn say_goodbye(mut socket: WebSocket, last: Option<CloseFrame>) {
    if let Some(frame) = last
        && socket.send(Message::Close(Some(frame))).await.is_err()
    {
        return;
    }
    while let Some(Ok(_)) = socket.recv().await {}
}

fn frame_of(ending: SessionEnding, watch: &SessionWatch) -> CloseFrame {
    let code = ending.close_code(watch.policy().socket().close_codes());
    CloseFrame { code, reason: ending.reason().into() }
}

fn normal() -> CloseFrame {
    CloseFrame { code: 1000, reason: "".into() }
}

/// The code for what a client did wrong (RFC 6455 7.4.1); `None` where the connection is gone.
fn code_of(error: axum::Error) -> Option<u16> {
    let error = error.into_inner();
    match error.downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some(1009),
        tungstenite::Error::Utf8(_) => Some(1007),
        // The connection has ended without a word.
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some(1002),
        _ => None,
    }
}
