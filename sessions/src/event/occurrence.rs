//! One event: what it says, and how it reads as JSON.

use std::{fmt, net::IpAddr, sync::Arc};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::{
    EventKind, RequestId,
    source::{About, Source},
};
use crate::{
    SessionPrincipal,
    fault::{Fault, Severity},
    record::Record,
    store::Millis,
    token::Handle,
};

/// One thing that happened. It names the session by its handle, never by its id.
///
/// As JSON it has the fields `id`, `event`, `time` (RFC 3339, UTC, milliseconds), `severity` and `node`, and, where there
/// is something to say, `policy`, `handle`, `principal` (`kind` and `id`), `by` (the same of an operator), `reason`, `fault`,
/// `detail`, `close_code`, `count` (left out if it is 1), `request` and `peer`.
#[derive(Clone)]
#[non_exhaustive]
pub struct SessionEvent {
    /// What happened.
    pub kind: EventKind,
    /// When, in milliseconds since the Unix epoch.
    pub at: Millis,
    /// Under which policy; empty where it is about none.
    pub policy: Arc<str>,
    /// To which session, where there is one.
    pub handle: Option<Handle>,
    /// The kind of its principal, such as `user`.
    pub principal_kind: Option<String>,
    /// The id of its principal, as [`EventPrincipals`](super::EventPrincipals) lets it be told.
    pub principal_id: Option<String>,
    /// The kind of the operator who did it, where it was one: see [`SessionEngine::as_operator`](crate::SessionEngine::as_operator).
    pub by_kind: Option<String>,
    /// The id of that operator, told as a principal's.
    pub by_id: Option<String>,
    /// Why, as one of the stable words of [`EventKind::reasons`].
    pub reason: Option<&'static str>,
    /// The fault that it is about.
    pub fault: Option<Fault>,
    /// More, in words, without ids or values.
    pub detail: Option<&'static str>,
    /// The code that a socket was closed with, where it was closed with one (RFC 6455 7.4).
    pub close_code: Option<u16>,
    /// How many sessions, keys or events it is about.
    pub count: u64,
    /// The request that it happened in, where that has a name.
    pub request: Option<RequestId>,
    /// Where that request came from, as the server tells it in [`Peer`](crate::Peer); where that is one of the policy's
    /// `trusted_proxies`, whom it speaks for.
    pub peer: Option<IpAddr>,
    /// Its place among the events of its process: one that is missing was dropped.
    pub sequence: u64,
    source: Arc<Source>,
}

impl SessionEvent {
    pub(super) fn new(kind: EventKind, policy: Arc<str>, at: Millis, source: Arc<Source>) -> Self {
        Self {
            kind,
            at,
            policy,
            handle: None,
            principal_kind: None,
            principal_id: None,
            by_kind: None,
            by_id: None,
            reason: None,
            fault: None,
            detail: None,
            close_code: None,
            count: 1,
            request: None,
            peer: None,
            sequence: 0,
            source,
        }
    }

    /// It happened in this request.
    pub(crate) fn within(&mut self, about: Option<&About>) {
        if let Some(about) = about {
            self.request.clone_from(&about.request);
            self.peer = self.source.peer(about.peer);
            if let Some((kind, id)) = &about.by {
                self.by_id = self.source.principal(kind, id);
                self.by_kind = Some(kind.clone());
            }
        }
    }

    /// It is about this session and its principal.
    pub(crate) fn of(&mut self, record: &Record) {
        self.handle = Some(record.handle);
        if let Some((kind, id)) = record.principal().and_then(SessionPrincipal::name_of) {
            self.of_name(kind, id);
        }
    }

    /// It is about this principal.
    pub(crate) fn of_principal(&mut self, principal: &SessionPrincipal) {
        self.of_name(principal.kind(), principal.id());
    }

    fn of_name(&mut self, kind: &str, id: &str) {
        self.principal_kind = Some(kind.to_owned());
        self.principal_id = self.source.principal(kind, id);
    }

    /// Names the event: no other has the same, in whatever process. Who gets an event twice knows it by that.
    pub fn id(&self) -> String {
        format!("{}-{}", self.source.run(), self.sequence)
    }

    /// The event as an outbox keeps it: under an id of its own, which is not in the line of those that listeners get.
    pub(super) fn to_note(&self, number: u64, of_one: &str) -> String {
        let id = format!("{}-o{number}{of_one}", self.source.run());
        serde_json::to_string(&self.told(id)).expect("an event has no map, and no number that JSON lacks")
    }

    /// The node that it comes from: see [`RegistryBuilder::node`](crate::RegistryBuilder::node).
    pub fn node(&self) -> &str {
        self.source.node()
    }

    /// How bad it is for the operator: as bad as its kind or its fault is.
    pub fn severity(&self) -> Severity {
        let kind = self.kind.severity();
        self.fault.map_or(kind, |fault| kind.max(fault.severity()))
    }

    /// When it happened.
    pub fn timestamp(&self) -> DateTime<Utc> {
        instant(self.at)
    }

    /// The event as one line of JSON, without the line's end.
    ///
    /// # Panics
    /// Never: an event has no map, and no number that JSON lacks.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an event has no map, and no number that JSON lacks")
    }
}

/// An instant of the public API.
pub(crate) fn instant(at: Millis) -> DateTime<Utc> {
    i64::try_from(at).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl fmt::Debug for SessionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionEvent({:?} {})", self.kind, self.to_json())
    }
}

/// An event as JSON has it.
#[derive(Serialize)]
struct Told<'a> {
    id: String,
    event: &'static str,
    time: String,
    severity: &'static str,
    node: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<Handle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Principal<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Principal<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<IpAddr>,
}

#[derive(Serialize)]
struct Principal<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl SessionEvent {
    fn told(&self, id: String) -> Told<'_> {
        let principal = |kind| Principal { kind, id: self.principal_id.as_deref() };
        let by = |kind| Principal { kind, id: self.by_id.as_deref() };
        Told {
            id,
            event: self.kind.name(),
            time: self.timestamp().to_rfc3339_opts(SecondsFormat::Millis, true),
            severity: self.severity().name(),
            node: self.node(),
            policy: &self.policy,
            handle: self.handle,
            principal: self.principal_kind.as_deref().map(principal),
            by: self.by_kind.as_deref().map(by),
            reason: self.reason,
            fault: self.fault.map(Fault::code),
            detail: self.detail,
            close_code: self.close_code,
            count: (self.count != 1).then_some(self.count),
            request: self.request.as_ref().map(RequestId::as_str),
            peer: self.peer,
        }
    }
}

impl Serialize for SessionEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.told(self.id()).serialize(serializer)
    }
}
