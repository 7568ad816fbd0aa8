//! What proves a session in `Sec-WebSocket-Protocol`: the one field that a page's script can fill.

use http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL, request::Parts};

use crate::{
    engine::{SessionEngine, validate::Verdict},
    event::EventKind,
    fault::{Fault, SessionError},
    token::Token,
    watch::{Opened, SocketTicket},
    web::RequestHead,
};

/// What the subprotocol of a session's id begins with.
pub(super) const ID: &str = "sessions.id.";

/// What a handshake offers of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Offered<'a> {
    Nothing,
    One(&'a [u8]),
    /// Of several none can be preferred.
    Several,
}

impl<'a> Offered<'a> {
    pub(super) fn of(parts: &'a Parts, prefix: &str) -> Self {
        let lines = parts.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().map(HeaderValue::as_bytes);
        let protocols = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        let mut offered = protocols.filter_map(|protocol| protocol.strip_prefix(prefix.as_bytes()));
        match (offered.next(), offered.next()) {
            (None, _) => Self::Nothing,
            (Some(text), None) => Self::One(text),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// Whether a subprotocol proves a session: it is never sent back.
pub(super) fn is_one(protocol: &str) -> bool {
    protocol.starts_with(ID) || protocol.starts_with(SocketTicket::PROTOCOL)
}

impl SessionEngine {
    /// Opens a session by the id that a handshake offers. Time changes no id here: the client could not be told.
    pub(super) async fn open_offered(
        &self,
        head: RequestHead<'_>,
        offered: Offered<'_>,
    ) -> Result<Opened, SessionError> {
        let opens_nothing = || SessionError::new(Fault::Required, "log in first");
        let tell = |kind| self.event(kind, |event| event.fault = Some(Fault::Invalid));
        let text = match offered {
            Offered::Nothing => return Err(opens_nothing()),
            Offered::Several => {
                tell(EventKind::Duplicate);
                return Err(opens_nothing());
            }
            Offered::One(text) => text,
        };
        let Some(token) = Token::parse(text) else {
            tell(EventKind::Malformed);
            return Err(opens_nothing());
        };
        match self.look(&token, &self.client(head)).await? {
            Verdict::Live { record, .. } => Ok(Opened { id: token.id, record }),
            Verdict::Reused(record) => {
                self.revoke_lineage(&token, &record, self.shared.time.now()).await?;
                Err(opens_nothing())
            }
            Verdict::Superseded | Verdict::Dead => Err(opens_nothing()),
        }
    }
}
