//! One event as a consumer reads it: what [`SessionEvent`](crate::SessionEvent) was when it was written.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::event::EventKind;

/// An event that a consumer of an [`Outbox`](super::Outbox) was given.
///
/// Another node has written it, perhaps of another version: what is not known here stands in [`json`](Self::json).
#[derive(Clone, Default, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct OutboxEvent {
    /// Names the event: who is given one twice knows it by that. No event outside of an outbox has the same.
    pub id: String,
    /// What happened: [`EventKind::name`].
    pub event: String,
    /// When, by the clock of the node that wrote it.
    pub time: Option<DateTime<Utc>>,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// The node that wrote it.
    pub node: String,
    /// Under which policy.
    pub policy: String,
    /// To which session: its handle, which is no credential.
    pub handle: Option<String>,
    /// Its principal, as [`EventPrincipals`](crate::event::EventPrincipals) let it be told.
    pub principal: Option<OutboxPrincipal>,
    /// Why, as one of the stable words of [`EventKind::reasons`].
    pub reason: Option<String>,
    /// The request that it happened in, where that has a name.
    pub request: Option<String>,
    #[serde(skip)]
    json: String,
}

/// The principal of an [`OutboxEvent`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct OutboxPrincipal {
    /// Its kind, such as `user`.
    pub kind: String,
    /// Its id or its pseudonym, where it is told.
    pub id: Option<String>,
}

impl OutboxEvent {
    /// Reads what was written. What can't be read has nothing but its text.
    pub(crate) fn read(json: String) -> Self {
        let mut event: Self = serde_json::from_str(&json).unwrap_or_default();
        event.json = json;
        event
    }

    /// What happened; `None` for a kind that this version does not know.
    pub fn kind(&self) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.name() == self.event)
    }

    /// The event as it was written: one line of JSON.
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl fmt::Debug for OutboxEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutboxEvent({})", self.json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_newer_version_is_given_as_it_is() {
        let json =
            r#"{"id":"r-o1","event":"session_teleported","to":[1],"principal":{"kind":"user","born":1}}"#;
        let event = OutboxEvent::read(json.to_owned());
        assert_eq!((event.id.as_str(), event.kind(), event.json()), ("r-o1", None, json));
        assert_eq!(event.principal.unwrap().kind, "user");
        assert_eq!(OutboxEvent::read("nonsense".to_owned()).json(), "nonsense");
    }
}
