//! What operators hear of a socket: that it was opened, and once that it is closed, whatever closed it.

use axum::extract::ws::CloseFrame;

use crate::{
    event::EventKind,
    watch::{SessionEnding, SessionWatch},
};

/// What closed a socket.
#[derive(Clone, Copy, Debug)]
pub(super) enum Closed {
    /// The session's end.
    Session(SessionEnding),
    /// The handler, which closed it or returned.
    Handler,
    /// The client, which closed it.
    Client,
    /// The client, which broke the protocol.
    Protocol,
    /// The connection, or what served it: neither side said a word.
    Broken,
}

impl Closed {
    const fn word(self) -> &'static str {
        match self {
            Self::Session(ending) => ending.word(),
            Self::Handler => "handler",
            Self::Client => "client",
            Self::Protocol => "protocol",
            Self::Broken => "broken",
        }
    }
}

/// An open socket. Dropping it tells that it is closed.
pub(super) struct Told {
    watch: SessionWatch,
    closed: Closed,
    code: Option<u16>,
}

impl Told {
    /// Tells that a socket was opened.
    pub(super) fn opened(watch: &SessionWatch) -> Self {
        watch.engine().shared.meter.socket_opened();
        watch.tell(EventKind::SocketOpened, |_| {});
        // What is dropped without another word was cut off.
        Self { watch: watch.clone(), closed: Closed::Broken, code: None }
    }

    /// What it is closed by, and with.
    pub(super) fn closes(&mut self, closed: Closed, last: Option<&CloseFrame>) {
        self.closed = closed;
        self.code = last.map(|frame| frame.code);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let word = self.closed.word();
        self.watch.engine().shared.meter.socket_closed(word);
        self.watch.tell(EventKind::SocketClosed, |event| {
            event.reason = Some(word);
            event.close_code = self.code;
        });
    }
}
