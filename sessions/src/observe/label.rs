//! The fixed words that metrics have as labels.

use crate::{
    fault::{Fault, SessionError},
    session::state::Found,
    store::{Admitted, CasOutcome, Loaded, StoreError, Touched},
};

macro_rules! words {
    ($(#[$about:meta])* $type:ident { $($word:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $type { $($word,)* }

        #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "only metrics have names for them"))]
        impl $type {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$word,)*];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$word => $name,)* }
            }
        }
    };
}

words! {
    /// What takes time in a request.
    Phase { Resolve = "resolve", Commit = "commit", }
}

words! {
    /// What a request found.
    Resolved {
        Stored = "stored",
        Nothing = "none",
        Superseded = "superseded",
        Refused = "refused",
        Failed = "failed",
    }
}

words! {
    /// What became of a read that a copy might answer.
    NearRead { Hit = "hit", Miss = "miss", Bypass = "bypass", }
}

words! {
    /// A call of a store.
    Operation {
        Load = "load",
        Cas = "cas",
        Touch = "touch",
        Admit = "admit",
        End = "end",
        List = "list",
        Sweep = "sweep",
        Stats = "stats",
    }
}

words! {
    /// What a store answered.
    Answered {
        Done = "ok",
        Absent = "absent",
        Ended = "ended",
        Conflict = "conflict",
        Exists = "exists",
        Full = "full",
        Late = "late",
        Limit = "limit",
        Revoked = "revoked",
        Unavailable = "unavailable",
        Unknown = "unknown",
    }
}

impl From<Found> for Resolved {
    fn from(found: Found) -> Self {
        match found {
            Found::Live => Self::Stored,
            Found::Nothing => Self::Nothing,
            Found::Superseded => Self::Superseded,
        }
    }
}

impl From<&SessionError> for Resolved {
    fn from(error: &SessionError) -> Self {
        if error.fault() == Fault::StoreUnavailable { Self::Failed } else { Self::Refused }
    }
}

impl From<&StoreError> for Answered {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Unknown(_) => Self::Unknown,
        }
    }
}

/// What an answer is called, if the store gave one.
pub(crate) trait Answer {
    fn answered(&self) -> Answered;
}

impl Answer for Loaded {
    fn answered(&self) -> Answered {
        match self {
            Self::Live(_) => Answered::Done,
            Self::Ended(_) => Answered::Ended,
            Self::Absent => Answered::Absent,
        }
    }
}

impl Answer for CasOutcome {
    fn answered(&self) -> Answered {
        match self {
            Self::Stored => Answered::Done,
            Self::Conflict(_) => Answered::Conflict,
            Self::Gone(_) => Answered::Ended,
            Self::Late => Answered::Late,
            Self::Full => Answered::Full,
        }
    }
}

impl Answer for Touched {
    fn answered(&self) -> Answered {
        match self {
            Self::Noted => Answered::Done,
            Self::Gone => Answered::Ended,
        }
    }
}

impl Answer for Admitted {
    fn answered(&self) -> Answered {
        match self {
            Self::Stored { .. } => Answered::Done,
            Self::LimitReached { .. } => Answered::Limit,
            Self::Revoked => Answered::Revoked,
            Self::Exists => Answered::Exists,
            Self::Late => Answered::Late,
            Self::Full => Answered::Full,
        }
    }
}

/// An answer that is all of its kind.
macro_rules! done {
    ($($type:ty),*) => {
        $(impl Answer for $type {
            fn answered(&self) -> Answered {
                Answered::Done
            }
        })*
    };
}

done!(crate::store::Ended, Vec<crate::store::Listed>, usize, crate::store::StoreStats);

impl<T: Answer> From<&Result<T, StoreError>> for Answered {
    fn from(result: &Result<T, StoreError>) -> Self {
        match result {
            Ok(answer) => answer.answered(),
            Err(error) => error.into(),
        }
    }
}
