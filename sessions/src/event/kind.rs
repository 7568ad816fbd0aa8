//! The table of events: stable name, severity, whether it is everyday traffic, and the reasons that it may give.

use std::fmt;

use crate::fault::Severity;

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $severity:ident, $traffic:ident, [$($reason:literal),*];)*) => {
        /// A kind of event, with a stable name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The stable name, such as `session_created`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// How bad it is for the operator, if its fault is not worse.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)* }
            }

            /// Whether it comes with every request of a healthy service: it is seldom worth a line of a log.
            pub const fn is_routine(self) -> bool {
                match self { $(Self::$kind => matches!(Traffic::$traffic, Traffic::Routine),)* }
            }

            /// The stable words that [`SessionEvent::reason`](crate::SessionEvent::reason) may have.
            pub const fn reasons(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($reason),*],)* }
            }

            /// What it says, in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$kind => concat!($($doc),+).trim_ascii(),)* }
            }
        }
    };
}

enum Traffic {
    Routine,
    Notable,
}

events! {
    /// A record was created.
    Created = "session_created", Info, Notable, ["data", "login"];
    /// A stored session was read for a request.
    Loaded = "session_loaded", Info, Routine, [];
    /// Changes were written.
    Committed = "session_committed", Info, Routine, [];
    /// A use was noted: its idle time, and its `ttl` where it slides, begin anew.
    Refreshed = "session_refreshed", Info, Routine, [];
    /// The id changed, by time or by a change of privilege.
    Rotated = "session_rotated", Info, Notable, ["privilege", "time"];
    /// A principal logged in, or confirmed who it is.
    Authenticated = "session_authenticated", Info, Notable, ["confirmation", "login"];
    /// A principal logged out.
    LoggedOut = "session_logged_out", Info, Notable, ["logout", "other_login"];
    /// A session was ended by clearing it.
    Destroyed = "session_destroyed", Info, Notable, [];
    /// A session was revoked.
    Revoked = "session_revoked", Info, Notable, ["all", "one", "undone"];
    /// A password or another factor was changed: the principal's other sessions were revoked.
    CredentialsChanged = "session_credentials_changed", Info, Notable, [];
    /// A login evicted an older session.
    Evicted = "session_evicted", Info, Notable, ["limit"];
    /// A login was refused because of the limit.
    LimitReached = "session_limit_reached", Warning, Notable, [];
    /// An id was presented whose session has expired.
    Expired = "session_expired", Info, Notable, ["ended", "ttl"];
    /// An id was presented whose session was idle for too long.
    IdleTimeout = "session_idle_timeout", Info, Notable, [];
    /// An id was presented whose session has reached its absolute end.
    AbsoluteTimeout = "session_absolute_timeout", Info, Notable, [];
    /// The presented id is not of the canonical form.
    Malformed = "session_invalid", Warning, Notable, [];
    /// Several different ids were presented for one policy.
    Duplicate = "session_duplicate", Warning, Notable, [];
    /// The presented id is not known (any more).
    Unknown = "session_unknown", Warning, Notable, ["absent", "other_policy", "secret"];
    /// Many ids that open nothing were presented within a minute, `count` of them since this was told last: someone guesses, or
    /// the store has lost its sessions.
    Guessing = "session_guessing", Warning, Notable, [];
    /// The presented id has ended, and the store still remembers it.
    Ended = "session_ended", Info, Notable, ["evicted", "logged_out", "reuse", "revoked"];
    /// The presented id was superseded by a change of privilege.
    Superseded = "session_superseded", Info, Notable, ["moved", "moving", "rotated"];
    /// An earlier id was used after its successor: the session was revoked.
    Reused = "session_reused", Error, Notable, [];
    /// The client is not the one that the session was bound to.
    FingerprintMismatch = "session_fingerprint_mismatch", Warning, Notable, [];
    /// A record, or a value in it, could not be read.
    Corrupted = "session_corrupted", Error, Notable, ["record", "value"];
    /// A plain write replaced a change that another request made since the read.
    Overwritten = "session_overwritten", Info, Notable, [];
    /// A commit met a session that had ended.
    Gone = "session_gone", Info, Notable, [];
    /// What a request recorded was not written: refused by the policy, too late, or without a new id.
    NotWritten = "session_not_written", Warning, Notable, [];
    /// An unsafe request from another site was refused.
    CrossSite = "session_cross_site", Warning, Notable,
        ["no_evidence", "no_origin", "opaque_origin", "other_origin", "other_site", "socket_origin", "unknown_site"];
    /// A guard refused the request, or it was an unsafe one in early data of TLS, which can be sent once more by others.
    Refused = "session_refused", Info, Notable, ["early_data"];
    /// A request waited in vain for its turn: another has the session to itself.
    Locked = "session_locked", Warning, Notable, [];
    /// A socket was opened on a session.
    SocketOpened = "session_socket_opened", Info, Notable, [];
    /// A socket of a session is closed: because the session ended, by the handler, by the client, or because the connection broke.
    SocketClosed = "session_socket_closed", Info, Notable,
        ["absolute_timeout", "broken", "client", "evicted", "expired", "gone", "handler", "idle_timeout", "logged_out",
         "protocol", "reused", "revoked", "shutting_down", "store_unavailable", "superseded"];
    /// The store failed.
    StoreFailed = "session_store_failed", Error, Notable, ["unavailable", "unknown"];
    /// The store did not answer, and a request was served by what this process knew of its session (`outage_grace`).
    ServedInOutage = "session_served_in_outage", Warning, Notable, [];
    /// The application wrote a cookie under a policy's name: it was removed.
    ForeignCookie = "session_foreign_cookie", Error, Notable, [];
    /// Events did not reach this listener, because it was too slow: `count` of them since the last that did.
    EventsDropped = "session_events_dropped", Warning, Notable, [];
    /// A sink of events can't write: it is tried again, and what waits for it is kept as long as there is room.
    SinkFailed = "session_sink_failed", Error, Notable, [];
}

impl EventKind {
    /// Its bit in a set of kinds.
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }
}

const _: () = assert!(EventKind::ALL.len() <= 64, "a set of kinds is one number");

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_reasons_are_unique_and_of_one_form() {
        let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let mut names: Vec<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
        assert!(names.iter().all(|name| name.starts_with("session_") && is_word(name)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), EventKind::ALL.len());
        for kind in EventKind::ALL {
            let reasons = kind.reasons();
            assert!(reasons.is_sorted() && reasons.iter().all(|reason| is_word(reason)), "{kind}");
            assert!(kind.about().ends_with('.'), "{kind}");
        }
    }
}
