//! Phase 3: is the stored session this client's, and is it still alive?
//!
//! Judged on every load from the record itself, never left to a sweeper, a cookie's life or a key's expiry.

use std::sync::Arc;

use super::{SessionEngine, lifetimes::Over};
use crate::{
    event::{EventKind, SessionEvent},
    fault::{Fault, SessionError},
    observe::{self, enter},
    record::{Record, Retirement},
    session::state::Client,
    store::{End, EndReason, EndTarget, Millis, SessionStore, SharedStore},
    token::{Digest, Owner, Token},
    watch::SessionEnding,
};

/// How a secret relates to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the current one.
    Current,
    /// It is the one before, within its grace, or its successor never reached anyone.
    Previous,
    /// A change of privilege took it out of use.
    Superseded,
    /// Time took it out of use, and its successor has been used: a sign of theft.
    Reused,
    /// It was never issued for this session, or so long ago that no one remembers.
    Unknown,
}

pub(super) fn standing(record: &Record, digest: &Digest, now: Millis) -> Standing {
    if record.digest.matches(digest) {
        return Standing::Current;
    }
    if let Some(previous) = &record.previous
        && previous.digest.matches(digest)
    {
        return if record.no_earlier(now) < previous.until || !previous.successor_used {
            Standing::Previous
        } else {
            Standing::Reused
        };
    }
    match record.retirement(digest) {
        Some(Retirement::Privilege) => Standing::Superseded,
        Some(Retirement::Periodic) => Standing::Reused,
        None => Standing::Unknown,
    }
}

/// What the stored record says of the presented token.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It opens the session; `by_previous` if its secret is the one before the current one.
    Live { record: Arc<Record>, digest: Digest, by_previous: bool },
    /// A change of privilege moved the session on, or moves it just now.
    Superseded,
    /// It opens nothing: expired, another client's, or never issued.
    Dead,
    /// It came back after its successor was used: the lineage has to end.
    Reused(Arc<Record>),
}

impl SessionEngine {
    pub(super) fn validate(
        &self,
        record: Arc<Record>,
        digest: Digest,
        client: &Client,
        now: Millis,
    ) -> Verdict {
        enter!("session.validate", self);
        observe::handle(record.handle);
        let tell = |kind: EventKind, fault: Fault, reason: Option<&'static str>| {
            self.event(kind, |event| {
                event.of(&record);
                event.fault = Some(fault);
                event.reason = reason;
            });
        };
        let by_previous = match standing(&record, &digest, now) {
            Standing::Current => false,
            Standing::Previous => true,
            Standing::Superseded => {
                tell(EventKind::Superseded, Fault::Required, Some("rotated"));
                return Verdict::Superseded;
            }
            Standing::Reused => return Verdict::Reused(record),
            Standing::Unknown => {
                tell(EventKind::Unknown, Fault::ForgeryAttempt, Some("secret"));
                return Verdict::Dead;
            }
        };
        if record.is_moving(now) {
            tell(EventKind::Superseded, Fault::Required, Some("moving"));
            return Verdict::Superseded;
        }
        if let Some(over) = self.shared.lifetimes.over(&record, now) {
            match over {
                Over::Idle => tell(EventKind::IdleTimeout, Fault::IdleTimeout, None),
                Over::Absolute => tell(EventKind::AbsoluteTimeout, Fault::AbsoluteTimeout, None),
                Over::Expired => tell(EventKind::Expired, Fault::Expired, Some("ttl")),
            }
            return Verdict::Dead;
        }
        if self.shared.policy.fingerprint_binding() && record.fingerprint != client.fingerprint {
            tell(EventKind::FingerprintMismatch, Fault::FingerprintMismatch, None);
            return Verdict::Dead;
        }
        self.event(EventKind::Loaded, |event| event.of(&record));
        Verdict::Live { record, digest, by_previous }
    }

    /// An id that time had taken out of use came back after its successor was used: whoever has it, the session ends.
    pub(crate) async fn revoke_lineage(
        &self,
        token: &Token,
        record: &Record,
        now: Millis,
    ) -> Result<(), SessionError> {
        let Some(store) = &self.shared.store else { return Ok(()) };
        let end = End {
            target: EndTarget::Session { id: token.id, owner: self.owner_of(record) },
            reason: EndReason::Reuse,
            now,
            stamp: self.shared.time.stamp(),
        };
        let reused = |event: &mut SessionEvent| {
            event.of(record);
            event.fault = Some(Fault::HijackAttempt);
        };
        let notes = self.notes(|notes| notes.event(EventKind::Reused, reused));
        store.end_soon(end, notes).await.map_err(|error| self.store_failed(error))?;
        self.shared.hub.end(&[token.id], SessionEnding::Reused);
        tracing::warn!(policy = &*self.shared.name, handle = %record.handle, "a superseded session id was used: the session is revoked");
        self.event(EventKind::Reused, reused);
        Ok(())
    }

    /// Whose index a record is in, for a store that has to be told with each write.
    pub(crate) fn owner_for(&self, store: &SharedStore, record: &Record) -> Option<Owner> {
        if store.remembers_owners() { None } else { self.owner_of(record) }
    }

    /// Whose index a record is in.
    pub(crate) fn owner_of(&self, record: &Record) -> Option<Owner> {
        let (kind, id) = crate::SessionPrincipal::name_of(record.principal()?)?;
        Some(self.owner_named(kind, id))
    }
}
