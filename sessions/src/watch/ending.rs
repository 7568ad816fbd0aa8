//! Why a watched session is over: the reason, the fault that a client is told, and the code that closes its socket.

use std::fmt;

use sessions_policy::CloseCodes;

use crate::{engine::lifetimes::Over, fault::Fault, store::EndReason};

/// Why a [`SessionWatch`](super::SessionWatch) has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionEnding {
    /// Its user logged out, here or elsewhere, or its data was cleared.
    LoggedOut,
    /// It was revoked by its principal or an operator, also because a password was changed.
    Revoked,
    /// A newer login of the same principal took its place.
    Evicted,
    /// `ttl` ran out.
    Expired,
    /// It reached its absolute end.
    AbsoluteTimeout,
    /// It was idle for too long.
    IdleTimeout,
    /// A change of privilege gave the session another id: a login, a confirmation, an explicit rotation. It lives on, and
    /// its client holds the new id.
    Superseded,
    /// An earlier id was used after its successor, which is a sign of theft.
    Reused,
    /// It is no more, and no one remembers why.
    Gone,
    /// The store stayed away for longer than `socket.outage`: no one can say whether the session lives.
    StoreUnavailable,
    /// The process is about to stop.
    ShuttingDown,
}

impl SessionEnding {
    /// What a client may learn of it. `None` where the session lives on and the process ends.
    pub const fn fault(self) -> Option<Fault> {
        Some(match self {
            Self::LoggedOut | Self::Revoked | Self::Evicted | Self::Reused | Self::Gone => Fault::Gone,
            Self::Expired => Fault::Expired,
            Self::AbsoluteTimeout => Fault::AbsoluteTimeout,
            Self::IdleTimeout => Fault::IdleTimeout,
            Self::Superseded => Fault::Superseded,
            Self::StoreUnavailable => Fault::StoreUnavailable,
            Self::ShuttingDown => return None,
        })
    }

    /// The reason in a close frame: the fault's code.
    pub const fn reason(self) -> &'static str {
        match self.fault() {
            Some(fault) => fault.code(),
            None => "",
        }
    }

    /// The code of a close frame (RFC 6455 7.4): 4401 where the session is over, 1013 where the client should try again
    /// later, 1001 where the process stops. [`CloseCodes::ByReason`] tells two endings apart by 4403 and 4408.
    pub const fn close_code(self, codes: CloseCodes) -> u16 {
        match (self, codes) {
            (Self::StoreUnavailable, _) => 1013,
            (Self::ShuttingDown, _) => 1001,
            (Self::Superseded, CloseCodes::ByReason) => 4403,
            (Self::IdleTimeout, CloseCodes::ByReason) => 4408,
            _ => 4401,
        }
    }

    /// The stable word that events and metrics name it by.
    #[cfg_attr(not(feature = "ws"), expect(dead_code, reason = "only sockets tell of it"))]
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Revoked => "revoked",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
            Self::AbsoluteTimeout => "absolute_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::Superseded => "superseded",
            Self::Reused => "reused",
            Self::Gone => "gone",
            Self::StoreUnavailable => "store_unavailable",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// What a tombstone says.
    pub(crate) fn of(reason: EndReason) -> Self {
        match reason {
            EndReason::LoggedOut => Self::LoggedOut,
            EndReason::Revoked => Self::Revoked,
            EndReason::Evicted => Self::Evicted,
            EndReason::Expired => Self::Expired,
            EndReason::Superseded => Self::Superseded,
            EndReason::Reuse => Self::Reused,
        }
    }

    /// Which lifetime ran out.
    pub(super) fn by(over: Over) -> Self {
        match over {
            Over::Expired => Self::Expired,
            Over::Absolute => Self::AbsoluteTimeout,
            Over::Idle => Self::IdleTimeout,
        }
    }
}

impl fmt::Display for SessionEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LoggedOut => "the session was logged out",
            Self::Revoked => "the session was revoked",
            Self::Evicted => "a newer login took the session's place",
            Self::Expired => "the session has expired",
            Self::AbsoluteTimeout => "the session reached its end",
            Self::IdleTimeout => "the session was idle for too long",
            Self::Superseded => "a change of privilege gave the session another id",
            Self::Reused => "a superseded id of the session was used",
            Self::Gone => "the session is no more",
            Self::StoreUnavailable => "the session store stays away",
            Self::ShuttingDown => "the process is about to stop",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_of_a_session_has_one_code_unless_the_policy_says_more() {
        use SessionEnding::{
            Evicted, IdleTimeout, LoggedOut, Revoked, ShuttingDown, StoreUnavailable, Superseded,
        };
        for ending in [LoggedOut, Revoked, Evicted, IdleTimeout, Superseded] {
            assert_eq!(ending.close_code(CloseCodes::One), 4401);
            assert!(ending.reason().starts_with("SESSION_"), "{ending:?}");
        }
        assert_eq!(Superseded.close_code(CloseCodes::ByReason), 4403);
        assert_eq!(IdleTimeout.close_code(CloseCodes::ByReason), 4408);
        assert_eq!(Revoked.close_code(CloseCodes::ByReason), 4401);
        for codes in [CloseCodes::One, CloseCodes::ByReason] {
            assert_eq!(StoreUnavailable.close_code(codes), 1013);
            assert_eq!(ShuttingDown.close_code(codes), 1001);
        }
    }
}
