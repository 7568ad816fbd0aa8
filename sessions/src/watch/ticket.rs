//! Tickets: a credential for one socket, for pages that can't send the session's own.
//!
//! A ticket is a key in the session's own record, by its digest. It is taken by the compare-and-set that removes the key,
//! so that of any number of uses at once, on any store and any nodes, one succeeds.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sessions_policy::SocketCredential;

use super::{TICKET, is_ticket, state_of};
use crate::{
    engine::{SessionEngine, mutate::put},
    event::instant,
    fault::{Fault, SessionError},
    record::{Binding, Codec, Field, Record, Space},
    session::Session,
    store::{Loaded, Millis, SessionStore},
    token::{SecretTag, SessionId, Token},
    web::{RequestHead, cross_site::Page},
};

/// How long a ticket is good, in milliseconds (OWASP ASVS 5.0, 4.4.4).
const LIFE_MS: Millis = 30_000;
/// How many tickets of a session may be open: the oldest goes first.
const MOST: usize = 8;
/// The longest path, in bytes.
const AUDIENCE: usize = 256;

/// A ticket that opens one socket, once, within 30 seconds: made by [`Session::ticket`].
///
/// Like the session's id it can't be printed or compared.
pub struct SocketTicket {
    token: Token,
    until: Millis,
}

/// A ticket as the record keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    until: Millis,
    path: String,
    page: Page,
}

/// The session that something else than the policy's transport has opened.
pub(crate) struct Opened {
    pub(crate) id: SessionId,
    pub(crate) record: Arc<Record>,
}

impl SocketTicket {
    /// Shows the subprotocol to `write`, which puts it into a response: a page passes it to `WebSocket` beside
    /// `sessions.v1`, as in `new WebSocket(url, ["sessions.v1", ticket])`. Never put it into a URL, and keep no copy.
    pub fn expose<R>(&self, write: impl FnOnce(&str) -> R) -> R {
        let text = zeroize::Zeroizing::new(format!("{}{}", SocketTicket::PROTOCOL, *self.token.text()));
        write(&text)
    }

    /// What the subprotocol of a ticket begins with.
    pub(crate) const PROTOCOL: &'static str = "sessions.ticket.";

    /// Until when it is good.
    #[must_use]
    pub fn expires_at(&self) -> chrono::DateTime<chrono::Utc> {
        instant(self.until)
    }
}

impl fmt::Debug for SocketTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketTicket(…)")
    }
}

impl<P, G> Session<P, G> {
    /// Makes a ticket with which the page that asks opens one socket at a path, where the policy says
    /// `socket.credential = "ticket"`. It is good for 30 seconds, for this session, this path and pages of the request's
    /// `Origin` alone, and taken by its first use (OWASP ASVS 5.0, 4.4.3 and 4.4.4). A change of privilege makes it void, as
    /// it does the id. Where the request has no `Origin`, as one that only reads from its own site, the page is one of the host
    /// that was asked.
    ///
    /// It is written at once, with what is recorded so far.
    ///
    /// # Errors
    /// - [`Fault::Required`]: nothing is stored of the session.
    /// - [`Fault::PolicyViolation`]: the policy's `socket.credential` is another one.
    /// - [`Fault::Unusable`]: the path has more than 256 bytes; or the request tells no page: name it, with
    ///   [`ticket_for`](Self::ticket_for).
    /// - As for [`update`](Self::update).
    ///
    /// # Cancel safety
    /// Dropping the future leaves at most a ticket that no one has.
    pub async fn ticket(&self, path: &str) -> Result<SocketTicket, SessionError> {
        let page = self.state().lock().client.page.as_deref().cloned();
        self.ticket_of(path, page).await
    }

    /// The same for pages of an origin that is named, such as `https://app.example`: for a page that a program asks for, or of
    /// another site.
    ///
    /// # Errors
    /// As for [`ticket`](Self::ticket); [`Fault::Unusable`] also if it is no origin.
    ///
    /// # Cancel safety
    /// As for [`ticket`](Self::ticket).
    pub async fn ticket_for(&self, path: &str, origin: &str) -> Result<SocketTicket, SessionError> {
        self.ticket_of(path, Page::of_origin(origin)).await
    }

    async fn ticket_of(&self, path: &str, page: Option<Page>) -> Result<SocketTicket, SessionError> {
        if self.policy().socket().credential() != SocketCredential::Ticket {
            let detail = "the policy takes no tickets: write `socket = { credential = \"ticket\" }`";
            return Err(SessionError::new(Fault::PolicyViolation, detail));
        }
        if path.len() > AUDIENCE {
            return Err(SessionError::new(Fault::Unusable, "the path of a ticket has at most 256 bytes"));
        }
        let Some(page) = page else {
            let detail = "a ticket needs the origin of its page, as `https://app.example`: use `ticket_for`";
            return Err(SessionError::new(Fault::Unusable, detail));
        };
        // What is recorded may move the session, and a ticket is bound to its id.
        self.commit().await?;
        let state = self.state();
        let engine = &state.engine;
        let Some(id) = state.lock().id() else {
            return Err(SessionError::new(
                Fault::Required,
                "nothing is stored of the session that could be opened",
            ));
        };
        let token = Token::renew(&*engine.shared.entropy, id)?;
        let now = engine.shared.time.now();
        let until = now.saturating_add(LIFE_MS);
        let name = name_of(engine, &token);
        let add = |fields: &mut Vec<Field>, binding: Binding<'_>| {
            let is_over = |field: &Field| read(field, binding).is_none_or(|kept| kept.until <= now);
            fields.retain(|field| !is_ticket(field) || !is_over(field));
            while fields.iter().filter(|field| is_ticket(field)).count() >= MOST {
                let Some(oldest) = fields.iter().position(is_ticket) else { break };
                fields.remove(oldest);
            }
            let kept = Kept { until, path: path.to_owned(), page: page.clone() };
            let field = Field::of(Space::Own, &name, Codec::Json, &kept);
            let unwritable =
                |error| SessionError::new(Fault::Unusable, "a ticket can't be written").because(error);
            put(fields, field.map_err(unwritable)?);
            Ok(())
        };
        engine.update_state(state, add).await?;
        Ok(SocketTicket { token, until })
    }
}

impl SessionEngine {
    /// Takes a ticket: of all that come with it, one gets the session.
    ///
    /// # Errors
    /// - [`Fault::Required`]: it opens nothing: malformed, late, taken before, for another path or another page, or of a session
    ///   that is no more.
    /// - [`Fault::StoreUnavailable`]: the store can't tell. Perhaps the ticket is taken.
    pub(crate) async fn redeem(
        &self,
        text: &[u8],
        path: &str,
        head: RequestHead<'_>,
    ) -> Result<Opened, SessionError> {
        let token = Token::parse(text).ok_or_else(opens_nothing)?;
        let store = self.store().ok_or_else(opens_nothing)?;
        let now = self.shared.time.now();
        let Loaded::Live(stored) =
            store.load(token.id, now).await.map_err(|error| self.store_failed(error))?
        else {
            return Err(opens_nothing());
        };
        let record = Record::decode(&stored, &self.shared.name).ok_or_else(opens_nothing)?;
        if record.is_moving(now) || self.shared.lifetimes.over(&record, now).is_some() {
            return Err(opens_nothing());
        }
        let (name, state) = (name_of(self, &token), state_of(self, token.id, &record));
        let take = |fields: &mut Vec<Field>, binding: Binding<'_>| {
            let place =
                fields.iter().position(|field| field.is(Space::Own, &name)).ok_or_else(opens_nothing)?;
            let kept = read(&fields[place], binding).ok_or_else(opens_nothing)?;
            if kept.until <= now || kept.path != path || !kept.page.asks(head) {
                return Err(opens_nothing());
            }
            fields.remove(place);
            Ok(())
        };
        self.update_state(&state, take).await.map_err(|error| match error.fault() {
            Fault::Gone => opens_nothing(),
            _ => error,
        })?;
        let inner = state.lock();
        let record = inner.base.as_ref().map(|base| Arc::clone(&base.record)).ok_or_else(opens_nothing)?;
        Ok(Opened { id: token.id, record })
    }
}

/// The key under which a ticket is kept: a digest of its secret under a domain of its own, so that neither opens what the
/// other does.
fn name_of(engine: &SessionEngine, token: &Token) -> String {
    let tag = SecretTag::of(&format!("{}/socket ticket", engine.shared.name), None);
    format!("{TICKET}{}", URL_SAFE_NO_PAD.encode(token.secret.digest(&tag).short()))
}

fn read(field: &Field, binding: Binding<'_>) -> Option<Kept> {
    field.view().read(binding).ok()
}

/// The one answer to whoever comes with a ticket that is no good.
fn opens_nothing() -> SessionError {
    SessionError::new(Fault::Required, "the ticket opens nothing")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{MemoryStore, SessionPolicy, SessionPrincipal, SharedStore, testing::ManualClock};

    const SITE: &str = "https://shop.example";

    fn from(origin: &str) -> http::Request<()> {
        http::Request::get("/ws").header("host", "shop.example").header("origin", origin).body(()).unwrap()
    }

    async fn logged_in() -> (ManualClock, SessionEngine, Session) {
        let clock = ManualClock::default();
        let policy =
            SessionPolicy::for_web_users().socket_credential(SocketCredential::Ticket).build().unwrap();
        let store = SharedStore::new(MemoryStore::new(10));
        let engine = SessionEngine::builder(policy).store(store).clock(clock.shared()).build();
        let mut session = engine.resolve(&http::Request::new(())).await.unwrap();
        session.mark_authenticated(SessionPrincipal::user("ada"));
        (clock, engine, session)
    }

    fn text(ticket: &SocketTicket) -> String {
        ticket.expose(|text| text.strip_prefix(SocketTicket::PROTOCOL).unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_ticket_is_good_for_half_a_minute() {
        let (clock, engine, session) = logged_in().await;
        let (one, two) =
            (session.ticket_for("/ws", SITE).await.unwrap(), session.ticket_for("/ws", SITE).await.unwrap());
        clock.advance(Duration::from_millis(29_999));
        engine.redeem(text(&one).as_bytes(), "/ws", (&from(SITE)).into()).await.unwrap();
        clock.advance(Duration::from_millis(1));
        let late = engine.redeem(text(&two).as_bytes(), "/ws", (&from(SITE)).into()).await;
        assert_eq!(late.err().unwrap().fault(), Fault::Required);
    }

    #[tokio::test]
    async fn a_ticket_is_made_out_to_the_page_that_asks() {
        let (_, engine, session) = logged_in().await;
        session.commit().await.unwrap();
        let asked = |fields: &[(&str, &str)]| {
            let fields = fields
                .iter()
                .fold(http::Request::get("/"), |request, (name, value)| request.header(*name, *value));
            engine.client((&fields.body(()).unwrap()).into()).page.map(|page| *page)
        };
        let host = ("host", "shop.example:8443");
        for (fields, own, foreign) in [
            (
                &[host, ("origin", "https://app.example")][..],
                "https://APP.example:443",
                "https://shop.example:8443",
            ),
            (&[host], "https://shop.example:8443", "https://shop.example"),
        ] {
            let page = asked(fields);
            let ticket = session.ticket_of("/ws", page).await.unwrap();
            let other = engine.redeem(text(&ticket).as_bytes(), "/ws", (&from(foreign)).into()).await;
            assert_eq!(other.err().unwrap().fault(), Fault::Required, "{foreign}");
            engine.redeem(text(&ticket).as_bytes(), "/ws", (&from(own)).into()).await.unwrap();
        }
        for none in [&[][..], &[("origin", "null")], &[("origin", SITE), ("origin", SITE)]] {
            assert_eq!(asked(none), None);
        }
        assert_eq!(
            session.ticket("/ws").await.err().unwrap().fault(),
            Fault::Unusable,
            "it came from nowhere"
        );
        assert_eq!(session.ticket_for("/ws", "shop.example").await.err().unwrap().fault(), Fault::Unusable);
    }

    #[tokio::test]
    async fn a_change_of_privilege_makes_tickets_void() {
        let (_, engine, mut session) = logged_in().await;
        let ticket = session.ticket_for("/ws", SITE).await.unwrap();
        session.rotate();
        session.commit().await.unwrap();
        let void = engine.redeem(text(&ticket).as_bytes(), "/ws", (&from(SITE)).into()).await;
        assert_eq!(void.err().unwrap().fault(), Fault::Required);
    }

    #[tokio::test]
    async fn tickets_that_no_one_used_are_no_burden() {
        let (clock, _, session) = logged_in().await;
        for _ in 0..40 {
            let _ = session.ticket_for("/ws", SITE).await.unwrap();
            clock.advance(Duration::from_secs(1));
        }
        let kept = |session: &Session| {
            session.state().lock().fields().iter().filter(|field| is_ticket(field)).count()
        };
        assert_eq!(kept(&session), MOST);
        clock.advance(Duration::from_secs(31));
        let _ = session.ticket_for("/ws", SITE).await.unwrap();
        assert_eq!(kept(&session), 1);
        assert_eq!(session.keys(), Vec::<String>::new(), "no key of the application's");
    }

    #[tokio::test]
    async fn a_ticket_shows_nothing_and_takes_a_short_path() {
        let (_, _, session) = logged_in().await;
        let ticket = session.ticket_for("/ws", SITE).await.unwrap();
        assert_eq!(format!("{ticket:?}"), "SocketTicket(…)");
        let refused = session.ticket_for(&"/".repeat(257), SITE).await;
        assert_eq!(refused.err().unwrap().fault(), Fault::Unusable);
    }
}
